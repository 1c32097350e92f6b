import { batch, signal } from '@preact/signals';
import { ZIMConversationType } from 'parley-chat';
import type { ZIMMessage } from 'parley-chat';
import type { Chat } from './environment';
import type { MessageView } from './message-view';
import { toMessageView } from './message-view';

const pageSize = 40;
/** Pages read to close a gap after an absence; after a longer one the timeline begins at its end again. */
const gapPages = 5;

/**
 * The messages of one conversation as far as they have been read: a run of
 * stored messages without gaps up to the newest, then the own ones that the
 * server has not acknowledged. While a login lasts, over lost connections too,
 * the SDK delivers everything that follows; only a new login leaves a gap.
 */
export class Timeline {
  readonly messages = signal<readonly MessageView[]>([]);
  readonly state = signal<'loading' | 'ready' | 'error'>('loading');
  /** True when the first message of the conversation is here. */
  readonly complete = signal(false);
  readonly loadingOlder = signal(false);
  /** True when the older messages could not be read; the user may ask again. */
  readonly olderFailed = signal(false);
  /** The unread divider stands after this message; undefined: no divider. */
  readonly dividerSeq = signal<number | undefined>(undefined);
  /** True when `refresh` is needed: nothing has been read yet, or messages of a time without a login are missing. */
  stale = true;

  private stored: readonly MessageView[] = [];
  private pending: readonly MessageView[] = [];
  private oldest: ZIMMessage | undefined;
  /** While stale: the run of stored messages has no gap up to this one. */
  private knownSeq = 0;
  private reading: { readonly chat: Chat; readonly done: Promise<void> } | undefined;

  /** `adopted` hears which echo turned out to be stored when a stored message takes its place. */
  constructor(
    readonly id: string,
    private readonly self: string,
    private readonly adopted: (key: string) => void,
  ) {}

  /** A new login begins: what was said without one is missing until the next `refresh`. */
  expire(): void {
    this.reading = undefined;
    if (this.stale) return;
    this.stale = true;
    this.knownSeq = this.stored.at(-1)?.seq ?? 0;
  }

  /** Reads the newest messages and joins them to what is here. Calls at one time share one reading. */
  refresh(chat: Chat): Promise<void> {
    if (this.reading?.chat !== chat) this.reading = { chat, done: this.readNewest(chat) };
    return this.reading.done;
  }

  /** Reads one page before the oldest message here. */
  async loadOlder(chat: Chat): Promise<void> {
    const { oldest } = this;
    if (this.loadingOlder.value || this.complete.value || this.state.value !== 'ready' || !oldest) return;
    this.loadingOlder.value = true;
    this.olderFailed.value = false;
    try {
      const page = await this.page(chat, oldest);
      if (oldest === this.oldest) batch(() => this.extend(page));
    } catch {
      this.olderFailed.value = true;
    } finally {
      this.loadingOlder.value = false;
    }
  }

  /** Takes messages that the SDK delivered, in order and without gaps. */
  receive(messages: readonly ZIMMessage[]): void {
    this.merge(messages.map((message) => toMessageView(message, this.self)).filter(({ seq }) => seq > 0));
  }

  /** Shows an own message that is not acknowledged, or its new state. */
  echo(message: MessageView): void {
    const known = this.pending.some(({ key }) => key === message.key);
    this.pending = known ? this.pending.map((other) => (other.key === message.key ? message : other)) : [...this.pending, message];
    this.publish();
  }

  /** Takes an echo away. */
  drop(key: string): void {
    this.pending = this.pending.filter((message) => message.key !== key);
    this.publish();
  }

  /** The echo `key` is now this stored message; it keeps its place on the screen. */
  acknowledge(key: string, message: ZIMMessage): void {
    this.pending = this.pending.filter((other) => other.key !== key);
    this.merge([{ ...toMessageView(message, this.self), key }]);
  }

  private async readNewest(chat: Chat): Promise<void> {
    const { knownSeq } = this;
    try {
      let page = await this.page(chat, undefined);
      const run = [...page];
      for (let pages = 1; knownSeq > 0 && !reaches(run, knownSeq) && pages < gapPages; pages++) {
        page = await this.page(chat, run[0]);
        if (page.length === 0) break;
        run.unshift(...page);
      }
      if (this.reading?.chat !== chat) return;
      batch(() => {
        if (knownSeq > 0 && reaches(run, knownSeq)) this.receive(run);
        else this.beginAt(run);
        this.state.value = 'ready';
      });
      this.stale = false;
    } catch {
      if (this.state.value === 'loading' && this.reading?.chat === chat) this.state.value = 'error';
    } finally {
      if (this.reading?.chat === chat) this.reading = undefined;
    }
  }

  private async page(chat: Chat, before: ZIMMessage | undefined): Promise<ZIMMessage[]> {
    const config = { count: pageSize, reverse: true, mode: 0, ...(before ? { nextMessage: before } : {}) };
    const { messageList } = await chat.queryHistoryMessage(this.id, ZIMConversationType.Peer, config);
    return [...messageList].sort((a, b) => (a.messageSeq ?? 0) - (b.messageSeq ?? 0));
  }

  /** Forgets what is older than the run, because there is a gap between the two. */
  private beginAt(run: readonly ZIMMessage[]): void {
    const first = run[0]?.messageSeq ?? 0;
    this.stored = this.stored.filter(({ seq }) => seq >= first);
    this.extend(run);
  }

  /** Adds a run that ends where the messages here begin. */
  private extend(run: readonly ZIMMessage[]): void {
    this.oldest = run[0] ?? this.oldest;
    this.complete.value = run.length === 0 || run[0]?.messageSeq === 1;
    this.receive(run);
  }

  /** Adds stored messages that are not here yet; one whose echo is still shown takes the echo's place. */
  private merge(messages: readonly MessageView[]): void {
    const newest = this.stored.at(-1)?.seq ?? 0;
    if (messages.every(({ seq }, i) => seq > (messages[i - 1]?.seq ?? newest))) {
      this.stored = [...this.stored, ...messages.map((message) => this.inPlaceOfEcho(message))];
    } else {
      const bySeq = new Map(this.stored.map((message) => [message.seq, message]));
      for (const message of messages) {
        if (!bySeq.has(message.seq)) bySeq.set(message.seq, this.inPlaceOfEcho(message));
      }
      this.stored = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    }
    this.publish();
  }

  private inPlaceOfEcho(message: MessageView): MessageView {
    const echo = message.localID === undefined ? undefined : this.pending.find(({ localID }) => localID === message.localID);
    if (!echo) return message;
    this.pending = this.pending.filter((other) => other !== echo);
    this.adopted(echo.key);
    return { ...message, key: echo.key };
  }

  private publish(): void {
    this.messages.value = this.pending.length > 0 ? [...this.stored, ...this.pending] : this.stored;
  }
}

/** True when a run of messages continues, without a gap, what ends at `seq`. */
function reaches(run: readonly ZIMMessage[], seq: number): boolean {
  const first = run[0]?.messageSeq ?? 0;
  return run.length === 0 || first <= seq + 1;
}

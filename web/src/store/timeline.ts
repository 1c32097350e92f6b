import { batch, signal } from '@preact/signals';
import { ZIMConversationType } from 'parley-chat/zim';
import type { ZIMMessage } from 'parley-chat/zim';
import { toEntry } from './entry';
import type { Entry } from './entry';
import type { Chat } from './environment';

const pageSize = 40;
/** Pages read to close a gap after an absence; a longer one starts the timeline afresh at its end. */
const gapPages = 5;

/**
 * The messages of one conversation as far as they have been read: a run of
 * stored messages without gaps up to the newest, then the own ones that the
 * server has not acknowledged.
 */
export class Timeline {
  readonly entries = signal<readonly Entry[]>([]);
  readonly state = signal<'loading' | 'ready' | 'error'>('loading');
  /** True when the first message of the conversation is here. */
  readonly complete = signal(false);
  readonly loadingOlder = signal(false);
  /** The unread divider stands behind this message; undefined: no divider. */
  readonly dividerSeq = signal<number | undefined>(undefined);

  private stored: readonly Entry[] = [];
  private pending: readonly Entry[] = [];
  private oldest: ZIMMessage | undefined;
  private refreshing: Promise<void> | undefined;

  constructor(
    readonly id: string,
    private readonly self: string,
  ) {}

  /** Reads the newest messages and joins them to what is here. Calls at one time share one reading. */
  refresh(chat: Chat): Promise<void> {
    this.refreshing ??= this.readNewest(chat).finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  /** Reads one page before the oldest message here. */
  async loadOlder(chat: Chat): Promise<void> {
    if (this.loadingOlder.value || this.complete.value || this.state.value !== 'ready' || !this.oldest) return;
    this.loadingOlder.value = true;
    try {
      const page = await this.page(chat, this.oldest);
      batch(() => this.insert(page));
    } catch {
      // The view asks again when it is scrolled again.
    } finally {
      this.loadingOlder.value = false;
    }
  }

  /** Takes messages that the SDK delivered, in order and without gaps. */
  receive(messages: readonly ZIMMessage[]): void {
    this.merge(messages.map((message) => toEntry(message, this.self)).filter((entry) => entry.seq > 0));
  }

  /** Shows an own message that is not acknowledged, or its new state. */
  echo(entry: Entry): void {
    const known = this.pending.some((other) => other.key === entry.key);
    this.pending = known ? this.pending.map((other) => (other.key === entry.key ? entry : other)) : [...this.pending, entry];
    this.publish();
  }

  /** Takes an echo away: it was deleted, or is going to be shown as acknowledged. */
  drop(key: string): void {
    this.pending = this.pending.filter((entry) => entry.key !== key);
    this.publish();
  }

  /** The echo `key` is now this stored message; it keeps its place on the screen. */
  acknowledge(key: string, message: ZIMMessage): void {
    this.pending = this.pending.filter((other) => other.key !== key);
    this.merge([{ ...toEntry(message, this.self), key }]);
  }

  private async readNewest(chat: Chat): Promise<void> {
    try {
      let page = await this.page(chat, undefined);
      const newest = this.state.value === 'ready' ? (this.stored.at(-1)?.seq ?? 0) : 0;
      const fresh = [...page];
      for (let pages = 1; newest > 0 && !reaches(fresh, newest) && pages < gapPages; pages++) {
        page = await this.page(chat, fresh[0]);
        if (page.length === 0) break;
        fresh.unshift(...page);
      }
      batch(() => {
        if (newest > 0 && !reaches(fresh, newest)) this.forget();
        this.insert(fresh, newest > 0 && reaches(fresh, newest));
        this.state.value = 'ready';
      });
    } catch {
      if (this.state.value === 'loading') this.state.value = 'error';
    }
  }

  private async page(chat: Chat, before: ZIMMessage | undefined): Promise<ZIMMessage[]> {
    const config = { count: pageSize, reverse: true, mode: 0, ...(before ? { nextMessage: before } : {}) };
    const { messageList } = await chat.queryHistoryMessage(this.id, ZIMConversationType.Peer, config);
    return [...messageList].sort((a, b) => (a.messageSeq ?? 0) - (b.messageSeq ?? 0));
  }

  /** Adds a run of stored messages; `joined` says that it only continues what is here, so the oldest stays the oldest. */
  private insert(messages: readonly ZIMMessage[], joined = false): void {
    if (!joined) {
      this.oldest = messages[0] ?? this.oldest;
      this.complete.value = messages.length === 0 || messages[0]?.messageSeq === 1;
    }
    this.receive(messages);
  }

  private forget(): void {
    this.stored = [];
    this.oldest = undefined;
    this.complete.value = false;
  }

  /** Adds stored messages that are not here yet; one whose echo is still shown takes the echo's place. */
  private merge(fresh: readonly Entry[]): void {
    const bySeq = new Map(this.stored.map((entry) => [entry.seq, entry]));
    for (const entry of fresh) {
      if (bySeq.has(entry.seq)) continue;
      const echo = entry.localID === undefined ? undefined : this.pending.find(({ localID }) => localID === entry.localID);
      this.pending = this.pending.filter((other) => other !== echo);
      bySeq.set(entry.seq, echo ? { ...entry, key: echo.key } : entry);
    }
    this.stored = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    this.publish();
  }

  private publish(): void {
    this.entries.value = this.pending.length > 0 ? [...this.stored, ...this.pending] : this.stored;
  }
}

/** True when a run of messages continues, without a gap, what ends at `newest`. */
function reaches(run: readonly ZIMMessage[], newest: number): boolean {
  const first = run[0]?.messageSeq ?? 0;
  return run.length === 0 || first <= newest + 1;
}

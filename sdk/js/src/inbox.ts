import type { Conversation, ConversationRef, Message, Sent } from './domain.js';
import { refKey } from './domain.js';
import type { HistoryPage, HistoryRequest } from './frames.js';
import { repair } from './repair.js';
import { Stream } from './stream.js';

/** What the inbox needs and tells. */
export interface InboxPort {
  history(request: HistoryRequest): Promise<HistoryPage>;
  /** Whether answers to own messages of this conversation are due. */
  sending(ref: ConversationRef): boolean;
  /** Messages in order, each once; own ones from elsewhere included. */
  deliver(ref: ConversationRef, messages: Message[]): void;
}

/** How a head of a conversation came to be known. */
export type HeadSource = 'login' | 'list' | 'catchUp';

interface Lane {
  readonly ref: ConversationRef;
  readonly stream: Stream;
  timer: ReturnType<typeof setTimeout> | undefined;
  repairing: boolean;
  failures: number;
}

/**
 * Puts what arrives into order before the app sees it: message n + 1 is never
 * delivered before n. What is missing is fetched from history; pushes are only
 * the quick way to learn of a message, history is the truth.
 *
 * A conversation whose cursor is unknown begins with the first message that is
 * younger than the login; see repair.ts.
 */
export class Inbox {
  private readonly lanes = new Map<string, Lane>();
  private paused = false;

  /** `loginTime` is the server time of the login's first welcome. */
  constructor(
    private readonly port: InboxPort,
    private readonly loginTime: number,
  ) {}

  /** A pushed message. */
  pushed(message: Message): void {
    if (message.seq === 0) return this.port.deliver(message.conversation, [message]);
    const lane = this.lane(message.conversation);
    lane.stream.pushed(message);
    this.flush(lane);
    // An answer to an own message, still on its way, may fill the gap.
    this.mend(lane, this.port.sending(lane.ref) ? GRACE_MS : 0);
  }

  /** The server has answered an own message. */
  acked(ref: ConversationRef, { seq, timestamp }: Sent): void {
    if (seq === 0) return;
    const lane = this.lane(ref);
    // Sent again after an earlier login had it stored: what follows it is older than
    // this login, too.
    if (lane.stream.cursor === undefined && timestamp <= this.loginTime) return;
    lane.stream.fill(seq, null);
    this.flush(lane);
    // The answer may have overtaken the pushes before it.
    if (lane.stream.cursor !== undefined) this.mend(lane, GRACE_MS);
  }

  /** A list entry tells how far a conversation reaches. */
  observed(conversation: Conversation, source: HeadSource): void {
    const lane = this.lane(conversation.ref);
    const { stream } = lane;
    if (stream.cursor === undefined && this.isOld(conversation) && !stream.holdsMessage()) {
      stream.skipTo(conversation.headSeq);
      this.flush(lane);
    }
    if (stream.cursor === undefined && source !== 'catchUp') return;
    stream.expect(conversation.headSeq);
    this.mend(lane, source === 'catchUp' ? 0 : LIST_GRACE_MS);
  }

  /** The connection is gone: leave gaps alone. */
  pause(): void {
    this.paused = true;
    for (const lane of this.lanes.values()) this.cancel(lane);
  }

  /** The connection is back: mend what was left. */
  resume(): void {
    this.paused = false;
    for (const lane of this.lanes.values()) this.mend(lane, 0);
  }

  // Younger entries may be among this login's own messages, or reach us as a
  // push in a moment; servers' clocks may differ a little.
  private isOld(conversation: Conversation): boolean {
    const last = conversation.lastMessage?.timestamp ?? 0;
    return last <= this.loginTime - CLOCK_MARGIN_MS;
  }

  private lane(ref: ConversationRef): Lane {
    const key = refKey(ref);
    let lane = this.lanes.get(key);
    if (!lane) {
      lane = { ref, stream: new Stream(), timer: undefined, repairing: false, failures: 0 };
      this.lanes.set(key, lane);
    }
    return lane;
  }

  private flush(lane: Lane): void {
    const ready = lane.stream.take();
    if (ready.length > 0) this.port.deliver(lane.ref, ready);
    if (!lane.stream.gap()) this.cancel(lane);
  }

  private mend(lane: Lane, delayMs: number): void {
    if (this.paused || lane.repairing || !lane.stream.gap()) return;
    if (delayMs === 0) {
      this.cancel(lane);
      void this.run(lane);
    } else {
      lane.timer ??= setTimeout(() => this.mend(lane, 0), delayMs);
    }
  }

  private async run(lane: Lane): Promise<void> {
    lane.repairing = true;
    try {
      await repair(lane.ref, lane.stream, this.loginTime, this.port.history, () => this.flush(lane));
      lane.failures = 0;
    } catch {
      lane.failures++;
    }
    lane.repairing = false;
    // What came in meanwhile may have left another gap; a failure waits longer.
    this.mend(lane, lane.failures === 0 ? GRACE_MS : Math.min(lane.failures, 10) * RETRY_MS);
  }

  private cancel(lane: Lane): void {
    clearTimeout(lane.timer);
    lane.timer = undefined;
  }
}

const GRACE_MS = 200;
const LIST_GRACE_MS = 1_000;
const RETRY_MS = 1_000;
const CLOCK_MARGIN_MS = 5_000;

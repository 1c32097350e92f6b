import type { Conversation, ConversationRef, Message } from './domain.js';
import { refKey } from './domain.js';
import type { ConversationPage, UnreadCleared } from './frames.js';
import type { Tracked } from './tracked.js';
import { conversationOf, differs, trackedFromStart, withEntry, withMark, withMessages, withOwn } from './tracked.js';

/** One change of the conversation list. */
export interface ConversationChange {
  readonly event: 'added' | 'updated';
  readonly conversation: Conversation;
}

/** What the store tells. */
export interface StorePort {
  changed(changes: ConversationChange[]): void;
  totalUnread(total: number): void;
  /** The entry of this conversation is wanted: its name or its unread count is unknown. */
  unknown(ref: ConversationRef): void;
  /** The total may be wrong until the next page from the top of the list. */
  totalUnknown(): void;
}

/** A list reply, and what it takes to tell what has overtaken it. */
export interface Listed {
  readonly page: ConversationPage;
  /** The store's tick when it was asked for. */
  readonly askedAt: number;
  /** Whether the page begins at the top of the list. */
  readonly top: boolean;
}

/**
 * The conversation list as far as this login has seen it, kept up from what
 * passes by: list replies, messages in order, answers to own sends, marks.
 *
 * The total is the server's, of all conversations, plus what has happened
 * since. When messages were counted here while a page was under way, its total
 * may or may not hold them. A conversation on the page says so by its head; one
 * that belongs on the page by its order key and is not there was read by the
 * server before the message. A total that cannot be matched so is not taken.
 */
export class ConversationStore {
  private readonly tracked = new Map<string, Tracked>();
  private total: number | undefined;
  private ticks = 0;

  constructor(
    private readonly selfID: string,
    private readonly port: StorePort,
  ) {}

  /** The present tick: it moves on with everything that may change an unread count. */
  get tick(): number {
    return this.ticks;
  }

  /** The entry of a conversation, if it was seen. */
  get(ref: ConversationRef): Conversation | undefined {
    const tracked = this.tracked.get(refKey(ref));
    return tracked && conversationOf(tracked);
  }

  /** Takes a list reply; `quiet` for one that the app asked for, and so will see. */
  listed(reply: Listed, quiet: boolean): Conversation[] {
    const { page } = reply;
    const changes: ConversationChange[] = [];
    const total = this.totalOf(reply);
    this.ticks++;
    let after = 0; // what has happened here since the page's total
    let learned = 0; // what this page tells beyond the present total
    let unsure = total === undefined && page.totalUnread !== undefined;
    for (const entry of page.conversations) {
      const known = this.tracked.get(refKey(entry.ref));
      const merged = withEntry(known, entry, this.ticks);
      const settled = known !== undefined && known.inTotal === known.counted;
      const tracked = settled ? { ...merged, inTotal: merged.counted } : merged;
      this.tracked.set(refKey(entry.ref), tracked);
      after += tracked.unread - entry.unread;
      learned += settled ? tracked.unread - known.unread : 0;
      unsure ||= total === undefined && known !== undefined && !settled;
      if (!known || differs(known, tracked)) changes.push({ event: known ? 'updated' : 'added', conversation: conversationOf(tracked) });
    }
    if (!quiet && changes.length > 0) this.port.changed(changes);
    if (total !== undefined) this.setWholeTotal(total + after);
    else if (this.total !== undefined) this.setTotal(this.total + learned);
    if (unsure) this.port.totalUnknown();
    return page.conversations.map((entry) => this.get(entry.ref) as Conversation);
  }

  /** Takes messages of one conversation, in order and each once. */
  delivered(ref: ConversationRef, messages: readonly Message[]): void {
    const stored = messages.filter((m) => m.seq > 0);
    if (stored.length === 0) return;
    const known = this.tracked.get(refKey(ref));
    const { tracked, fresh } = withMessages(known ?? trackedFromStart(ref), stored, this.selfID, ++this.ticks);
    this.replace(known, tracked);
    if (this.total !== undefined) this.setTotal(this.total + fresh);
    if (!known) this.port.unknown(ref);
    if (!known && (stored[0] as Message).seq > 1) this.port.totalUnknown();
  }

  /** Takes an own message that the server has accepted. */
  accepted(message: Message): void {
    if (message.seq === 0) return;
    const known = this.tracked.get(refKey(message.conversation));
    // Of an older conversation the unread count is unknown: its entry comes soon.
    if (known || message.seq === 1) this.replace(known, withOwn(known ?? trackedFromStart(message.conversation), message));
    if (!known) this.port.unknown(message.conversation);
  }

  /** Takes a mark: everything up to readSeq is read. */
  cleared({ conversation, readSeq }: UnreadCleared): void {
    const known = this.tracked.get(refKey(conversation));
    if (!known) return this.port.totalUnknown();
    if (readSeq <= known.readSeq) return;
    const { tracked, sure } = withMark(known, readSeq, ++this.ticks);
    this.replace(known, tracked);
    if (this.total !== undefined) this.setTotal(Math.max(0, this.total + tracked.unread - known.unread));
    if (!sure) this.port.unknown(conversation);
  }

  // The total of a page, with what was counted here in conversations that are
  // not on it; undefined when the page has none, or none that can be matched.
  private totalOf({ page, askedAt, top }: Listed): number | undefined {
    if (page.totalUnread === undefined) return undefined;
    let total = page.totalUnread;
    const onPage = new Set(page.conversations.map((entry) => refKey(entry.ref)));
    const end = page.complete ? 0 : (page.conversations.at(-1)?.orderKey ?? 0);
    for (const [key, { recent, revisedAt, orderKey }] of this.tracked) {
      if (onPage.has(key)) continue;
      const counted = recent.filter(({ tick }) => tick > askedAt).length;
      const matched = counted === 0 || (top && orderKey > end);
      if (revisedAt > askedAt || !matched) return undefined;
      total += counted;
    }
    return total;
  }

  private setWholeTotal(total: number): void {
    for (const [key, tracked] of this.tracked) {
      if (tracked.inTotal < tracked.counted) this.tracked.set(key, { ...tracked, inTotal: tracked.counted });
    }
    this.setTotal(total);
  }

  private replace(known: Tracked | undefined, tracked: Tracked): void {
    this.tracked.set(refKey(tracked.ref), tracked);
    if (known && !differs(known, tracked)) return;
    this.port.changed([{ event: known ? 'updated' : 'added', conversation: conversationOf(tracked) }]);
  }

  private setTotal(total: number): void {
    if (total === this.total) return;
    this.total = total;
    this.port.totalUnread(total);
  }
}

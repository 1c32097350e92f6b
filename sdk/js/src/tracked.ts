import type { Conversation, Message } from './domain.js';
import { MessageType } from './domain.js';

/** A message of another user that was counted on this side, and when: a tick of the store. */
interface Counted {
  readonly seq: number;
  readonly tick: number;
}

/**
 * An entry of the conversation list, with what it takes to keep its unread
 * count exact.
 *
 * Invariants: `unread` is the number of others' messages in (readSeq, counted];
 * those of them above `recentFrom`, and those that were added to the total one
 * by one, are in `recent`, in order; inTotal and recentFrom are at most counted.
 */
export interface Tracked extends Conversation {
  /** Messages up to here are part of `unread`. */
  readonly counted: number;
  /** Messages up to here that are unread are part of the store's total; those after it will be when they are delivered. */
  readonly inTotal: number;
  readonly recentFrom: number;
  readonly recent: readonly Counted[];
  /** When the unread count last changed by anything but a message: a mark, a list entry. */
  readonly revisedAt: number;
}

/** A conversation that nothing was sent in yet. */
export function trackedFromStart(ref: Conversation['ref']): Tracked {
  return {
    ref,
    name: '',
    avatarUrl: '',
    headSeq: 0,
    unread: 0,
    readSeq: 0,
    orderKey: 0,
    lastMessage: undefined,
    counted: 0,
    inTotal: 0,
    recentFrom: 0,
    recent: [],
    revisedAt: 0,
  };
}

/** The conversation as others see it. */
export function conversationOf(tracked: Tracked): Conversation {
  const { ref, name, avatarUrl, headSeq, unread, readSeq, orderKey, lastMessage } = tracked;
  return { ref, name, avatarUrl, headSeq, unread, readSeq, orderKey, lastMessage };
}

/**
 * Takes an entry of a list reply. What was counted after it stays; one that was
 * overtaken by a mark, or by more than is known in detail, changes the name only.
 */
export function withEntry(known: Tracked | undefined, entry: Conversation, tick: number): Tracked {
  if (!known) return { ...trackedFromStart(entry.ref), ...entry, counted: entry.headSeq, recentFrom: entry.headSeq };
  if (entry.readSeq < known.readSeq || entry.headSeq < known.recentFrom) {
    return { ...known, name: entry.name, avatarUrl: entry.avatarUrl };
  }
  const unread = entry.unread + known.recent.filter(({ seq }) => seq > entry.headSeq).length;
  const revised = unread !== known.unread || entry.readSeq !== known.readSeq;
  return {
    ...known,
    ...(entry.headSeq >= known.headSeq ? entry : { ...entry, ...headOf(known) }),
    unread,
    counted: Math.max(entry.headSeq, known.counted),
    recentFrom: entry.headSeq > known.counted ? entry.headSeq : known.recentFrom,
    recent: known.recent.filter(({ seq }) => seq > entry.readSeq),
    revisedAt: revised ? tick : known.revisedAt,
  };
}

/** Takes messages in order, each once; `fresh` of them are not in the total yet. */
export function withMessages(known: Tracked, messages: readonly Message[], selfID: string, tick: number): { tracked: Tracked; fresh: number } {
  const last = messages.at(-1) as Message;
  const unread = messages.filter((m) => m.senderID !== selfID && m.type !== MessageType.Command && m.seq > known.readSeq);
  const counted = unread.filter((m) => m.seq > known.counted);
  const fresh = unread.filter((m) => m.seq > known.inTotal);
  const recent = [...known.recent, ...fresh.map(({ seq }) => ({ seq, tick }))];
  const tracked = {
    ...known,
    ...newerHead(known, last),
    unread: known.unread + counted.length,
    counted: Math.max(known.counted, last.seq),
    inTotal: Math.max(known.inTotal, last.seq),
    recentFrom: Math.max(known.recentFrom, recent.at(-MAX_RECENT - 1)?.seq ?? 0),
    recent: recent.slice(-MAX_RECENT),
  };
  return { tracked, fresh: fresh.length };
}

/** Takes an own message that the server has accepted. */
export function withOwn(known: Tracked, message: Message): Tracked {
  return { ...known, ...newerHead(known, message) };
}

/**
 * Takes a mark: everything up to readSeq is read. `sure` tells whether the
 * number of messages after it is known.
 */
export function withMark(known: Tracked, readSeq: number, tick: number): { tracked: Tracked; sure: boolean } {
  const recent = known.recent.filter(({ seq }) => seq > readSeq);
  const between = Math.max(0, known.recentFrom - readSeq); // not read, perhaps own
  const unread = Math.min(known.unread, recent.filter(({ seq }) => seq > known.recentFrom).length + between);
  const tracked = { ...known, recent, unread, readSeq, counted: Math.max(known.counted, readSeq), revisedAt: tick };
  return { tracked, sure: between === 0 };
}

/** Whether the two look different to an app. */
export function differs(a: Conversation, b: Conversation): boolean {
  return (
    a.name !== b.name ||
    a.avatarUrl !== b.avatarUrl ||
    a.headSeq !== b.headSeq ||
    a.unread !== b.unread ||
    a.readSeq !== b.readSeq
  );
}

// Enough to tell what a mark leaves unread: marks are set soon after reading.
const MAX_RECENT = 1000;

type Head = Pick<Conversation, 'headSeq' | 'orderKey' | 'lastMessage'>;

function headOf({ headSeq, orderKey, lastMessage }: Head): Head {
  return { headSeq, orderKey, lastMessage };
}

function newerHead(known: Tracked, message: Message): Head {
  if (message.seq < known.headSeq) return headOf(known);
  return { headSeq: message.seq, orderKey: message.orderKey, lastMessage: message };
}

import type { Conversation, ConversationRef, Message } from './domain.js';
import { MessageType, refKey } from './domain.js';
import type { ConversationPage, UnreadCleared } from './frames.js';

/** One change of the conversation list. */
export interface ConversationChange {
  readonly event: 'added' | 'updated';
  readonly conversation: Conversation;
}

/** What the store tells. */
export interface StorePort {
  changed(changes: ConversationChange[]): void;
  totalUnread(total: number): void;
  /** These conversations were met in a message only: their names are unknown. */
  unknown(ref: ConversationRef): void;
}

interface Record extends Conversation {
  /** Messages up to here are part of `unread`. */
  counted: number;
  /** Seqs of others' messages that were counted here, above readSeq. */
  recent: number[];
}

/**
 * The conversation list as far as this login has seen it, kept up from what
 * passes by: list replies, messages in order, answers to own sends, cleared
 * marks. A list reply that was overtaken by messages does not turn the clock
 * back.
 */
export class ConversationStore {
  private readonly records = new Map<string, Record>();
  private total: number | undefined;

  constructor(
    private readonly selfID: string,
    private readonly port: StorePort,
  ) {}

  /** The entry of a conversation, if it was seen. */
  get(ref: ConversationRef): Conversation | undefined {
    const record = this.records.get(refKey(ref));
    return record && view(record);
  }

  /** Takes a reply; `quiet` for one that the app asked for, and so will see. */
  listed(page: ConversationPage, quiet: boolean): Conversation[] {
    const changes: ConversationChange[] = [];
    let newer = 0; // counted here, and not yet by the server's total
    let learned = 0; // unread that this reply tells of
    const views = page.conversations.map((incoming) => {
      const known = this.records.get(refKey(incoming.ref));
      const event = known ? 'updated' : 'added';
      const { record, changed } = this.merge(incoming);
      learned += record.unread - (known?.unread ?? 0);
      const conversation = view(record);
      newer += record.counted > incoming.headSeq ? record.unread - incoming.unread : 0;
      if (changed) changes.push({ event, conversation });
      return conversation;
    });
    if (!quiet && changes.length > 0) this.port.changed(changes);
    if (page.totalUnread !== undefined) this.setTotal(page.totalUnread + newer);
    else if (this.total !== undefined) this.setTotal(this.total + learned);
    return views;
  }

  /** Takes messages of one conversation, in order and each once. */
  delivered(ref: ConversationRef, messages: readonly Message[]): void {
    const stored = messages.filter((m) => m.seq > 0);
    const last = stored.at(-1);
    if (!last) return;
    const { record, event } = this.recordFor(ref);
    const fresh = stored.filter((m) => this.countsAsUnread(m, record));
    record.counted = Math.max(record.counted, last.seq);
    record.recent = [...record.recent, ...fresh.map((m) => m.seq)].slice(-MAX_RECENT);
    this.replace({ ...record, unread: record.unread + fresh.length, ...headOf(record, last) }, event);
    if (fresh.length > 0 && this.total !== undefined) this.setTotal(this.total + fresh.length);
    if (event === 'added') this.port.unknown(ref);
  }

  /** Takes an own message that the server has accepted. */
  accepted(message: Message): void {
    if (message.seq === 0) return;
    const { record, event } = this.recordFor(message.conversation);
    this.replace({ ...record, ...headOf(record, message) }, event);
    if (event === 'added') this.port.unknown(message.conversation);
  }

  /** Takes a mark: everything up to readSeq is read. */
  cleared({ conversation, readSeq }: UnreadCleared): void {
    const record = this.records.get(refKey(conversation));
    if (!record || readSeq < record.readSeq) return;
    const recent = record.recent.filter((seq) => seq > readSeq);
    const unread = recent.length;
    const less = record.unread - unread;
    this.replace({ ...record, recent, unread, readSeq, counted: Math.max(record.counted, readSeq) }, 'updated');
    if (this.total !== undefined) this.setTotal(Math.max(0, this.total - less));
  }

  private countsAsUnread(message: Message, record: Record): boolean {
    if (message.senderID === this.selfID || message.type === MessageType.Command) return false;
    return message.seq > record.counted && message.seq > record.readSeq;
  }

  private merge(incoming: Conversation): { record: Record; changed: boolean } {
    const key = refKey(incoming.ref);
    const known = this.records.get(key);
    const stale = known !== undefined && incoming.headSeq < Math.max(known.headSeq, known.counted);
    const merged: Record = stale
      ? { ...known, name: incoming.name, avatarUrl: incoming.avatarUrl }
      : { ...incoming, counted: incoming.headSeq, recent: (known?.recent ?? []).filter((s) => s > incoming.readSeq) };
    this.records.set(key, merged);
    return { record: merged, changed: !known || differs(known, merged) };
  }

  private recordFor(ref: ConversationRef): { record: Record; event: 'added' | 'updated' } {
    const known = this.records.get(refKey(ref));
    if (known) return { record: known, event: 'updated' };
    return { record: { ...EMPTY, ref, recent: [] }, event: 'added' };
  }

  private replace(record: Record, event: 'added' | 'updated'): void {
    this.records.set(refKey(record.ref), record);
    this.port.changed([{ event, conversation: view(record) }]);
  }

  private setTotal(total: number): void {
    if (total === this.total) return;
    this.total = total;
    this.port.totalUnread(total);
  }
}

// Enough to tell what a mark leaves unread: marks are set soon after reading.
const MAX_RECENT = 1000;

const EMPTY: Omit<Record, 'ref' | 'recent'> = {
  name: '',
  avatarUrl: '',
  headSeq: 0,
  unread: 0,
  readSeq: 0,
  orderKey: 0,
  lastMessage: undefined,
  counted: 0,
};

function view({ counted: _counted, recent: _recent, ...conversation }: Record): Conversation {
  return conversation;
}

function headOf(record: Record, message: Message): Pick<Conversation, 'headSeq' | 'orderKey' | 'lastMessage'> {
  const { headSeq, orderKey, lastMessage } = record;
  if (message.seq < headSeq) return { headSeq, orderKey, lastMessage };
  return { headSeq: message.seq, orderKey: message.orderKey, lastMessage: message };
}

function differs(a: Conversation, b: Conversation): boolean {
  return (
    a.name !== b.name ||
    a.avatarUrl !== b.avatarUrl ||
    a.headSeq !== b.headSeq ||
    a.unread !== b.unread ||
    a.readSeq !== b.readSeq
  );
}

import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import * as pb from '../../src/gen/wire/wire_pb.js';

/** What a send became; a conflict when its id was used for another message. */
export interface Appended {
  readonly message: pb.Message;
  readonly outcome: 'stored' | 'duplicate' | 'conflict';
}

/** The peer conversations of a fake server, each a numbered log. */
export class Logs {
  private readonly logs = new Map<string, pb.Message[]>();
  private readonly marks = new Map<string, number>();
  private readonly issued = new WeakMap<pb.Message, bigint | undefined>();

  /** The messages between two users. */
  between(a: string, b: string): pb.Message[] {
    const key = [a, b].sort().join('|');
    const log = this.logs.get(key) ?? [];
    this.logs.set(key, log);
    return log;
  }

  /** Appends a message unless its client message id is known. */
  append(sender: string, send: MessageInitShape<typeof pb.SendMessageSchema> & { conversation: { id: string } }, now: number): Appended {
    const target = send.conversation.id;
    const log = this.between(sender, target);
    const id = send.clientMessageId ?? new Uint8Array();
    // As the server: the time of the first attempt belongs to the id.
    const known = log.find((m) => m.senderId === sender && same(m.clientMessageId, id) && this.issued.get(m) === send.issuedAtMs);
    if (known) return { message: known, outcome: same(known.content, send.content ?? new Uint8Array()) ? 'duplicate' : 'conflict' };
    const stored = send.type !== 2;
    const seq = stored ? log.length + 1 : 0;
    const orderKey = Math.max(now * 1000, Number(log.at(-1)?.orderKey ?? 0n) + 1);
    const { conversation: _to, issuedAtMs: _at, $typeName: _name, ...said } = send as typeof send & { $typeName?: string };
    const message = create(pb.MessageSchema, {
      ...(said as object),
      kind: pb.ConversationKind.PEER,
      senderId: sender,
      targetId: target,
      messageId: stored ? `${[sender, target].sort().join('-')}-${seq}` : `command-${Math.random()}`,
      seq: BigInt(seq),
      orderKey: BigInt(orderKey),
      timestampMs: BigInt(now),
      clientMessageId: id,
    });
    this.issued.set(message, send.issuedAtMs);
    if (stored) log.push(message);
    return { message, outcome: 'stored' };
  }

  /** The answer to a history question of a user. */
  history(user: string, q: pb.QueryMessages): MessageInitShape<typeof pb.QueryMessagesReplySchema> {
    const log = this.between(user, q.conversation?.id ?? '');
    const upper = q.beforeSeq || BigInt(log.length + 1);
    const inside = log.filter((m) => m.seq > q.afterSeq && m.seq < upper);
    const counted = q.newestFirst ? inside.slice(-q.count) : inside.slice(0, q.count);
    const messages = fitting(counted, q.newestFirst, q.maxBytes || Infinity);
    const firstSeq = messages[0]?.seq ?? 0n;
    return { messages, firstSeq, lastSeq: messages.at(-1)?.seq ?? 0n, headSeq: BigInt(log.length) };
  }

  /** A user's mark in a conversation is moved to its head; gives the head. */
  clear(user: string, other: string): number {
    const head = this.between(user, other).length;
    this.marks.set(`${user}>${other}`, head);
    return head;
  }

  /** A user's conversation list, the latest first. */
  list(user: string, names: (id: string) => string): MessageInitShape<typeof pb.ConversationSchema>[] {
    const all = [...this.logs.entries()].filter(([key, log]) => log.length > 0 && key.split('|').includes(user));
    const entries = all.map(([key, log]) => {
      const [a = '', b = ''] = key.split('|');
      const other = a === user ? b : a;
      const readSeq = this.marks.get(`${user}>${other}`) ?? 0;
      const unread = log.filter((m) => m.senderId !== user && Number(m.seq) > readSeq).length;
      const last = log.at(-1) as pb.Message;
      return {
        ref: { kind: pb.ConversationKind.PEER, id: other },
        name: names(other),
        headSeq: last.seq,
        unread: BigInt(unread),
        readSeq: BigInt(readSeq),
        orderKey: last.orderKey,
        lastMessage: last,
      };
    });
    return entries.sort((x, y) => Number(y.orderKey - x.orderKey));
  }
}

// What fits the bytes, from the end that was asked for, and at least one.
function fitting(messages: pb.Message[], newest: boolean, bytes: number): pb.Message[] {
  const ordered = newest ? [...messages].reverse() : messages;
  let size = 0;
  const kept = ordered.filter((m, i) => (size += m.content.length + 256) <= bytes || i === 0);
  return newest ? kept.reverse() : kept;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

import type { MessageInitShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as pb from '../../src/gen/wire/wire_pb.js';
import type { WebSocketConstructor } from '../../src/socket.js';
import { Logs } from './log.js';
import type { Peer } from './socket.js';
import { fakeWebSocket } from './socket.js';

type Body = NonNullable<MessageInitShape<typeof pb.ServerFrameSchema>['body']>;
type Refusal = MessageInitShape<typeof pb.ErrorSchema>;

/** What a message says. */
export const contentOf = (message: { readonly content: Uint8Array } | undefined): pb.Content =>
  fromBinary(pb.ContentSchema, message?.content ?? new Uint8Array());

/** One connection, as the server sees it. */
export interface Conn {
  readonly peer: Peer;
  user: string;
  hello: pb.Hello | undefined;
  /** When its line will have carried what was sent on it. */
  freeAt: number;
}

/** What happens to a push: its delay in milliseconds, or that it is lost. */
export type PushFate = number | 'lost';

/** The largest frame that a server takes, as the real one. */
export const FRAME_BYTES: number = 64 * 1024;

/** The server clock runs this far ahead of the device's. */
export const CLOCK_AHEAD: number = 3_600_000;

/**
 * A server in this process that speaks the wire contract. Its fields make it
 * misbehave.
 */
export class FakeServer {
  readonly latencyMs: number = 1;
  readonly logs: Logs = new Logs();
  readonly names: Map<string, string> = new Map();
  readonly conns: Set<Conn> = new Set();
  readonly WebSocket: WebSocketConstructor = fakeWebSocket(this);

  /** Addresses that clients tried. */
  readonly dialled: string[] = [];
  /** All hellos and sends that came in. */
  readonly hellos: pb.Hello[] = [];
  readonly sends: pb.SendMessage[] = [];
  readonly asked: string[] = [];

  /** What a welcome tells of other nodes. */
  servers: string[] = [];

  /** When a newer connection of a device ends the older one: the real server does both. */
  replaces: 'before' | 'after' = 'before';
  /** How fast a connection carries frames to its client; what comes later queues, pongs too. */
  bytesPerSecond: number = Infinity;

  down: boolean = false;
  silent: boolean = false;
  refuseHello: ((hello: pb.Hello) => Refusal | undefined) | undefined;
  /** Called before any request but hello is taken: a refusal, or 'swallow' for no answer at all. */
  onRequest: ((kind: string, requestID: Uint8Array) => Refusal | 'swallow' | undefined) | undefined;
  /** How late a reply comes, by the name of its frame: it was made before, and others may overtake it. */
  replyDelay: (kind: string) => number = () => 0;
  /** Called before a send is taken: a refusal, or 'swallow' for no answer at all. */
  onSend: ((send: pb.SendMessage, conn: Conn) => Refusal | 'swallow' | undefined) | undefined;
  /** How late the answer to a send comes; 'cut' ends the connection instead. */
  ackFate: (message: pb.Message) => number | 'cut' = () => 0;
  /** How late the answer to any other request comes: answers overtake each other. */
  replyFate: () => number = () => 0;
  pushFate: (message: pb.Message, conn: Conn) => PushFate = () => 0;

  /** Server time now. */
  now(): number {
    return Date.now() + CLOCK_AHEAD;
  }

  accepts(url: string): boolean {
    this.dialled.push(url);
    return !this.down;
  }

  opened(peer: Peer): void {
    this.conns.add({ peer, user: '', hello: undefined, freeAt: 0 });
  }

  closed(peer: Peer): void {
    const conn = this.connOf(peer);
    if (conn) this.conns.delete(conn);
  }

  received(peer: Peer, data: Uint8Array): void {
    const conn = this.connOf(peer);
    if (!conn || this.silent) return;
    if (data.length > FRAME_BYTES) return peer.close(1009);
    const frame = fromBinary(pb.ClientFrameSchema, data);
    const kind = frame.body.case ?? 'none';
    this.asked.push(kind);
    const verdict = kind === 'hello' ? undefined : this.onRequest?.(kind, frame.requestId);
    if (verdict === 'swallow') return;
    if (verdict) return this.reply(conn, frame.id, { case: 'error', value: verdict });
    try {
      this.handle(conn, frame.id, frame.body);
    } catch (error) {
      this.reply(conn, frame.id, { case: 'error', value: { code: 6000007, message: String(error) } });
    }
  }

  /** A message of a user, as if sent from elsewhere; pushed to the other user. */
  post(sender: string, target: string, text: string, type = 1): pb.Message {
    const send = {
      conversation: { id: target },
      type,
      content: toBinary(pb.ContentSchema, create(pb.ContentSchema, { body: new TextEncoder().encode(text) })),
      clientMessageId: crypto.getRandomValues(new Uint8Array(16)),
    };
    const { message } = this.logs.append(sender, send, this.now());
    this.push(message, undefined);
    return message;
  }

  /** Sends a push to all connections of a user. */
  tell(user: string, body: Body): void {
    for (const conn of this.conns) if (conn.user === user) this.reply(conn, 0, body);
  }

  /** Ends all connections, or a user's, as a killed process would. */
  cut(code = 1006, user?: string): void {
    for (const conn of [...this.conns]) if (user === undefined || conn.user === user) conn.peer.close(code);
  }

  /** The device that logged in last, by user. */
  private readonly devices = new Map<string, string>();

  private connOf(peer: Peer): Conn | undefined {
    return [...this.conns].find((conn) => conn.peer === peer);
  }

  private handle(conn: Conn, id: number, body: pb.ClientFrame['body']): void {
    switch (body.case) {
      case 'hello':
        return this.hello(conn, id, body.value);
      case 'ping':
        return this.reply(conn, id, { case: 'ping', value: { serverTimeMs: BigInt(this.now()) } });
      case 'sendMessage':
        return this.send(conn, id, body.value);
      case 'queryMessages':
        return this.reply(conn, id, { case: 'queryMessages', value: this.logs.history(conn.user, body.value) }, this.replyFate());
      case 'listConversations':
        return this.list(conn, id, body.value);
      case 'clearUnread':
        return this.clear(conn, id, body.value);
      case 'renewToken':
        return this.reply(conn, id, { case: 'renewToken', value: { tokenExpiresAtMs: BigInt(this.now() + 86_400_000) } }, this.replyFate());
      case 'goodbye':
        return conn.peer.close(1000);
    }
  }

  private hello(conn: Conn, id: number, hello: pb.Hello): void {
    this.hellos.push(hello);
    const refusal = this.refuseHello?.(hello);
    if (refusal) {
      this.reply(conn, id, { case: 'error', value: refusal });
      return conn.peer.close(refusal.retryable ? 4429 : 4401);
    }
    if (hello.resume && this.devices.get(hello.userId) !== hello.deviceId) return this.kick(conn);
    this.devices.set(hello.userId, hello.deviceId);
    const others = [...this.conns].filter((other) => other.user === hello.userId);
    if (this.replaces === 'before') this.endOthers(others, hello.deviceId);
    conn.user = hello.userId;
    conn.hello = hello;
    this.welcome(conn, id);
    if (this.replaces === 'after') this.endOthers(others, hello.deviceId);
  }

  // One device a user; of a device the newest connection.
  private endOthers(others: Conn[], deviceID: string): void {
    for (const other of others) {
      if (other.hello?.deviceId === deviceID) other.peer.close(1000);
      else this.kick(other);
      this.conns.delete(other);
    }
  }

  private kick(conn: Conn): void {
    this.reply(conn, 0, { case: 'kicked', value: { reason: 1 } });
    conn.peer.close(4409);
  }

  private welcome(conn: Conn, id: number): void {
    this.reply(conn, id, {
      case: 'hello',
      value: {
        protocolVersion: 1,
        serverTimeMs: BigInt(this.now()),
        tokenExpiresAtMs: BigInt(this.now() + 86_400_000),
        heartbeatIntervalMs: 10_000,
        heartbeatTimeoutMs: 35_000,
        servers: this.servers,
        limits: { textBytes: 100, customBytes: 100, commandBytes: 50, extendedDataBytes: 20, searchedContentBytes: 10, mentions: 3, frameBytes: FRAME_BYTES, inFlight: 16 },
      },
    });
  }

  private send(conn: Conn, id: number, send: pb.SendMessage): void {
    this.sends.push(send);
    const verdict = this.onSend?.(send, conn);
    if (verdict === 'swallow') return;
    if (verdict) return this.reply(conn, id, { case: 'error', value: verdict });
    if (Number(send.issuedAtMs) > this.now() + 300_000) return this.reply(conn, id, { case: 'error', value: { code: 6000001, message: 'Issued later.' } });
    const { message, outcome } = this.logs.append(conn.user, send as typeof send & { conversation: { id: string } }, this.now());
    if (outcome === 'conflict') return this.reply(conn, id, { case: 'error', value: { code: 6009002, message: 'Used for another message.' } });
    if (outcome === 'stored') this.push(message, conn);
    const fate = this.ackFate(message);
    if (fate === 'cut') return conn.peer.close(1006);
    const { messageId, seq, orderKey, timestampMs } = message;
    this.reply(conn, id, { case: 'sendMessage', value: { messageId, seq, orderKey, timestampMs, duplicate: outcome === 'duplicate' } }, fate);
  }

  private push(message: pb.Message, from: Conn | undefined): void {
    for (const conn of this.conns) {
      if (conn === from || (conn.user !== message.senderId && conn.user !== message.targetId)) continue;
      const fate = this.pushFate(message, conn);
      if (fate !== 'lost') this.reply(conn, 0, { case: 'message', value: message }, fate);
    }
  }

  private list(conn: Conn, id: number, q: pb.ListConversations): void {
    let entries = this.logs.list(conn.user, (user) => this.names.get(user) ?? '');
    const totalUnread = entries.reduce((sum, entry) => sum + (entry.unread ?? 0n), 0n);
    if (q.only.length > 0) {
      entries = entries.filter((entry) => q.only.some((ref) => ref.id === entry.ref?.id));
    } else {
      entries = entries.filter((entry) => (entry.lastMessage?.timestampMs ?? 0n) >= q.changedSinceMs);
      if (q.before) entries = entries.filter((entry) => (entry.orderKey ?? 0n) < q.beforeOrderKey);
    }
    const conversations = q.only.length > 0 ? entries : entries.slice(0, q.count);
    const complete = conversations.length === entries.length;
    this.reply(conn, id, { case: 'listConversations', value: { conversations, complete, ...(q.only.length > 0 ? {} : { totalUnread }) } }, this.replyFate());
  }

  private clear(conn: Conn, id: number, q: pb.ClearUnread): void {
    const other = q.conversation?.id ?? '';
    const readSeq = BigInt(this.logs.clear(conn.user, other));
    this.reply(conn, id, { case: 'clearUnread', value: { conversation: { kind: 1, id: other }, readSeq } }, this.replyFate());
  }

  private reply(conn: Conn, replyTo: number, body: Body, delayMs = 0): void {
    const frame = toBinary(pb.ServerFrameSchema, create(pb.ServerFrameSchema, { replyTo, body }));
    const now = Date.now();
    conn.freeAt = Math.max(now, conn.freeAt) + (frame.length * 1000) / this.bytesPerSecond;
    const late = replyTo === 0 ? 0 : this.replyDelay(body.case ?? 'none');
    conn.peer.send(frame, Math.max(delayMs + late, Math.round(conn.freeAt - now)));
  }
}

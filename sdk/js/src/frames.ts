import type { Conversation, ConversationRef, Limits, Message, MessageContent } from './domain.js';
import type * as wire from './gen/wire/wire.js';

// The frames of the wire contract as this side uses them: those of
// gen/wire/wire.ts, with messages as their viewer sees them, and without what
// codec.ts fills in.

/** The version of the contract that this client speaks. */
export const PROTOCOL_VERSION = 1;

export type Hello = Omit<wire.Hello, 'protocolVersion' | 'capabilities'>;

export interface SendRequest extends MessageContent {
  readonly conversation: ConversationRef;
  /** The time of the first attempt is part of it; see messageid.ts. */
  readonly clientMessageID: string;
}

export interface HistoryRequest extends Omit<wire.QueryMessages, 'conversation' | 'maxBytes'> {
  readonly conversation: ConversationRef;
  /** About how large the page may be; absent is the server's own limit. */
  readonly maxBytes?: number;
}

/**
 * How large the pages are that this client asks for: they go through a slow
 * line (10 KB/s) faster than a connection is given up as dead.
 */
export const PAGE_BYTES: number = 64 * 1024;

export interface ListRequest {
  readonly count: number;
  readonly before?: { readonly orderKey: number; readonly ref: ConversationRef };
  readonly changedSince?: number;
  readonly only?: readonly ConversationRef[];
}

/** The requests of the wire, by method. */
export type WireRequests = { [B in NonNullable<wire.ClientFrame['body']> as B['kind']]: B['value'] };

/** The requests by method, where they are not those of the wire: codec.ts completes them. */
export interface OwnRequests {
  hello: Hello;
  sendMessage: SendRequest;
  queryMessages: HistoryRequest;
  listConversations: ListRequest;
  clearUnread: { readonly conversation: ConversationRef };
}

/** What a client asks, by method. */
export type Requests = Omit<WireRequests, keyof OwnRequests> & OwnRequests;

export type RequestKind = keyof Requests;

export interface Welcome extends Omit<wire.HelloReply, 'limits'> {
  readonly limits: Limits;
}

export interface HistoryPage extends Omit<wire.QueryMessagesReply, 'messages'> {
  readonly messages: readonly Message[];
}

export interface ConversationPage extends Omit<wire.ListConversationsReply, 'conversations'> {
  readonly conversations: readonly Conversation[];
}

export interface UnreadCleared extends wire.ClearUnreadReply {
  readonly conversation: ConversationRef;
}

/** The replies by method, where they are not those of the wire. */
interface SeenReplies {
  hello: Welcome;
  queryMessages: HistoryPage;
  listConversations: ConversationPage;
  clearUnread: UnreadCleared;
}

/** What a server says unasked, where it is not as on the wire. */
interface SeenPushes {
  message: Message;
  unreadChanged: UnreadCleared;
}

/** What a server says unasked, by the name of the frame. */
export type Pushes = Omit<wire.Pushes, keyof SeenPushes> & SeenPushes;

/** What a server says, by the name of the frame; a reply has the name of its request. */
export type ServerBodies = Omit<wire.Replies & wire.Pushes, keyof (SeenReplies & SeenPushes)> & SeenReplies & SeenPushes & { error: wire.Error };

/** A body with its name; undefined is a frame of a newer server. */
export type ServerBody =
  | { [K in keyof ServerBodies]: { readonly kind: K; readonly value: ServerBodies[K] } }[keyof ServerBodies]
  | undefined;

export interface ServerFrame {
  readonly replyTo: number;
  readonly body: ServerBody;
}

/** Requests that RequestTable asks: all but the first and the last of a connection. */
export type AskKind = Exclude<RequestKind, 'hello' | 'goodbye'>;

/** The answer to a request of the given name. */
export type Reply<K extends AskKind> = ServerBodies[K];

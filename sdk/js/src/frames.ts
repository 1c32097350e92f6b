import type { Conversation, ConversationRef, Limits, Message, MessageContent, Sent } from './domain.js';

// The frames of the wire contract in plain JavaScript terms: numbers instead
// of BigInt, hexadecimal client message ids. proto/wire/wire.proto explains
// the fields; codec.ts converts.

/** The version of the contract that this client speaks. */
export const PROTOCOL_VERSION = 1;

export interface Hello {
  readonly appID: number;
  readonly userID: string;
  readonly token: string;
  readonly userName: string;
  readonly avatarUrl: string;
  readonly deviceID: string;
  readonly platform: string;
  readonly resume: boolean;
}

export interface SendRequest extends MessageContent {
  readonly conversation: ConversationRef;
  /** The time of the first attempt is part of it; see messageid.ts. */
  readonly clientMessageID: string;
}

export interface HistoryRequest {
  readonly conversation: ConversationRef;
  readonly afterSeq: number;
  readonly beforeSeq: number;
  readonly count: number;
  readonly newestFirst: boolean;
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

/** What a client asks, by the name of the frame. */
export interface Requests {
  hello: Hello;
  ping: Record<string, never>;
  send: SendRequest;
  history: HistoryRequest;
  listConversations: ListRequest;
  clearUnread: { readonly conversation: ConversationRef };
  renewToken: { readonly token: string };
  goodbye: Record<string, never>;
}

export type RequestKind = keyof Requests;

export interface Refusal {
  readonly code: number;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number;
}

export interface Welcome {
  readonly serverTime: number;
  readonly tokenExpiresAt: number;
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  /** Origins of nodes where this client may go as well. */
  readonly servers: readonly string[];
  readonly limits: Limits;
  readonly userName: string;
  readonly avatarUrl: string;
}

export interface HistoryPage {
  readonly messages: readonly Message[];
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly headSeq: number;
}

export interface ConversationPage {
  readonly conversations: readonly Conversation[];
  /** Of all conversations; undefined when only some were asked for. */
  readonly totalUnread: number | undefined;
  readonly complete: boolean;
}

export interface UnreadCleared {
  readonly conversation: ConversationRef;
  readonly readSeq: number;
}

export type KickReason = 'otherDevice' | 'tokenExpired';

/** What a server says, by the name of the frame. */
export interface ServerBodies {
  error: Refusal;
  welcome: Welcome;
  pong: { readonly serverTime: number };
  sent: Sent;
  historyPage: HistoryPage;
  conversationPage: ConversationPage;
  unreadCleared: UnreadCleared;
  tokenRenewed: { readonly tokenExpiresAt: number };
  message: Message;
  behind: Record<string, never>;
  kicked: { readonly reason: KickReason };
  tokenExpiring: { readonly seconds: number };
  unreadChanged: UnreadCleared;
  /** The node is going away: move to another one within a time. */
  reconnect: { readonly afterMs: number };
}

/** A body with its name; undefined is a frame of a newer server. */
export type ServerBody =
  | { [K in keyof ServerBodies]: { readonly kind: K; readonly value: ServerBodies[K] } }[keyof ServerBodies]
  | undefined;

export interface ServerFrame {
  readonly replyTo: number;
  readonly body: ServerBody;
}

/** The name of the frame that answers each request, hello apart. */
export interface ReplyKinds {
  ping: 'pong';
  send: 'sent';
  history: 'historyPage';
  listConversations: 'conversationPage';
  clearUnread: 'unreadCleared';
  renewToken: 'tokenRenewed';
}

export const replyKinds: ReplyKinds = {
  ping: 'pong',
  send: 'sent',
  history: 'historyPage',
  listConversations: 'conversationPage',
  clearUnread: 'unreadCleared',
  renewToken: 'tokenRenewed',
};

/** Requests that have an answer. */
export type AskKind = keyof ReplyKinds;

/** The answer to a request of the given name. */
export type Reply<K extends AskKind> = ServerBodies[ReplyKinds[K]];

/**
 * The core client of Parley, `parley-chat/core`: typed, small, without the
 * names of the ZIM surface, which the package's root puts on top of it.
 */
export { ChatClient } from './client.js';
export type { ChatClientOptions, Draft } from './client.js';
export type { ConnectionState, Login, StateChange } from './connection.js';
export type { ConversationChange } from './conversations.js';
export { MessageType } from './domain.js';
export type { Conversation, ConversationKind, ConversationRef, Limits, Message, MessageContent } from './domain.js';
export type { EndReason } from './ending.js';
export { ChatError, Code, ParleyErrorCode } from './errors.js';
export type { ChatErrorDetails } from './errors.js';
export type { ChatClientEvents } from './events.js';
export type { ConversationPage, HistoryPage, HistoryRequest, ListRequest, Reply, Requests, Welcome } from './frames.js';
export type { GetToken } from './provider.js';
export type { WebSocketConstructor, WebSocketLike } from './socket.js';
export type { Log, LogEntry, LogLevel } from './log.js';
export { VERSION } from './version.js';

/**
 * The error numbers that the core itself gives out or acts on. They are those
 * of ZIMErrorCode; everything else that a server says is handed on unchanged.
 */
export const Code = {
  InvalidParam: 6000001,
  NotInitialized: 6000002,
  InvalidAppID: 6000003,
  Busy: 6000005,
  Internal: 6000007,
  Unsupported: 6000013,
  LoginRefused: 6000101,
  Unavailable: 6000102,
  TokenInvalid: 6000103,
  Network: 6000104,
  Timeout: 6000105,
  TokenExpired: 6000106,
  TokenVersion: 6000107,
  TokenTooShort: 6000108,
  BadReply: 6000109,
  OtherUserLoggedIn: 6000111,
  NotLoggedIn: 6000121,
  LoggedOutByOther: 6000122,
  NoConversation: 6000603,
} as const;

/** Numbers that only Parley gives out; ZIMErrorCode knows nothing of them. */
export enum ParleyErrorCode {
  /** The retry comes too late to tell it from a new message. */
  DedupeWindowPassed = 6009001,
  /** The client message id was used before, for another content. */
  ClientMessageIDConflict = 6009002,
  /** A frame that the server does not know. */
  UnknownFrame = 6009003,
  /** A frame that the server cannot decode or does not take. */
  MalformedFrame = 6009004,
  /** A protocol version that the server does not speak. */
  ProtocolVersionUnsupported = 6009005,
  /** The user has no such message in the conversation. */
  NoSuchMessage = 6009006,
}

/** What a failure tells beside its code and sentence. */
export interface ChatErrorDetails {
  /** True when the same request may succeed later unchanged. */
  readonly retryable?: boolean;
  /** How long to wait before that, in milliseconds. */
  readonly retryAfterMs?: number;
}

/**
 * A numbered refusal. Every promise of this package that rejects, rejects with
 * one of these: `code` is for programs, `message` for developers.
 */
export class ChatError extends Error {
  readonly code: number;
  readonly retryable: boolean;
  readonly retryAfterMs: number;

  constructor(code: number, message: string, details: ChatErrorDetails = {}) {
    super(message);
    this.name = 'ChatError';
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs ?? 0;
  }
}

/** The connection went away before the answer came: the outcome is unknown. */
export function connectionLost(): ChatError {
  return new ChatError(Code.Network, 'The connection was lost.', { retryable: true });
}

/** Gives any thrown value as a ChatError; a foreign one becomes Internal. */
export function asChatError(reason: unknown): ChatError {
  if (reason instanceof ChatError) return reason;
  return new ChatError(Code.Internal, reason instanceof Error ? reason.message : String(reason));
}

import { ChatError, Code } from './errors.js';

/** Why a login ended. */
export type EndReason = 'logout' | 'refused' | 'kicked' | 'tokenExpired';

/** The end of a login that this side did not ask for. */
export interface End {
  readonly reason: EndReason;
  readonly error: ChatError;
}

/** Close codes that act beyond their link. */
export const CLOSE = { refused: 4401, kicked: 4409, tokenExpired: 4410, overloaded: 4429 } as const;

/** The end that a refusal of hello means; undefined for one that waiting may cure. */
export function endOfRefusal(refusal: ChatError, wasWelcomed: boolean): End | undefined {
  if (refusal.retryable || TRANSIENT.has(refusal.code)) return undefined;
  return { reason: reasonOf(refusal.code, wasWelcomed), error: refusal };
}

const TRANSIENT = new Set<number>([Code.Busy, Code.Internal, Code.Unavailable, Code.Network, Code.Timeout]);

// A token that has become too short-lived while the login lasted has, for the
// app, expired.
function reasonOf(code: number, wasWelcomed: boolean): EndReason {
  if (code === Code.TokenExpired) return 'tokenExpired';
  if (code === Code.TokenTooShort && wasWelcomed) return 'tokenExpired';
  if (code === Code.LoggedOutByOther) return 'kicked';
  return 'refused';
}

/** The end that a close code alone means, if any: the frame before it may be lost. */
export function endOfClose(code: number): End | undefined {
  switch (code) {
    case CLOSE.refused:
      return { reason: 'refused', error: new ChatError(Code.LoginRefused, 'The server refused the login.') };
    case CLOSE.kicked:
      return { reason: 'kicked', error: new ChatError(Code.LoggedOutByOther, 'Another device has logged in.') };
    case CLOSE.tokenExpired:
      return { reason: 'tokenExpired', error: new ChatError(Code.TokenExpired, 'The token has expired.') };
    default:
      return undefined;
  }
}

/** Whether another token may lead to another answer. */
export function blamesToken(error: ChatError): boolean {
  return TOKEN_CODES.has(error.code);
}

const TOKEN_CODES = new Set<number>([
  Code.InvalidParam, // it is too long to be carried
  Code.LoginRefused,
  Code.TokenInvalid,
  Code.TokenExpired,
  Code.TokenVersion,
  Code.TokenTooShort,
]);

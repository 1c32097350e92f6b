import { ChatError, Code } from './errors.js';

/** Why a login ended. */
export type EndReason = 'logout' | 'refused' | 'kicked' | 'tokenExpired';

/** Whether a refusal of hello ends the login: waiting does not cure it. */
export function isFinal(refusal: ChatError): boolean {
  return !refusal.retryable && !TRANSIENT.has(refusal.code);
}

const TRANSIENT = new Set<number>([Code.Busy, Code.Internal, Code.Unavailable, Code.Network, Code.Timeout]);

/**
 * What a final refusal means. A token that has become too short-lived while
 * the login lasted has, for the app, expired.
 */
export function endOfRefusal(refusal: ChatError, wasWelcomed: boolean): EndReason {
  if (refusal.code === Code.TokenExpired) return 'tokenExpired';
  if (refusal.code === Code.TokenTooShort && wasWelcomed) return 'tokenExpired';
  if (refusal.code === Code.LoggedOutByOther) return 'kicked';
  return 'refused';
}

/** The end that a close code alone tells, if any: the frame before it may be lost. */
export function endOfClose(code: number): { reason: EndReason; error: ChatError } | undefined {
  switch (code) {
    case 4401:
      return { reason: 'refused', error: new ChatError(Code.LoginRefused, 'The server refused the login.') };
    case 4409:
      return { reason: 'kicked', error: new ChatError(Code.LoggedOutByOther, 'Another device has logged in.') };
    case 4410:
      return { reason: 'tokenExpired', error: new ChatError(Code.TokenExpired, 'The token has expired.') };
    default:
      return undefined;
  }
}

import { ChatError, Code } from '../../errors.js';

/**
 * Checks the outer form of a token, as far as that can be done without the
 * secret: a token04 or a JWT. Throws ChatError TokenInvalid or TokenVersion.
 */
export function checkTokenForm(token: unknown): asserts token is string {
  if (typeof token === 'string' && (JWT.test(token) || isToken04(token))) return;
  if (typeof token === 'string' && OTHER_VERSION.test(token)) {
    throw new ChatError(Code.TokenVersion, 'Token version number is wrong: it must begin with 04.');
  }
  throw new ChatError(Code.TokenInvalid, 'Token is invalid: neither a token04 nor a JWT.');
}

// A JWT begins with the base64url form of {".
const JWT = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/;
const OTHER_VERSION = /^0[0-35-9]/;
const TOKEN04 = /^04[A-Za-z0-9+/]+={0,2}$/;

// Expiry 8, lengths 2 + 2, and the shorter of the two forms: nonce 12, tag 16, mode 1.
const LEAST_BYTES = 41;

function isToken04(token: string): boolean {
  return TOKEN04.test(token) && Math.floor(((token.replace(/=+$/, '').length - 2) * 3) / 4) >= LEAST_BYTES;
}

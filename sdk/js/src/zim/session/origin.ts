import { ChatError, Code } from '../../errors.js';

/**
 * The server of an app that named none: the global PARLEY_SERVER, else where
 * the page came from.
 */
export function defaultServer(): string | readonly string[] {
  const scope = globalThis as { PARLEY_SERVER?: string | readonly string[]; location?: { origin?: string } };
  if (scope.PARLEY_SERVER !== undefined) return scope.PARLEY_SERVER;
  const origin = scope.location?.origin;
  if (origin !== undefined && origin.startsWith('http')) return origin;
  throw new ChatError(Code.InvalidParam, 'No server: give create a server, or set globalThis.PARLEY_SERVER.');
}

import type { PlainKey } from '../i18n';

/** The page's own code for a request that never reached the server (ZIM's "network error"). */
export const networkFailure = 6000104;

const phrases: Readonly<Record<number, PlainKey>> = {
  6000001: 'error.invalid',
  6000003: 'error.appID',
  6000005: 'error.busy',
  6000101: 'error.token',
  6000102: 'error.network',
  6000103: 'error.token',
  6000104: 'error.network',
  6000105: 'error.network',
  6000106: 'error.expired',
  6000107: 'error.token',
  6000108: 'error.expired',
  6000121: 'error.signedOut',
  6000204: 'error.target',
  6009001: 'error.dedupe',
};

/** Tokens that a fresh one replaces. */
const stale = new Set([6000101, 6000103, 6000106, 6000108]);

/** Outcomes that say nothing about the message itself, only that there was no login or no connection: it goes out when that is back. */
const worthQueueing = new Set([6000102, 6000104, 6000105, 6000106, 6000121, 6000122, 6000123]);

/** The ZIM error code of a rejection; 0 when it carries none. */
export function codeOf(error: unknown): number {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number' ? error.code : 0;
}

/** The phrase that tells a user what a code means; undefined for codes without one. */
export function phraseOf(code: number): PlainKey | undefined {
  return phrases[code];
}

export function isStaleToken(code: number): boolean {
  return stale.has(code);
}

export function isWorthQueueing(code: number): boolean {
  return worthQueueing.has(code);
}

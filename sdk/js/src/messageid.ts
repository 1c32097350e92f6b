import { randomHex } from './hex.js';

// A client message id is 16 bytes, written as 32 hexadecimal digits: the
// server time of the first attempt in milliseconds, 6 bytes, then 10 random
// bytes. The server tells a retry by the id and that time, so whoever kept the
// id can send the message again: another login, another tab, after a reload.

const TIME_DIGITS = 12;
const FORM = /^[0-9a-f]{32}$/;

/** A new id for a message whose first attempt is made at this server time. */
export function newMessageID(issuedAt: number): string {
  return issuedAt.toString(16).padStart(TIME_DIGITS, '0') + randomHex(10);
}

/** The server time of the first attempt, which an id carries. */
export function issuedAtOf(id: string): number {
  return parseInt(id.slice(0, TIME_DIGITS), 16);
}

/** Whether a value has the form of an id. */
export function isMessageID(value: unknown): value is string {
  return typeof value === 'string' && FORM.test(value);
}

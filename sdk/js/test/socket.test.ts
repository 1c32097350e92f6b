import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { WebSocketLike } from '../src/socket.js';
import { Socket } from '../src/socket.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A WebSocket that does what the test does with it. */
class Scripted implements WebSocketLike {
  static last: Scripted;
  binaryType = '';
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;

  constructor() {
    Scripted.last = this;
  }

  send(): void {}
  close(): void {}

  happen(type: 'open' | 'message' | 'close' | 'error', event: object = {}): void {
    this[`on${type}`]?.(event as never);
  }
}

function open(): { seen: unknown[]; ws: Scripted } {
  const seen: unknown[] = [];
  new Socket(Scripted, 'ws://fake', {
    opened: () => seen.push('opened'),
    received: (data) => seen.push([...data]),
    closed: (code) => seen.push(code),
  });
  return { seen, ws: Scripted.last };
}

it('takes an error without a close for the end, as a refused connection gives in Node 20', () => {
  const { seen, ws } = open();
  ws.happen('error');
  vi.runAllTimers();
  expect(seen).toEqual([1006]);
});

it('gives the code of the close that follows an error', () => {
  const { seen, ws } = open();
  ws.happen('open');
  ws.happen('error');
  ws.happen('close', { code: 1009 });
  vi.runAllTimers();
  expect(seen).toEqual(['opened', 1009]);
});

it('takes bytes of every kind and realm', () => {
  const { seen, ws } = open();
  const whole = new Uint8Array([0, 1, 2, 3]);
  for (const data of [whole.buffer, whole.subarray(1, 3), new DataView(whole.buffer, 2), runInNewContext('new Uint8Array([7, 8]).buffer'), runInNewContext('new Uint8Array([9])')]) {
    ws.happen('message', { data });
  }
  expect(seen).toEqual([[0, 1, 2, 3], [1, 2], [2, 3], [7, 8], [9]]);
});

it.each([['text'], [{ byteLength: 3 }], [null]])('ends a connection that brings %o', (data) => {
  const { seen, ws } = open();
  ws.happen('message', { data });
  expect(seen).toEqual([1003]);
});

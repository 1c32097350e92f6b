import { describe, expect, it } from 'vitest';
import type { Message } from '../src/domain.js';
import { Stream } from '../src/stream.js';

function message(seq: number): Message {
  return { seq } as Message;
}

function seqs(stream: Stream): number[] {
  return stream.take().map((m) => m.seq);
}

describe('a stream', () => {
  it('gives nothing out before its beginning is known, unless it begins with 1', () => {
    const stream = new Stream();
    stream.pushed(message(5));
    expect(seqs(stream)).toEqual([]);
    stream.cursor = 4;
    expect(seqs(stream)).toEqual([5]);
    const fresh = new Stream();
    fresh.pushed(message(1));
    expect(seqs(fresh)).toEqual([1]);
  });

  it('holds what comes too early and tells the gap before it', () => {
    const stream = new Stream();
    stream.cursor = 10;
    stream.pushed(message(13));
    stream.pushed(message(14));
    expect(seqs(stream)).toEqual([]);
    expect(stream.gap()).toEqual({ after: 10, before: 13 });
    stream.fill(11, message(11));
    stream.fill(12, null);
    expect(seqs(stream)).toEqual([11, 13, 14]);
    expect(stream.gap()).toBeUndefined();
  });

  it('gives each number out once', () => {
    const stream = new Stream();
    stream.cursor = 0;
    for (const seq of [1, 1, 2, 1, 2]) stream.pushed(message(seq));
    expect(seqs(stream)).toEqual([1, 2]);
    stream.pushed(message(2));
    expect(seqs(stream)).toEqual([]);
    expect(stream.lowestHeld()).toBe(0);
  });

  it('an answered own number stays skipped when history shows it', () => {
    const stream = new Stream();
    stream.cursor = 0;
    stream.fill(2, null);
    stream.fill(1, message(1));
    stream.fill(2, message(2));
    expect(seqs(stream)).toEqual([1]);
  });

  it('does not hold more than a thousand pushes, and asks for the others afterwards', () => {
    const stream = new Stream();
    stream.cursor = 0;
    for (let seq = 2; seq <= 1500; seq++) stream.pushed(message(seq));
    expect(stream.gap()).toEqual({ after: 0, before: 2 });
    stream.fill(1, message(1));
    expect(seqs(stream)).toHaveLength(1001);
    expect(stream.gap()).toEqual({ after: 1001, before: 0 });
  });

  it('skips what is gone', () => {
    const stream = new Stream();
    stream.cursor = 2;
    stream.pushed(message(9));
    stream.skipTo(8);
    expect(seqs(stream)).toEqual([9]);
  });
});

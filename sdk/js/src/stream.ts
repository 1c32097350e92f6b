import type { Message } from './domain.js';

/** A stretch of numbers that is missing: after < seq < before (0: no bound). */
export interface Gap {
  readonly after: number;
  readonly before: number;
}

/**
 * The order of one conversation: takes messages as they come, gives them out
 * by seq, each once.
 *
 * Invariants: everything up to `cursor` has been given out or is to be passed
 * over; held numbers are above it. While `cursor` is undefined nobody knows
 * yet where this login's part of the conversation begins, and nothing is given
 * out.
 */
export class Stream {
  cursor: number | undefined;

  // A null is a number that has no message for the app: an own message whose
  // answer has come, or an entry that is hidden from this user.
  private readonly held = new Map<number, Message | null>();
  private target = 0;

  /**
   * Takes a message that came by itself. With too many held already it is only
   * noted as existing, to be fetched later.
   */
  pushed(message: Message): void {
    if (this.held.size < MAX_HELD) this.fill(message.seq, message);
    else this.expect(message.seq);
  }

  /** Takes a fetched message, or null for a number to skip. */
  fill(seq: number, message: Message | null): void {
    if (this.cursor === undefined && seq === 1) this.cursor = 0;
    if (this.cursor !== undefined && seq <= this.cursor) return;
    this.expect(seq);
    if (!this.held.has(seq)) this.held.set(seq, message);
  }

  /** The conversation is known to reach to this seq. */
  expect(headSeq: number): void {
    this.target = Math.max(this.target, headSeq);
  }

  /** Moves the cursor: what is up to here is not to be given out. */
  skipTo(seq: number): void {
    this.cursor = Math.max(seq, this.cursor ?? 0);
    for (const held of [...this.held.keys()]) {
      if (held <= this.cursor) this.held.delete(held);
    }
  }

  /** The highest seq that is known to exist. */
  announced(): number {
    return this.target;
  }

  /** The messages that are next in order. */
  take(): Message[] {
    const ready: Message[] = [];
    if (this.cursor === undefined) return ready;
    for (;;) {
      const next = this.held.get(this.cursor + 1);
      if (next === undefined) return ready;
      this.held.delete(++this.cursor);
      if (next) ready.push(next);
    }
  }

  /** What is missing between the cursor and what is held or announced. */
  gap(): Gap | undefined {
    const after = this.cursor ?? 0;
    if (this.target <= after) return undefined;
    return { after, before: this.lowestHeld() };
  }

  /** The lowest held number; 0 when none is held. */
  lowestHeld(): number {
    return this.held.size === 0 ? 0 : Math.min(...this.held.keys());
  }

  /** Whether a message, and not only a passed-over number, is held. */
  holdsMessage(): boolean {
    for (const message of this.held.values()) if (message) return true;
    return false;
  }
}

// Pushed messages that wait for a gap to be filled.
const MAX_HELD = 1000;

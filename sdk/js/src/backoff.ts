/** Bounds of the waiting time between attempts, in milliseconds. */
export interface BackoffBounds {
  /** Upper bound before the first retry. */
  readonly first: number;
  /** Upper bound that is never exceeded. */
  readonly cap: number;
}

/**
 * Exponential back-off with full jitter: the wait before retry n is drawn
 * evenly from 0 to min(cap, first * 2^n), so that a crowd of clients spreads
 * out instead of returning in waves.
 */
export class Backoff {
  private tries = 0;

  constructor(
    private readonly bounds: BackoffBounds,
    private readonly random: () => number = Math.random,
  ) {}

  /** The number of waits since the last reset. */
  get attempt(): number {
    return this.tries;
  }

  /** The next wait. */
  next(): number {
    const bound = Math.min(this.bounds.cap, this.bounds.first * 2 ** this.tries);
    this.tries++;
    return Math.round(this.random() * bound);
  }

  /** Starts over: the next wait is short again. */
  reset(): void {
    this.tries = 0;
  }
}

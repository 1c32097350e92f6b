/** One timer that is set and stopped again and again: setting it replaces what was set before. */
export class Timer {
  private handle: ReturnType<typeof setTimeout> | undefined;

  /** Whether it is set and has not run yet. */
  get running(): boolean {
    return this.handle !== undefined;
  }

  /** Runs once after this time, in milliseconds; after Infinity it never does. */
  start(ms: number, run: () => void): void {
    this.stop();
    this.handle = setTimeout(() => {
      this.handle = undefined;
      if (ms > MAX_DELAY_MS) this.start(ms - MAX_DELAY_MS, run);
      else run();
    }, Math.min(ms, MAX_DELAY_MS));
  }

  /** Forgets what was to run. */
  stop(): void {
    clearTimeout(this.handle);
    this.handle = undefined;
  }
}

// Above 2^31 - 1 the platform's timers fire at once.
const MAX_DELAY_MS = 2 ** 31 - 1;

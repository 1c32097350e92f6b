/**
 * Tells whether the event loop was held. It goes by the processor time between
 * two turns, not by the clock: on a busy machine a process may stand still for
 * long without being to blame. A loop of promises that waits for time to pass
 * never ends under fake timers; it is found by how often it looks at the clock
 * within one turn, and broken by an exception.
 */
export class Watchdog {
  /** The most processor time that a turn took, in milliseconds; Infinity when a turn did not end by itself. */
  private longestMs = 0;

  private running = true;
  private looks = 0;
  private before = process.cpuUsage();
  private readonly now = performance.now;

  constructor() {
    const { now } = this;
    performance.now = () => {
      if (++this.looks > MAX_LOOKS) {
        this.longestMs = Infinity;
        throw new Error('The event loop is held.');
      }
      return now.call(performance);
    };
    this.turn();
  }

  /** Ends the watch; gives the most processor time that a turn took. */
  stop(): number {
    this.running = false;
    performance.now = this.now;
    this.measure();
    return this.longestMs;
  }

  private turn(): void {
    this.measure();
    if (this.running) realSetImmediate(() => this.turn());
  }

  private measure(): void {
    const { user, system } = process.cpuUsage(this.before);
    this.longestMs = Math.max(this.longestMs, (user + system) / 1000);
    this.before = process.cpuUsage();
    this.looks = 0;
  }
}

// Real also while a test has fake timers.
const realSetImmediate = setImmediate;
const MAX_LOOKS = 10_000;

/**
 * An estimate of the server's clock. It runs on the monotonic clock, so that
 * somebody setting the device's time does not move it between two answers of
 * the server; after a sleep of the device it may run late until the next
 * answer, never early.
 */
export class ServerClock {
  private offset: number | undefined;

  /** Takes a server time that has just arrived. */
  set(serverTime: number): void {
    this.offset = serverTime - performance.now();
  }

  /** Server time now, in whole milliseconds; the device's own before any answer. */
  now(): number {
    return this.offset === undefined ? Date.now() : Math.round(performance.now() + this.offset);
  }
}

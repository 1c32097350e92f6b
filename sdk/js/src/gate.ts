import { ChatError, Code } from './errors.js';
import { Timer } from './timer.js';

interface Waiter {
  /** Whether an open gate lets it through, before its time is up. */
  readonly passes: boolean;
  readonly resolve: () => void;
  readonly reject: (error: ChatError) => void;
}

/**
 * Where the requests of a login wait for the connection: open while there is
 * one, closed while not, and ended with the login. The end reaches everybody
 * who waits, and everybody who comes later.
 */
export class Gate {
  private readonly waiters = new Set<Waiter>();
  private isOpen = false;
  private ended: ChatError | undefined;

  /** Resolves as soon as the gate is open; rejects when that takes longer or the login ends. */
  pass(timeoutMs: number): Promise<void> {
    if (this.isOpen && !this.ended) return Promise.resolve();
    return this.wait(timeoutMs, true);
  }

  /** Resolves after this time; rejects when the login ends before. */
  pause(ms: number): Promise<void> {
    return this.wait(ms, false);
  }

  /** Lets through everybody who waits, and everybody until it is closed. */
  open(): void {
    if (this.ended) return;
    this.isOpen = true;
    for (const waiter of [...this.waiters]) if (waiter.passes) waiter.resolve();
  }

  /** From now on one has to wait. */
  close(): void {
    this.isOpen = false;
  }

  /** Turns everybody away for good. */
  end(error: ChatError): void {
    this.ended = error;
    for (const waiter of [...this.waiters]) waiter.reject(error);
  }

  private wait(ms: number, passes: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(this.ended);
      const timer = new Timer();
      const settle = (done: () => void): void => {
        timer.stop();
        this.waiters.delete(waiter);
        done();
      };
      const waiter: Waiter = {
        passes,
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
      this.waiters.add(waiter);
      if (!passes) timer.start(ms, waiter.resolve);
      else if (ms !== Infinity) timer.start(ms, () => waiter.reject(new ChatError(Code.Network, 'No connection to the server.')));
    });
  }
}

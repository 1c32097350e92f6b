import { Timer } from './timer.js';

/** What a heartbeat needs from its connection. */
export interface HeartbeatPort {
  /** Sends a ping; its answer is heard like every other frame. */
  ping(): void;
  /** Whether replies are due: then a large one may be on its way for long. */
  busy(): boolean;
  /** Nothing was heard for too long. */
  dead(): void;
}

/** How long a heartbeat waits, in milliseconds. */
export interface HeartbeatTiming {
  readonly intervalMs: number;
  /** For anything at all to be heard after a ping. */
  readonly answerMs: number;
  /** The same while replies are due. */
  readonly busyMs: number;
}

/**
 * Pings after each interval and declares the connection dead when nothing is
 * heard afterwards. Any frame proves life: on a slow line the pong comes only
 * after the data that was sent before it. The next ping is set up when something is heard, not by a
 * repeating timer: browsers slow down chains of timers in hidden pages to one a
 * minute, which would look like silence to the server.
 */
export class Heartbeat {
  private readonly next = new Timer();
  // Runs while a ping is out and nothing was heard since.
  private readonly deadline = new Timer();
  private dueAt = 0;

  constructor(
    private readonly port: HeartbeatPort,
    private readonly timing: HeartbeatTiming,
  ) {
    this.schedule();
  }

  /** A frame has come. */
  heard(): void {
    if (this.deadline.running) this.schedule();
  }

  /** Something has to be heard within this time, for instance because the network changed. */
  check(timeoutMs: number): void {
    const now = performance.now();
    if (!this.deadline.running) this.port.ping();
    else if (this.dueAt <= now + timeoutMs) return;
    this.next.stop();
    this.expect(timeoutMs, () => this.port.dead());
  }

  /** Ends the heartbeat. */
  stop(): void {
    this.next.stop();
    this.deadline.stop();
  }

  private schedule(): void {
    this.deadline.stop();
    this.next.start(this.timing.intervalMs, () => this.beat());
  }

  private beat(): void {
    const { answerMs, busyMs } = this.timing;
    this.port.ping();
    this.expect(answerMs, () => {
      if (busyMs > answerMs && this.port.busy()) this.expect(busyMs - answerMs, () => this.port.dead());
      else this.port.dead();
    });
  }

  private expect(ms: number, missed: () => void): void {
    this.dueAt = performance.now() + ms;
    this.deadline.start(ms, missed);
  }
}

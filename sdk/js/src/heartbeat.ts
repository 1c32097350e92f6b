/** What a heartbeat needs from its connection. */
export interface HeartbeatPort {
  /** Sends a ping; resolves with its answer. */
  ping(timeoutMs: number): Promise<unknown>;
  /** The other side did not answer. */
  dead(): void;
}

/**
 * Pings after each interval and declares the connection dead when the answer
 * stays out for too long. The next ping is set up when an answer
 * arrives, not by a repeating timer: browsers slow down chains of timers in
 * hidden pages to one a minute, which would look like silence to the server.
 */
export class Heartbeat {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pinging = false;
  private stopped = false;

  constructor(
    private readonly port: HeartbeatPort,
    private readonly intervalMs: number,
    private readonly answerMs: number = intervalMs,
  ) {
    this.schedule();
  }

  /** Pings now, for instance because the network changed. */
  check(timeoutMs: number = this.answerMs): void {
    if (this.stopped || this.pinging) return;
    clearTimeout(this.timer);
    this.pinging = true;
    this.port.ping(timeoutMs).then(
      () => {
        this.pinging = false;
        if (!this.stopped) this.schedule();
      },
      () => {
        if (!this.stopped) this.port.dead();
      },
    );
  }

  /** Ends the heartbeat. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    this.timer = setTimeout(() => this.check(), this.intervalMs);
  }
}

import type { ConversationPage, ListRequest } from './frames.js';
import { Timer } from './timer.js';

/** What catching up needs and reports. */
export interface CatchUpPort {
  /** Asks for a page of conversations that may have changed, and takes it in. */
  list(request: ListRequest): Promise<ConversationPage>;
}

/**
 * Finds out what changed while pushes were lost. Whoever comes while a round
 * is under way gets another round after it; the time to look back to moves on
 * only when a round has succeeded.
 */
export class CatchUp {
  private since: number | undefined;
  private running = false;
  private again = false;
  private stopped = false;
  private readonly retry = new Timer();

  constructor(private readonly port: CatchUpPort) {}

  /** Looks for what changed since something was last heard (server time). */
  async from(lastHeard: number): Promise<void> {
    this.since = Math.min(this.since ?? Infinity, Math.max(1, lastHeard - MARGIN_MS));
    await this.look();
  }

  /** Ends it with the login. */
  stop(): void {
    this.stopped = true;
    this.retry.stop();
  }

  private async look(): Promise<void> {
    this.retry.stop();
    this.again = true;
    if (this.running) return;
    this.running = true;
    while (this.again && !this.stopped) {
      this.again = false;
      await this.round();
    }
    this.running = false;
  }

  // A round that fails leaves `since` alone: the next one looks back as far.
  private async round(): Promise<void> {
    try {
      await this.pages(this.since as number);
      if (!this.again) this.since = undefined;
    } catch {
      if (!this.stopped) this.retry.start(RETRY_MS, () => void this.look());
    }
  }

  private async pages(changedSince: number): Promise<void> {
    let before: ListRequest['before'];
    for (;;) {
      const page = await this.port.list({ count: PAGE, changedSince, ...(before && { before }) });
      if (this.stopped) return;
      const last = page.conversations.at(-1);
      if (page.complete || !last) return;
      before = { orderKey: last.orderKey, ref: last.ref };
    }
  }
}

const PAGE = 200;
const RETRY_MS = 3_000;
// A push may come this much later than its message's timestamp and still count
// as heard; it covers the servers' clocks and queues.
const MARGIN_MS = 120_000;

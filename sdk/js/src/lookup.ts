import type { ConversationRef } from './domain.js';
import { refKey } from './domain.js';
import { Timer } from './timer.js';

/**
 * Gathers conversations whose entries in the list are wanted, and asks for
 * them together a moment later.
 */
export class EntryLookup {
  private wanted = new Map<string, ConversationRef>();
  private answered: Promise<void> = Promise.resolve();
  private ask: () => void = () => undefined;
  private readonly timer = new Timer();

  /** `fetch` gets at most 100 references at a time, and never rejects. */
  constructor(private readonly fetch: (refs: ConversationRef[]) => Promise<void>) {}

  /** Adds one to the next question; resolves when that was answered, or not answered in time. */
  want(ref: ConversationRef): Promise<void> {
    if (!this.timer.running) {
      this.answered = new Promise<void>((resolve) => {
        this.ask = resolve;
      }).then(() => this.askAll());
      this.timer.start(GATHER_MS, () => this.ask());
    }
    this.wanted.set(refKey(ref), ref);
    return this.answered;
  }

  /** Drops what was not asked yet; who waits for it waits no longer. */
  stop(): void {
    this.timer.stop();
    this.wanted.clear();
    this.ask();
  }

  private async askAll(): Promise<void> {
    const refs = [...this.wanted.values()];
    this.wanted = new Map();
    const pages: Promise<void>[] = [];
    for (let i = 0; i < refs.length; i += MAX_ONLY) pages.push(this.fetch(refs.slice(i, i + MAX_ONLY)));
    await Promise.all(pages);
  }
}

const GATHER_MS = 30;
const MAX_ONLY = 100;

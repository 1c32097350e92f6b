import type { ConversationRef } from './domain.js';
import { refKey } from './domain.js';

/**
 * Gathers conversations that were met in messages only, and asks for their
 * entries together a moment later.
 */
export class NameLookup {
  private readonly wanted = new Map<string, ConversationRef>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `fetch` gets at most 100 references at a time. */
  constructor(private readonly fetch: (refs: ConversationRef[]) => void) {}

  /** Adds one to the next question. */
  want(ref: ConversationRef): void {
    this.wanted.set(refKey(ref), ref);
    this.timer ??= setTimeout(() => this.ask(), GATHER_MS);
  }

  /** Drops what was not asked yet. */
  stop(): void {
    clearTimeout(this.timer);
    this.wanted.clear();
  }

  private ask(): void {
    this.timer = undefined;
    const refs = [...this.wanted.values()];
    this.wanted.clear();
    for (let i = 0; i < refs.length; i += MAX_ONLY) this.fetch(refs.slice(i, i + MAX_ONLY));
  }
}

const GATHER_MS = 30;
const MAX_ONLY = 100;

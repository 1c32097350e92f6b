import { signal } from '@preact/signals';
import type { Environment } from './environment';

const keyOf = (user: string): string => `parley.drafts.${user}`;

/** Unsent texts per conversation, kept in the tab so that a reload does not lose them. */
export class Drafts {
  private readonly texts = signal<ReadonlyMap<string, string>>(new Map());
  private user = '';

  constructor(private readonly tab: Environment['tab']) {}

  /** Reads the drafts of the user who has signed in. */
  open(user: string): void {
    this.user = user;
    try {
      const kept = JSON.parse(this.tab.getItem(keyOf(user)) ?? '[]') as [string, string][];
      this.texts.value = new Map(kept);
    } catch {
      this.texts.value = new Map();
    }
  }

  get(conversation: string): string {
    return this.texts.value.get(conversation) ?? '';
  }

  set(conversation: string, text: string): void {
    const next = new Map(this.texts.value);
    if (text === '') next.delete(conversation);
    else next.set(conversation, text);
    this.texts.value = next;
    this.tab.setItem(keyOf(this.user), JSON.stringify([...next]));
  }
}

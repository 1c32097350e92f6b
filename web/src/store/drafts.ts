import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { SafeStorage } from '../storage';

/**
 * Unsent texts, kept in the tab so that a reload does not lose them. Each
 * conversation has a key of its own: typing writes one text and concerns one
 * line of the list.
 */
export class Drafts {
  /** The conversations whose text a reload would lose. */
  readonly unsaved = signal<ReadonlySet<string>>(new Set());
  private readonly texts = new Map<string, Signal<string>>();
  private user = '';

  constructor(private readonly tab: SafeStorage) {}

  /** Turns to the drafts of the user who has signed in. */
  open(user: string): void {
    if (user === this.user) return;
    this.user = user;
    this.texts.clear();
    this.unsaved.value = new Set();
  }

  get(conversation: string): string {
    return this.text(conversation).value;
  }

  set(conversation: string, text: string): void {
    this.text(conversation).value = text;
    const key = this.keyOf(conversation);
    if (text === '') this.tab.remove(key);
    const saved = text === '' || this.tab.set(key, text);
    if (saved !== this.unsaved.peek().has(conversation)) return;
    const unsaved = new Set(this.unsaved.peek());
    if (saved) unsaved.delete(conversation);
    else unsaved.add(conversation);
    this.unsaved.value = unsaved;
  }

  /** Puts a text before what is written already. */
  prepend(conversation: string, text: string): void {
    const written = this.text(conversation).peek();
    this.set(conversation, written === '' ? text : `${text}\n${written}`);
  }

  private text(conversation: string): Signal<string> {
    const known = this.texts.get(conversation);
    if (known) return known;
    const made = signal(this.tab.get(this.keyOf(conversation)) ?? '');
    this.texts.set(conversation, made);
    return made;
  }

  private keyOf(conversation: string): string {
    return `parley.draft.${this.user}/${conversation}`;
  }
}

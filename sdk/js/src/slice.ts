import type { ChatClientEvents } from './events.js';
import type { Pushes } from './frames.js';

/** What a slice may do besides what is its own. */
export interface SlicePort {
  /** Calls the app's listeners, as long as the login lasts. */
  emit<K extends keyof ChatClientEvents>(event: K, ...args: Parameters<ChatClientEvents[K]>): void;
}

/**
 * What one capability knows and does as long as a login lasts. Everything in it
 * is optional; slices.ts lists the slices.
 */
export interface Slice {
  /** What it does with pushes, by the name of the frame. */
  readonly pushed?: { readonly [K in keyof Pushes]?: (value: Pushes[K]) => void };
  /** There is a connection, the first of the login or a later one. */
  welcomed?(resumed: boolean): void;
  /** The login is over. */
  ended?(): void;
}

/** Gives a push to the slices that take it. */
export function give<K extends keyof Pushes>(slices: readonly Slice[], kind: K, value: Pushes[K]): void {
  for (const { pushed } of slices) pushed?.[kind]?.(value);
}

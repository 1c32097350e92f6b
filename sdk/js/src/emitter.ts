/** A map from event names to the signatures of their listeners. */
export type EventMap<E> = { [K in keyof E]: (...args: never[]) => void };

/**
 * A typed emitter. Listeners are called in the order of their registration; a
 * listener that throws does not disturb the others nor the emitter: its error
 * surfaces as an unhandled one, outside the call.
 */
export class Emitter<E extends EventMap<E>> {
  private readonly listeners = new Map<keyof E, Set<E[keyof E]>>();

  /** Adds a listener and gives the function that removes it. */
  on<K extends keyof E>(event: K, listener: E[K]): () => void {
    const set = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, set);
    set.add(listener);
    return () => this.off(event, listener);
  }

  /** Removes a listener; unknown ones are ignored. */
  off<K extends keyof E>(event: K, listener: E[K]): void {
    this.listeners.get(event)?.delete(listener);
  }

  /** Calls the listeners of an event; for the owner of the emitter. */
  emit<K extends keyof E>(event: K, ...args: Parameters<E[K]>): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) {
      guarded(() => listener(...args));
    }
  }

  /** Forgets all listeners. */
  clear(): void {
    this.listeners.clear();
  }
}

/** Runs app code; what it throws is reported as unhandled, not passed on. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

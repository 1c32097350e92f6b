/**
 * Values that outlive the page where the browser lets them. Storage may be
 * blocked, as with cookies, or full: then nothing throws, and what could not be
 * stored is kept until the page is left.
 */
export class SafeStorage {
  private readonly untilLeft = new Map<string, string>();

  /** `open` gives the browser's storage; where that is blocked, already asking for it throws. */
  constructor(private readonly open: () => Storage) {}

  get(key: string): string | undefined {
    const held = this.untilLeft.get(key);
    if (held !== undefined) return held;
    return this.tried(() => this.open().getItem(key)) ?? undefined;
  }

  /** False when the value will be gone with the page. */
  set(key: string, value: string): boolean {
    const stored = this.tried(() => {
      this.open().setItem(key, value);
      return true;
    });
    if (stored) this.untilLeft.delete(key);
    else this.untilLeft.set(key, value);
    return stored === true;
  }

  remove(key: string): void {
    this.untilLeft.delete(key);
    this.tried(() => this.open().removeItem(key));
  }

  /** The keys that begin with a prefix, in no order. */
  keys(prefix: string): string[] {
    const stored = this.tried(() => Object.keys(this.open())) ?? [];
    return [...new Set([...stored, ...this.untilLeft.keys()])].filter((key) => key.startsWith(prefix));
  }

  private tried<T>(use: () => T): T | undefined {
    try {
      return use();
    } catch {
      return undefined;
    }
  }
}

/** Belongs to this device: settings. */
export const deviceStorage = new SafeStorage(() => localStorage);

/** Belongs to this tab alone, so that two windows can be two people. */
export const tabStorage = new SafeStorage(() => sessionStorage);

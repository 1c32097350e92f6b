/** A browser storage in memory: its keys are own properties, as those of the real one are. */
export function fakeStorage(): Storage {
  return new FakeStorage() as unknown as Storage;
}

class FakeStorage {
  [key: string]: unknown;

  getItem(key: string): string | null {
    return Object.hasOwn(this, key) ? (this[key] as string) : null;
  }

  setItem(key: string, value: string): void {
    this[key] = value;
  }

  removeItem(key: string): void {
    delete this[key];
  }
}

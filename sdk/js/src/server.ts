import { ChatError, Code } from './errors.js';

/**
 * The WebSocket addresses of a list of server origins, used in turn: a client
 * stays with one as long as it works, and begins with any of them.
 */
export class ServerList {
  private readonly urls: string[];
  private index = 0;

  constructor(origins: string | readonly string[], random: () => number = Math.random) {
    const list = typeof origins === 'string' ? [origins] : origins;
    if (list.length === 0) throw new ChatError(Code.InvalidParam, 'At least one server origin is needed.');
    this.urls = list.map(socketURL);
    this.index = Math.floor(random() * this.urls.length) % this.urls.length;
  }

  /** Adds those that a node tells of. */
  learn(origins: readonly string[]): void {
    for (const origin of origins) {
      if (!ORIGIN.test(origin)) continue; // a node's operator may mistype; what works goes on
      const url = socketURL(origin);
      if (!this.urls.includes(url)) this.urls.push(url);
    }
  }

  /** How many there are. */
  get size(): number {
    return this.urls.length;
  }

  /** The address to use now. */
  get current(): string {
    return this.urls[this.index] ?? '';
  }

  /** Goes on to the next address, after the current one has failed. */
  advance(): void {
    this.index = (this.index + 1) % this.urls.length;
  }
}

const ORIGIN = /^(http|ws)(s?):\/\/[^/?#]+\/?$/i;

function socketURL(origin: string): string {
  const match = ORIGIN.exec(origin);
  if (!match) {
    throw new ChatError(Code.InvalidParam, `"${origin}" is not a server origin such as https://chat.example.com.`);
  }
  return origin.replace(/^[a-z]+/i, `ws${match[2]?.toLowerCase()}`).replace(/\/$/, '') + '/ws';
}

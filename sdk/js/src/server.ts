import { ChatError, Code } from './errors.js';

/**
 * The WebSocket addresses of a list of servers, used in turn: a client stays
 * with one as long as it works, and begins with any of them.
 */
export class ServerList {
  private readonly urls: string[];
  private index = 0;

  constructor(servers: string | readonly string[], random: () => number = Math.random) {
    const list = typeof servers === 'string' ? [servers] : servers;
    if (list.length === 0) throw new ChatError(Code.InvalidParam, 'At least one server is needed.');
    this.urls = list.map((server) => {
      const url = socketURL(server);
      if (url) return url;
      throw new ChatError(Code.InvalidParam, `"${server}" is not the address of a server, such as https://chat.example.com.`);
    });
    this.index = Math.floor(random() * this.urls.length) % this.urls.length;
  }

  /**
   * Adds those that the present server names, if they are as secure as it is:
   * a page of https: may not connect to others, and no server may talk a client
   * out of encryption.
   */
  learn(servers: readonly string[]): void {
    for (const server of servers) {
      const url = socketURL(server); // a node's operator may mistype: the others still help
      if (url && !this.urls.includes(url) && (isSecure(url) || !isSecure(this.current))) this.urls.push(url);
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

// An origin, and the path below which a proxy has the server.
const SERVER = /^(?:http|ws)(s?):\/\/([^/?#]+)(\/[^?#]*)?$/i;

function socketURL(server: string): string | undefined {
  const match = SERVER.exec(server);
  if (!match) return undefined;
  const [, secure = '', host = '', path = ''] = match;
  return `ws${secure.toLowerCase()}://${host}${path.replace(/\/+$/, '')}/ws`;
}

function isSecure(url: string): boolean {
  return url.startsWith('wss:');
}

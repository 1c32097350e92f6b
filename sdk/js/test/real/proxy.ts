import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** What happens to the bytes of one direction; it may be changed at any time. */
export interface Line {
  /** How late they arrive. */
  delayMs: number;
  bytesPerSecond: number;
  /** Nothing arrives, and nobody hears of it, as when a network is pulled. */
  stalled: boolean;
  /** How many more bytes arrive before both sides see the connection break. */
  bytesUntilCut: number;
}

/**
 * A TCP proxy in front of a server that does to connections what networks do:
 * it delays, throttles, swallows, cuts and refuses. Within a connection bytes
 * keep their order, as TCP does; what is asked on two connections may overtake.
 */
export class Proxy {
  /** From the clients to the server. */
  readonly up: Line = { delayMs: 0, bytesPerSecond: Infinity, stalled: false, bytesUntilCut: Infinity };
  /** From the server to the clients. */
  readonly down: Line = { delayMs: 0, bytesPerSecond: Infinity, stalled: false, bytesUntilCut: Infinity };
  /** New connections are refused. */
  refusing: boolean = false;
  url = '';

  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  private constructor(private readonly target: URL) {
    this.server = createServer((client) => this.join(client));
  }

  /** Puts a proxy in front of a server. */
  static async before(url: string): Promise<Proxy> {
    const proxy = new Proxy(new URL(url));
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${(proxy.server.address() as AddressInfo).port}`;
    return proxy;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.sockets.size / 2;
  }

  /** Breaks all connections. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Ends it. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cut();
    await closed;
  }

  private join(client: Socket): void {
    if (this.refusing) return void client.destroy();
    const server = connect(Number(this.target.port), this.target.hostname);
    const both = [client, server];
    for (const socket of both) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        for (const end of both) end.destroy();
      });
    }
    carry(client, server, this.up);
    carry(server, client, this.down);
  }
}

// Moves bytes in small pieces, at the line's speed. What waits is bounded: the
// source is paused meanwhile, so that the sender feels a slow line, too.
function carry(from: Socket, to: Socket, line: Line): void {
  let waiting: Array<{ at: number; bytes: Buffer }> = [];
  let size = 0;
  let credit = 0;
  const move = (): void => {
    const now = performance.now();
    credit = Math.min(line.bytesPerSecond, credit + (line.bytesPerSecond * TICK_MS) / 1000);
    while (!line.stalled && waiting[0] && waiting[0].at <= now && credit >= 1 && !to.destroyed) {
      const { at, bytes } = waiting[0];
      const piece = bytes.subarray(0, Math.min(bytes.length, credit, line.bytesUntilCut));
      waiting = piece.length < bytes.length ? [{ at, bytes: bytes.subarray(piece.length) }, ...waiting.slice(1)] : waiting.slice(1);
      credit -= piece.length;
      size -= piece.length;
      line.bytesUntilCut -= piece.length;
      to.write(piece);
      if (line.bytesUntilCut > 0) continue;
      line.bytesUntilCut = Infinity;
      to.end();
      return void setTimeout(() => to.destroy(), TICK_MS);
    }
    if (size < MAX_WAITING) from.resume();
  };
  const timer = setInterval(move, TICK_MS);
  from.on('data', (bytes) => {
    waiting.push({ at: performance.now() + line.delayMs, bytes });
    size += bytes.length;
    if (size >= MAX_WAITING) from.pause();
    if (line.bytesPerSecond === Infinity && line.delayMs === 0) move();
  });
  from.on('close', () => clearInterval(timer));
}

const TICK_MS = 10;
const MAX_WAITING = 64 * 1024;

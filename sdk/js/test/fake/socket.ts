import type { WebSocketConstructor, WebSocketLike } from '../../src/socket.js';

/** The server's end of a fake socket. */
export interface Peer {
  /** Sends bytes to the client after the given time. */
  send(data: Uint8Array, delayMs?: number): void;
  /** Ends the connection, after what was sent without a longer delay. */
  close(code: number): void;
}

/** What a fake server does with its sockets. */
export interface SocketHost {
  readonly latencyMs: number;
  /** Whether the address answers at all. */
  accepts(url: string): boolean;
  opened(peer: Peer): void;
  received(peer: Peer, data: Uint8Array): void;
  closed(peer: Peer, code: number): void;
}

/** A WebSocket class whose sockets are joined to a host in this process. */
export function fakeWebSocket(host: SocketHost): WebSocketConstructor {
  return class implements WebSocketLike {
    binaryType = 'blob';
    onopen: ((event: never) => void) | null = null;
    onmessage: ((event: never) => void) | null = null;
    onclose: ((event: never) => void) | null = null;
    onerror: ((event: never) => void) | null = null;

    private state: 'connecting' | 'open' | 'closed' = 'connecting';
    private readonly peer: Peer = {
      send: (data, delayMs = 0) => this.later(() => this.message(data), delayMs),
      close: (code) => this.later(() => this.shut(code)),
    };

    constructor(url: string) {
      this.later(() => this.open(url));
    }

    send(data: Uint8Array): void {
      if (this.state !== 'open') return;
      const copy = data.slice();
      this.later(() => host.received(this.peer, copy));
    }

    close(code = 1005): void {
      this.shut(code);
    }

    private open(url: string): void {
      if (this.state !== 'connecting') return;
      if (!host.accepts(url)) return this.shut(1006);
      this.state = 'open';
      host.opened(this.peer);
      this.onopen?.({} as never);
    }

    private message(data: Uint8Array): void {
      if (this.state === 'open') this.onmessage?.({ data: data.slice().buffer } as never);
    }

    private shut(code: number): void {
      if (this.state === 'closed') return;
      const wasOpen = this.state === 'open';
      this.state = 'closed';
      // After what was sent before.
      if (wasOpen) this.later(() => host.closed(this.peer, code));
      this.onclose?.({ code } as never);
    }

    private later(run: () => void, extraMs = 0): void {
      setTimeout(run, host.latencyMs + extraMs);
    }
  };
}

/** The part of a WebSocket that the client uses; browsers' and that of the package ws have it. */
export interface WebSocketLike {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** A class of such sockets. */
export type WebSocketConstructor = new (url: string, protocols: string) => WebSocketLike;

/** What the owner of a socket is told; nothing after `closed`. */
export interface SocketHandlers {
  opened(): void;
  received(data: Uint8Array): void;
  closed(code: number): void;
}

/** The WebSocket subprotocol: one protobuf frame in each binary message. */
export const SUBPROTOCOL = 'parley.v1.proto';

/** The close code that stands for a socket that ended without one. */
export const ABNORMAL_CLOSE = 1006;

/**
 * One WebSocket with its odd corners taken off: `closed` is told exactly once,
 * at once when this side closes, and nothing is told afterwards.
 */
export class Socket {
  private readonly socket: WebSocketLike;
  private ended = false;

  constructor(
    WebSocketClass: WebSocketConstructor,
    url: string,
    private readonly handlers: SocketHandlers,
  ) {
    this.socket = new WebSocketClass(url, SUBPROTOCOL);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = (): void => {
      if (!this.ended) handlers.opened();
    };
    this.socket.onmessage = (event: { data: unknown }): void => this.receive(event.data);
    this.socket.onclose = (event: { code: number }): void => this.end(event.code);
    // The close event follows; without a listener ws would throw.
    this.socket.onerror = (): void => undefined;
  }

  /** Hands a frame to the socket; after the end it is dropped. */
  send(data: Uint8Array): void {
    if (!this.ended) this.socket.send(data);
  }

  /** Ends the connection without waiting for the other side. */
  close(code: number = ABNORMAL_CLOSE): void {
    if (this.ended) return;
    this.end(code);
    // Browsers let an app name no other code of the protocol's own range.
    if (code === 1000) this.socket.close(code);
    else this.socket.close();
  }

  private receive(data: unknown): void {
    if (this.ended) return;
    if (data instanceof ArrayBuffer) this.handlers.received(new Uint8Array(data));
    else this.close(1003);
  }

  private end(code: number): void {
    if (this.ended) return;
    this.ended = true;
    this.handlers.closed(code);
  }
}

import { Timer } from './timer.js';

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

/** What the owner of a socket hears; nothing after `closed`. */
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
 * One WebSocket without its odd corners: `closed` comes exactly once, at once
 * when this side closes, and nothing comes after it.
 */
export class Socket {
  private readonly socket: WebSocketLike;
  private readonly failed = new Timer();
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
    // Most classes let a close event with its code follow at once. That of Node
    // 20 does not when a connection is refused.
    this.socket.onerror = (): void => this.failed.start(0, () => this.close());
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
    const bytes = bytesOf(data);
    if (bytes) this.handlers.received(bytes);
    else this.close(1003);
  }

  private end(code: number): void {
    if (this.ended) return;
    this.ended = true;
    this.failed.stop();
    this.handlers.closed(code);
  }
}

// Not by instanceof: in an iframe or a test environment the buffers may be of
// another realm.
function bytesOf(data: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const tag = Object.prototype.toString.call(data);
  if (tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]') return new Uint8Array(data as ArrayBuffer);
  return undefined;
}

import type { ServerClock } from './clock.js';
import { decodeFrame, encodeRequest } from './codec.js';
import { ChatError, connectionLost, ParleyErrorCode } from './errors.js';
import type { AskKind, Hello, Reply, Requests, ServerBody, Welcome } from './frames.js';
import { Heartbeat } from './heartbeat.js';
import { HELLO_ID, RequestTable } from './requests.js';
import type { WebSocketConstructor } from './socket.js';
import { ABNORMAL_CLOSE, Socket } from './socket.js';

/** What a link needs to begin. */
export interface LinkOptions {
  readonly WebSocket: WebSocketConstructor;
  readonly url: string;
  readonly hello: Hello;
  readonly clock: ServerClock;
  /** How long the socket and the welcome may take together. */
  readonly connectTimeoutMs: number;
  /** There are other servers to go to: a silent one is given up sooner. */
  readonly impatient: boolean;
}

/** What the owner of a link is told; nothing after `down`. */
export interface LinkHandlers {
  /** The server has let us in. */
  welcomed(welcome: Welcome): void;
  pushed(body: NonNullable<ServerBody>): void;
  /**
   * The link is over: the close code, and the server's refusal when it
   * answered hello with one.
   */
  down(code: number, refusal: ChatError | undefined): void;
}

/** One connection from opening to end: hello, replies, pushes, heartbeat. */
export class Link {
  /** Server time when something was last heard; 0 before that. */
  lastHeard = 0;

  private readonly socket: Socket;
  private readonly requests: RequestTable;
  private readonly connectTimer: ReturnType<typeof setTimeout>;
  private heartbeat: Heartbeat | undefined;
  private refusal: ChatError | undefined;

  constructor(
    private readonly options: LinkOptions,
    private readonly handlers: LinkHandlers,
  ) {
    this.requests = new RequestTable((id, kind, value) => this.socket.send(encodeRequest(id, kind, value)));
    this.socket = new Socket(options.WebSocket, options.url, {
      opened: () => this.greet(),
      received: (data) => this.receive(data),
      closed: (code) => this.end(code),
    });
    this.connectTimer = setTimeout(() => this.socket.close(), options.connectTimeoutMs);
  }

  /** Asks the server; rejects with a retryable error when the link ends first. */
  ask<K extends AskKind>(kind: K, value: Requests[K], timeoutMs: number): Promise<Reply<K>> {
    return this.requests.ask(kind, value, timeoutMs);
  }

  /** Makes sure within a few seconds that the other side is still there. */
  check(): void {
    this.heartbeat?.check(CHECK_MS);
  }

  /** Logs out: the server forgets the device. */
  goodbye(): void {
    if (this.heartbeat) this.socket.send(encodeRequest(GOODBYE_ID, 'goodbye', {}));
    this.close(1000);
  }

  /** Ends the link. */
  close(code: number = ABNORMAL_CLOSE): void {
    this.socket.close(code);
  }

  private greet(): void {
    this.socket.send(encodeRequest(HELLO_ID, 'hello', this.options.hello));
  }

  // Answered on the spot, not through a promise: pushes may follow in the same
  // turn of the event loop.
  private answerHello(body: ServerBody): void {
    if (body?.kind === 'welcome') return this.welcome(body.value);
    if (body?.kind === 'error') this.refusal = new ChatError(body.value.code, body.value.message, body.value);
    this.close();
  }

  private welcome(welcome: Welcome): void {
    clearTimeout(this.connectTimer);
    this.options.clock.set(welcome.serverTime);
    this.lastHeard = welcome.serverTime;
    this.requests.inFlight = welcome.limits.inFlight || DEFAULT_IN_FLIGHT;
    this.heartbeat = new Heartbeat(
      { ping: (timeoutMs) => this.ping(timeoutMs), dead: () => this.close() },
      ...this.patience(welcome.heartbeatIntervalMs || DEFAULT_HEARTBEAT_MS, welcome.servers.length > 1),
    );
    this.handlers.welcomed(welcome);
  }

  // A node that hangs keeps its connections open: only its silence tells.
  private patience(intervalMs: number, others: boolean): [intervalMs: number, answerMs: number] {
    if (!this.options.impatient && !others) return [intervalMs, intervalMs];
    return [Math.min(intervalMs, IMPATIENT_PING_MS), CHECK_MS];
  }

  private async ping(timeoutMs: number): Promise<void> {
    const pong = await this.ask('ping', {}, timeoutMs);
    this.options.clock.set(pong.serverTime);
  }

  private receive(data: Uint8Array): void {
    try {
      const frame = decodeFrame(data, this.options.hello.userID);
      if (this.heartbeat) this.lastHeard = this.options.clock.now();
      if (frame.replyTo === HELLO_ID) this.answerHello(frame.body);
      else if (frame.replyTo !== 0) this.requests.settle(frame.replyTo, frame.body);
      else if (frame.body) this.handlers.pushed(frame.body);
    } catch {
      // What cannot be read cannot be skipped either: it may be a message.
      this.close(1002);
    }
  }

  private end(code: number): void {
    clearTimeout(this.connectTimer);
    this.heartbeat?.stop();
    const refusal = this.refusal;
    this.requests.end(lossOf(code));
    this.handlers.down(code, refusal);
  }
}

// Close codes by which the server says that it cannot take what it got. The
// same frame would end the next connection too.
const FRAME_REFUSED = new Set([1003, 1007, 1009, 4400]);

function lossOf(code: number): ChatError {
  if (!FRAME_REFUSED.has(code)) return connectionLost();
  return new ChatError(ParleyErrorCode.MalformedFrame, 'The server does not take a frame of this size or form.');
}

const DEFAULT_IN_FLIGHT = 16;
const DEFAULT_HEARTBEAT_MS = 10_000;
const CHECK_MS = 3_000;
const IMPATIENT_PING_MS = 5_000;
const GOODBYE_ID = 0xffffffff;

import type { ServerClock } from './clock.js';
import { decodeFrame, encodeRequest } from './codec.js';
import { CLOSE } from './ending.js';
import { ChatError, Code } from './errors.js';
import type { AskKind, Hello, Reply, Requests, ServerBody, ServerFrame, Welcome } from './frames.js';
import { Heartbeat } from './heartbeat.js';
import { HELLO_ID, RequestTable } from './requests.js';
import type { WebSocketConstructor } from './socket.js';
import { ABNORMAL_CLOSE, Socket } from './socket.js';
import type { Suspects } from './suspects.js';
import { Timer } from './timer.js';

/** What a link needs to begin. */
export interface LinkOptions {
  readonly WebSocket: WebSocketConstructor;
  readonly url: string;
  readonly hello: Hello;
  readonly clock: ServerClock;
  readonly suspects: Suspects;
  /** How long the socket and the welcome may take together. */
  readonly connectTimeoutMs: number;
  /** There are other servers: leave a silent one sooner. */
  readonly failFast: boolean;
}

/** What the owner of a link hears; nothing after `down`. */
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
  private readonly connectTimer = new Timer();
  private heartbeat: Heartbeat | undefined;
  private refusal: ChatError | undefined;

  /** Throws when hello is too large, or the WebSocket class refuses the address. */
  constructor(
    private readonly options: LinkOptions,
    private readonly handlers: LinkHandlers,
  ) {
    const hello = encodeHello(options.hello);
    this.requests = new RequestTable({ encode: encodeRequest, send: (frame) => this.socket.send(frame) });
    this.socket = new Socket(options.WebSocket, options.url, {
      opened: () => this.socket.send(hello),
      received: (data) => this.receive(data),
      closed: (code) => this.end(code),
    });
    this.connectTimer.start(options.connectTimeoutMs, () => this.socket.close());
  }

  /** Asks the server; rejects with a retryable error when the link ends first. */
  ask<K extends AskKind>(kind: K, value: Requests[K], timeoutMs: number, requestID?: string): Promise<Reply<K>> {
    return this.requests.ask(kind, value, timeoutMs, requestID);
  }

  /** Makes sure within a few seconds that the other side is still there. */
  check(): void {
    if (this.heartbeat) this.heartbeat.check(CHECK_MS);
    else this.connectTimer.start(Math.min(CHECK_MS, this.options.connectTimeoutMs), () => this.socket.close());
  }

  /** Logs out: the server forgets the device. */
  goodbye(): void {
    if (this.heartbeat) this.socket.send(encodeRequest(GOODBYE_ID, 'goodbye', {}, ''));
    this.close(1000);
  }

  /** Ends the link. */
  close(code: number = ABNORMAL_CLOSE): void {
    this.socket.close(code);
  }

  private receive(data: Uint8Array): void {
    let frame: ServerFrame;
    try {
      frame = decodeFrame(data, this.options.hello.userID);
    } catch {
      // What cannot be read cannot be skipped either: it may be a message.
      return this.close(1002);
    }
    if (this.heartbeat) this.lastHeard = this.options.clock.now();
    this.heartbeat?.heard();
    if (frame.replyTo === HELLO_ID) this.answerHello(frame.body);
    else if (frame.replyTo !== 0) this.requests.settle(frame.replyTo, frame.body);
    else if (frame.body) this.push(frame.body);
  }

  // Handled at once, not through a promise: pushes may follow in the same turn
  // of the event loop.
  private answerHello(body: ServerBody): void {
    if (body?.kind === 'hello') return this.welcome(body.value);
    if (body?.kind === 'error') this.refusal = new ChatError(body.value.code, body.value.message, body.value);
    this.close();
  }

  // A kick is followed by a close that means the same, and may be lost: both
  // take one way.
  private push(body: NonNullable<ServerBody>): void {
    if (body.kind !== 'kicked') return this.handlers.pushed(body);
    this.close(body.value.reason === 'tokenExpired' ? CLOSE.tokenExpired : CLOSE.kicked);
  }

  private welcome(welcome: Welcome): void {
    this.connectTimer.stop();
    this.options.clock.set(welcome.serverTime);
    this.lastHeard = welcome.serverTime;
    const { inFlight, frameBytes } = welcome.limits;
    this.requests.limit({ inFlight: inFlight || DEFAULT_IN_FLIGHT, frameBytes, cautious: this.options.suspects.cautious });
    this.startHeartbeat(welcome.heartbeatIntervalMs || DEFAULT_HEARTBEAT_MS, welcome.servers.length > 1);
    this.handlers.welcomed(welcome);
  }

  // A node that hangs keeps its connections open: only its silence tells. With
  // other servers to go to, that silence need not last long.
  private startHeartbeat(intervalMs: number, others: boolean): void {
    const failFast = this.options.failFast || others;
    this.heartbeat = new Heartbeat(
      { ping: () => this.ping(), busy: () => this.requests.busy, dead: () => this.close() },
      {
        intervalMs: failFast ? Math.min(intervalMs, FAIL_FAST_PING_MS) : intervalMs,
        answerMs: failFast ? CHECK_MS : intervalMs,
        busyMs: Math.max(intervalMs, BUSY_MS),
      },
    );
  }

  // A pong that comes too late counts as well: what decides is the heartbeat.
  private ping(): void {
    this.ask('ping', {}, PONG_MS).then(
      ({ serverTime }) => this.options.clock.set(serverTime),
      () => undefined,
    );
  }

  private end(code: number): void {
    this.connectTimer.stop();
    this.heartbeat?.stop();
    this.requests.end(this.options.suspects.linkEnded(code, this.requests.inFlight()));
    this.handlers.down(code, this.refusal);
  }
}

function encodeHello(hello: Hello): Uint8Array {
  const frame = encodeRequest(HELLO_ID, 'hello', hello, '');
  if (frame.length <= HELLO_BYTES) return frame;
  throw new ChatError(Code.InvalidParam, `Token and profile have ${frame.length} bytes; at most ${HELLO_BYTES} are allowed.`);
}

// What a server takes as a first frame.
const HELLO_BYTES = 16 * 1024;
const DEFAULT_IN_FLIGHT = 16;
const DEFAULT_HEARTBEAT_MS = 10_000;
const CHECK_MS = 3_000;
const FAIL_FAST_PING_MS = 5_000;
// A page of history over a slow line.
const BUSY_MS = 10_000;
const PONG_MS = 60_000;
const GOODBYE_ID = 0xffffffff;

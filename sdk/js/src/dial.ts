import { Backoff } from './backoff.js';
import type { ServerClock } from './clock.js';
import type { End } from './ending.js';
import { CLOSE, endOfClose, endOfRefusal } from './ending.js';
import { asChatError, ChatError, Code, connectionLost } from './errors.js';
import type { AskKind, Hello, Reply, Requests, ServerBody, Welcome } from './frames.js';
import { Link } from './link.js';
import type { ServerList } from './server.js';
import type { WebSocketConstructor } from './socket.js';
import { ABNORMAL_CLOSE } from './socket.js';
import { frameRefused, isProtocolClose, Suspects } from './suspects.js';
import { Timer } from './timer.js';

export interface DialOptions {
  readonly servers: ServerList;
  readonly WebSocket: WebSocketConstructor;
  readonly clock: ServerClock;
  readonly connectTimeoutMs: number;
  readonly random: () => number;
}

/** What a dial needs and reports. */
export interface DialPort {
  /** The first frame of the next link; `resume` after the first welcome, `link` counts them. */
  hello(resume: boolean, link: number): Hello;
  /** A link is in use. */
  welcomed(welcome: Welcome, resumed: boolean): void;
  pushed(body: NonNullable<ServerBody>): void;
  /** The link has ended while its successor is being welcomed. */
  paused(): void;
  /** Another link has taken over. */
  moved(): void;
  /** There is no link; the next attempt follows after this time. */
  lost(attempt: number, retryInMs: number): void;
  /** The server said what waiting does not cure. Nothing is tried until `again`. */
  refused(end: End): void;
}

/**
 *   idle --start--> dialling --welcome--> linked
 *   dialling, linked --link lost--> waiting --retry--> dialling
 *   linked --the node goes away--> moving --welcome--> linked
 *
 * `moving` has the present link and its successor. The server ends the present
 * one as soon as it attaches the successor, often before it welcomes that: then
 * `link` is undefined, and nothing is lost yet.
 */
type DialState =
  | { readonly at: 'idle' }
  | { readonly at: 'waiting' }
  | { readonly at: 'dialling'; readonly link: Link; readonly since: number }
  | { readonly at: 'linked'; readonly link: Link }
  | { readonly at: 'moving'; readonly link: Link | undefined; readonly successor: Link; readonly attempts: number };

/**
 * Keeps one link to one of several servers: tries them in turn for ever, with
 * jitter, and moves to another one when the present node asks for that. It
 * knows nothing of tokens and of when to give up: its owner does.
 */
export class Dial {
  private state: DialState = { at: 'idle' };
  private welcomedOnce = false;
  private heard = 0;
  private links = 0;
  // Servers tried since one welcomed us, without a long wait between them.
  private serversTried = 0;
  private hellosRefused = 0;
  // The link that was left: the server ends it, once it has answered.
  private former: Link | undefined;
  private readonly suspects = new Suspects();
  private readonly backoff: Backoff;
  private readonly retryTimer = new Timer();
  private readonly stableTimer = new Timer();
  private readonly moveTimer = new Timer();
  private readonly formerTimer = new Timer();

  constructor(
    private readonly options: DialOptions,
    private readonly port: DialPort,
  ) {
    this.backoff = new Backoff({ first: FIRST_RETRY_MS, cap: RETRY_CAP_MS }, options.random);
  }

  /** Server time when the server was last heard. */
  get lastHeard(): number {
    return Math.max(this.heard, this.link?.lastHeard ?? 0);
  }

  /** The same for the links before the present one. */
  get heardEarlier(): number {
    return this.heard;
  }

  /** Tries the next server now: to begin with, or after `refused`. */
  connect(): void {
    this.retryTimer.stop();
    const { servers } = this.options;
    for (let left = servers.size; ; servers.advance()) {
      try {
        this.state = { at: 'dialling', link: this.open(), since: performance.now() };
        return;
      } catch (error) {
        // The class refuses the address, as browsers do with ws: on an https: page.
        if (--left > 0) continue;
        this.state = { at: 'waiting' };
        const refusal = error instanceof ChatError ? error : new ChatError(Code.InvalidParam, asChatError(error).message);
        return this.port.refused({ reason: 'refused', error: refusal });
      }
    }
  }

  /** Asks on the present link; rejects at once without one. */
  ask<K extends AskKind>(kind: K, value: Requests[K], timeoutMs: number, requestID?: string): Promise<Reply<K>> {
    return this.link?.ask(kind, value, timeoutMs, requestID) ?? Promise.reject(connectionLost());
  }

  /** The network may have changed: try now, or find out whether the link still lives. */
  hurry(): void {
    const { state } = this;
    if (state.at === 'waiting' && this.retryTimer.running) this.connect();
    if (state.at !== 'dialling') return this.check();
    if (performance.now() - state.since < FRESH_MS) return state.link.check();
    this.state = { at: 'waiting' };
    state.link.close();
    this.connect();
  }

  /** Finds out whether the link still lives. */
  check(): void {
    this.link?.check();
  }

  /** Ends it; `goodbye` has the server forget the device. */
  stop(goodbye: boolean): void {
    const { state, former } = this;
    this.state = { at: 'idle' };
    this.former = undefined;
    for (const timer of [this.retryTimer, this.stableTimer, this.moveTimer, this.formerTimer]) timer.stop();
    former?.close();
    if (state.at === 'moving') state.successor.close();
    if (state.at === 'idle' || state.at === 'waiting') return;
    if (goodbye) state.link?.goodbye();
    else state.link?.close();
  }

  // The link in use.
  private get link(): Link | undefined {
    return this.state.at === 'linked' || this.state.at === 'moving' ? this.state.link : undefined;
  }

  private open(): Link {
    const { servers, WebSocket, clock, connectTimeoutMs } = this.options;
    const failFast = servers.size > 1;
    const link: Link = new Link(
      {
        WebSocket,
        url: servers.current,
        hello: this.port.hello(this.welcomedOnce, ++this.links),
        clock,
        suspects: this.suspects,
        connectTimeoutMs: failFast ? Math.min(connectTimeoutMs, FAIL_FAST_CONNECT_MS) : connectTimeoutMs,
        failFast,
      },
      {
        welcomed: (welcome) => this.welcomed(link, welcome),
        pushed: (body) => this.link === link && this.pushed(body),
        down: (code, refusal) => this.down(link, code, refusal),
      },
    );
    return link;
  }

  private welcomed(link: Link, welcome: Welcome): void {
    const { state } = this;
    const resumed = this.welcomedOnce;
    if (state.at === 'moving' && state.successor === link) this.leave(state.link);
    else if (state.at !== 'dialling' || state.link !== link) return;
    this.state = { at: 'linked', link };
    this.welcomedOnce = true;
    this.serversTried = 0;
    this.hellosRefused = 0;
    this.options.servers.learn(welcome.servers);
    this.stableTimer.start(STABLE_MS, () => this.backoff.reset());
    if (state.at === 'moving') this.port.moved();
    else this.port.welcomed(welcome, resumed);
  }

  private leave(former: Link | undefined): void {
    this.heard = Math.max(this.heard, former?.lastHeard ?? 0);
    this.former = former;
    this.formerTimer.start(FORMER_MS, () => this.former?.close());
  }

  private pushed(body: NonNullable<ServerBody>): void {
    if (body.kind !== 'reconnect') return this.port.pushed(body);
    if (this.state.at !== 'linked' || this.moveTimer.running) return;
    const { random, servers } = this.options;
    this.moveTimer.start(random() * body.value.afterMs, () => this.move(this.link, servers.size));
  }

  // Makes the next link while the present one, if it still lives, is in use.
  private move(link: Link | undefined, attempts: number): void {
    this.options.servers.advance();
    try {
      this.state = { at: 'moving', link, successor: this.open(), attempts };
    } catch {
      this.moveElsewhere(link, attempts, ABNORMAL_CLOSE, undefined);
    }
  }

  // This server did not let us in. While the present link lives, another one
  // may; when all were tried, the link is used until it ends.
  private moveElsewhere(link: Link | undefined, attempts: number, code: number, refusal: ChatError | undefined): void {
    if (!link) return this.lost(code, refusal);
    this.state = { at: 'linked', link };
    if (attempts > 1) this.moveTimer.start(this.options.random() * AROUND_MS, () => this.move(this.link, attempts - 1));
  }

  private down(link: Link, code: number, refusal: ChatError | undefined): void {
    const { state } = this;
    this.heard = Math.max(this.heard, link.lastHeard);
    if (state.at === 'moving' && state.successor === link) {
      this.moveElsewhere(state.link, state.attempts, code, refusal);
    } else if (state.at === 'moving' && state.link === link) {
      this.leftAlone(state, code);
    } else if (state.at === 'linked' && state.link === link && this.moveTimer.running && !endOfClose(code)) {
      // The node has said that it goes: the move begins now.
      this.moveTimer.stop();
      this.port.paused();
      this.move(undefined, this.options.servers.size);
    } else if ((state.at === 'dialling' || state.at === 'linked') && state.link === link) {
      this.lost(code, refusal);
    }
  }

  private leftAlone(state: DialState & { at: 'moving' }, code: number): void {
    const end = endOfClose(code);
    if (!end) {
      this.state = { ...state, link: undefined };
      return this.port.paused();
    }
    this.state = { at: 'waiting' };
    state.successor.close();
    this.port.refused(end);
  }

  private lost(code: number, refusal: ChatError | undefined): void {
    const { servers } = this.options;
    const dialled = this.state.at !== 'linked';
    this.state = { at: 'waiting' };
    this.stableTimer.stop();
    this.moveTimer.stop();
    const end = refusal ? endOfRefusal(refusal, this.welcomedOnce) : this.endOfLink(code, dialled);
    if (end) return this.port.refused(end);
    if (dialled || servers.size > 1) servers.advance();
    this.retryAfter(refusal?.retryAfterMs ?? (code === CLOSE.overloaded ? OVERLOADED_MS : 0));
  }

  // A hello that one side cannot take is like every other such request: it must
  // not be said for ever.
  private endOfLink(code: number, dialled: boolean): End | undefined {
    if (dialled && isProtocolClose(code) && ++this.hellosRefused >= MAX_HELLOS_REFUSED) {
      return { reason: 'refused', error: frameRefused() };
    }
    return endOfClose(code);
  }

  private retryAfter(leastMs: number): void {
    const retryInMs = leastMs + this.wait();
    this.retryTimer.start(retryInMs, () => this.connect());
    this.port.lost(Math.max(this.serversTried, this.backoff.attempt), retryInMs);
  }

  // With several servers the waits grow once around: until then another one is
  // likely to be there.
  private wait(): number {
    this.serversTried++;
    const { servers, random } = this.options;
    return servers.size > 1 && this.serversTried <= servers.size ? Math.round(random() * AROUND_MS) : this.backoff.next();
  }
}

const FIRST_RETRY_MS = 250;
const RETRY_CAP_MS = 10_000;
// Between servers that have not been tried since the last welcome.
const AROUND_MS = 100;
// A server that does not welcome us by then hangs; others may not.
const FAIL_FAST_CONNECT_MS = 2_000;
// A younger attempt may have seen the network as it is now.
const FRESH_MS = 1_000;
// A link that was left is closed by then, whatever it still waits for.
const FORMER_MS = 5_000;
// A link that lasted so long was a good one: the next loss is retried quickly.
const STABLE_MS = 3_000;
// A server with too much to do wants to be left alone for a while.
const OVERLOADED_MS = 2_000;
const MAX_HELLOS_REFUSED = 3;

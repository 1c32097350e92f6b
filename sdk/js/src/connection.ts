import { Backoff } from './backoff.js';
import type { ServerClock } from './clock.js';
import type { EndReason } from './ending.js';
import { endOfClose, endOfRefusal, isFinal } from './ending.js';
import { ChatError, Code, connectionLost } from './errors.js';
import type { AskKind, Reply, Requests, ServerBody, Welcome } from './frames.js';
import { randomHex } from './hex.js';
import type { LinkOptions } from './link.js';
import { Link } from './link.js';
import type { ServerList } from './server.js';
import type { WebSocketConstructor } from './socket.js';

/** Who logs in. */
export interface Login {
  readonly appID: number;
  readonly userID: string;
  readonly token: string;
  /** Empty or absent keeps the name that the server knows. */
  readonly userName?: string;
  readonly avatarUrl?: string;
}

/** Where a login stands. */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'reconnecting';

/** A step of the connection's life. */
export type StateChange =
  | { readonly state: 'connecting' }
  | { readonly state: 'connected'; readonly resumed: boolean; readonly welcome: Welcome }
  | { readonly state: 'reconnecting'; readonly attempt: number; readonly retryInMs: number }
  | { readonly state: 'disconnected'; readonly reason: EndReason; readonly error?: ChatError };

export interface ConnectionOptions {
  readonly servers: ServerList;
  readonly WebSocket: WebSocketConstructor;
  readonly clock: ServerClock;
  readonly platform: string;
  readonly connectTimeoutMs: number;
  readonly random: () => number;
  /** Gives a new token when the present one has expired. */
  readonly freshToken?: () => Promise<string>;
}

export interface ConnectionHandlers {
  changed(change: StateChange): void;
  pushed(body: NonNullable<ServerBody>): void;
  /** Another link has taken over while the first one still worked. */
  moved(): void;
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: ChatError) => void;
}

/**
 * Keeps one login alive over as many links as it takes.
 *
 *   disconnected --login--> connecting --welcome--> connected
 *   connecting, connected --link lost--> reconnecting --welcome--> connected
 *   any --logout, refused, kicked, token expired--> disconnected
 *
 * A node that is going away asks to be left: then the next link is made while
 * the present one is in use, and takes over when it is welcomed.
 *
 * Only a refusal that waiting cannot cure ends the login; an unreachable
 * server is tried for ever, with jitter. After the first welcome every hello
 * says `resume`, so that coming back never throws out another device.
 */
export class Connection {
  private current: ConnectionState = 'disconnected';
  private who: Login | undefined;
  private deviceID = '';
  private heard = 0;
  private welcomed = false;
  // Whether a fresh token was fetched since the last welcome.
  private refreshed = false;
  private link: Link | undefined;
  // The link that is to take over.
  private next: Link | undefined;
  // Servers tried since one welcomed us, without a long wait between them.
  private tried = 0;
  private up: Deferred = deferred();
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private stableTimer: ReturnType<typeof setTimeout> | undefined;
  private moveTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly backoff: Backoff;

  constructor(
    private readonly options: ConnectionOptions,
    private readonly handlers: ConnectionHandlers,
  ) {
    this.backoff = new Backoff({ first: FIRST_RETRY_MS, cap: RETRY_CAP_MS }, options.random);
  }

  /** Where the login stands. */
  get state(): ConnectionState {
    return this.current;
  }

  /** The login under way or done. */
  get login(): Login | undefined {
    return this.who;
  }

  /** Server time when the server was last heard. */
  get lastHeard(): number {
    return Math.max(this.heard, this.link?.lastHeard ?? 0);
  }

  /** The same for the links before the present one. */
  get heardBefore(): number {
    return this.heard;
  }

  /**
   * Logs in and keeps connected until `end`. Resolves with the first welcome,
   * rejects when the login ends before it.
   */
  start(login: Login): Promise<void> {
    this.who = login;
    this.deviceID = `${this.options.platform}-${randomHex(8)}`;
    this.welcomed = false;
    this.refreshed = false;
    this.heard = 0;
    this.backoff.reset();
    this.up = deferred();
    this.enter({ state: 'connecting' });
    this.connect();
    return this.up.promise;
  }

  /** Resolves while connected; rejects when that takes longer or the login ends. */
  whenConnected(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new ChatError(Code.Network, 'No connection to the server.')), timeoutMs);
      const done = (settle: () => void) => (): void => {
        clearTimeout(timer);
        settle();
      };
      this.up.promise.then(done(resolve), (error: ChatError) => done(() => reject(error))());
    });
  }

  /** Asks on the present link; rejects at once without one. */
  ask<K extends AskKind>(kind: K, value: Requests[K], timeoutMs: number): Promise<Reply<K>> {
    if (!this.link || this.current !== 'connected') return Promise.reject(connectionLost());
    return this.link.ask(kind, value, timeoutMs);
  }

  /** The token for the next hello. */
  replaceToken(token: string): void {
    if (this.who) this.who = { ...this.who, token };
  }

  /** The network may have changed: retry now, or find out whether the link still lives. */
  nudge(): void {
    if (this.current === 'connected') this.link?.check();
    else if (this.retryTimer !== undefined) this.connect();
  }

  /** Ends the login from this side. */
  end(reason: EndReason, error?: ChatError): void {
    if (this.current === 'disconnected') return;
    const link = this.link;
    this.link = undefined;
    if (reason === 'logout') link?.goodbye();
    else link?.close();
    this.finish(reason, error);
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    try {
      this.link = this.open();
    } catch (error) {
      // The class refuses the address, as browsers do with ws: on an https: page.
      this.finish('refused', new ChatError(Code.InvalidParam, String(error)));
    }
  }

  private open(): Link {
    const link: Link = new Link(this.linkOptions(), {
      welcomed: (welcome) => this.link === link && this.enterConnected(welcome),
      pushed: (body) => this.link === link && this.pushed(body),
      down: (code, refusal) => this.link === link && this.lost(code, refusal),
    });
    return link;
  }

  private linkOptions(): LinkOptions {
    const { servers, WebSocket, clock, platform, connectTimeoutMs } = this.options;
    const impatient = servers.size > 1;
    const login = this.who as Login;
    const hello = {
      appID: login.appID,
      userID: login.userID,
      token: login.token,
      userName: login.userName ?? '',
      avatarUrl: login.avatarUrl ?? '',
      deviceID: this.deviceID,
      platform,
      resume: this.welcomed,
    };
    const patience = impatient ? Math.min(connectTimeoutMs, IMPATIENT_CONNECT_MS) : connectTimeoutMs;
    return { WebSocket, url: servers.current, hello, clock, connectTimeoutMs: patience, impatient };
  }

  private enterConnected(welcome: Welcome): void {
    const resumed = this.welcomed;
    this.welcomed = true;
    this.refreshed = false;
    this.tried = 0;
    this.options.servers.learn(welcome.servers);
    this.stableTimer = setTimeout(() => this.backoff.reset(), STABLE_MS);
    this.enter({ state: 'connected', resumed, welcome });
    this.up.resolve();
  }

  private pushed(body: NonNullable<ServerBody>): void {
    if (body.kind === 'kicked') {
      this.end(body.value.reason === 'tokenExpired' ? 'tokenExpired' : 'kicked');
    } else if (body.kind === 'reconnect') {
      this.moveTimer ??= setTimeout(() => this.move(), this.options.random() * body.value.afterMs);
    } else {
      this.handlers.pushed(body);
    }
  }

  // If it fails, the present link stays until it is closed.
  private move(): void {
    this.moveTimer = undefined;
    if (this.current !== 'connected' || this.next) return;
    this.options.servers.advance();
    const next: Link = new Link(this.linkOptions(), {
      welcomed: () => this.next === next && this.takeOver(next),
      pushed: (body) => this.link === next && this.pushed(body),
      down: (code, refusal) => {
        if (this.link === next) this.lost(code, refusal);
        else if (this.next === next) this.next = undefined;
      },
    });
    this.next = next;
  }

  // The server closes the old link, once it has answered what was asked there.
  private takeOver(next: Link): void {
    const old = this.link;
    this.heard = this.lastHeard;
    this.link = next;
    this.next = undefined;
    setTimeout(() => old?.close(), LEFT_BEHIND_MS);
    this.handlers.moved();
  }

  private abandon(): void {
    clearTimeout(this.moveTimer);
    this.moveTimer = undefined;
    const next = this.next;
    this.next = undefined;
    next?.close();
  }

  private lost(code: number, refusal: ChatError | undefined): void {
    this.heard = this.lastHeard;
    this.link = undefined;
    this.abandon();
    clearTimeout(this.stableTimer);
    if (refusal && isFinal(refusal)) return this.refused(refusal);
    const end = endOfClose(code);
    if (end) return this.finish(end.reason, end.error);
    if (this.current === 'connected') this.up = deferred();
    if (this.current !== 'connected' || this.options.servers.size > 1) this.options.servers.advance();
    this.retryAfter(refusal?.retryAfterMs ?? 0);
  }

  private refused(refusal: ChatError): void {
    const reason = endOfRefusal(refusal, this.welcomed);
    const { freshToken } = this.options;
    if (reason !== 'tokenExpired' || !freshToken || this.refreshed) return this.finish(reason, refusal);
    this.refreshed = true;
    const { who } = this;
    freshToken().then(
      (token) => {
        if (this.who !== who) return;
        this.replaceToken(token);
        this.connect();
      },
      () => this.who === who && this.finish(reason, refusal),
    );
  }

  private retryAfter(leastMs: number): void {
    const retryInMs = leastMs + this.wait();
    const attempt = Math.max(this.tried, this.backoff.attempt);
    this.retryTimer = setTimeout(() => this.connect(), retryInMs);
    this.enter({ state: 'reconnecting', attempt, retryInMs });
  }

  // With several servers the waits grow once around: until then another one is
  // likely to be there.
  private wait(): number {
    this.tried++;
    const { servers, random } = this.options;
    return servers.size > 1 && this.tried <= servers.size ? Math.round(random() * AROUND_MS) : this.backoff.next();
  }

  private finish(reason: EndReason, error?: ChatError): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.stableTimer);
    this.abandon();
    this.retryTimer = undefined;
    this.who = undefined;
    this.up.reject(error ?? new ChatError(Code.Network, ENDED[reason]));
    this.enter(error ? { state: 'disconnected', reason, error } : { state: 'disconnected', reason });
  }

  private enter(change: StateChange): void {
    this.current = change.state;
    this.handlers.changed(change);
  }
}

const FIRST_RETRY_MS = 250;
const RETRY_CAP_MS = 10_000;
// Between servers that have not been tried since the last welcome.
const AROUND_MS = 100;
// A server that does not welcome us by then hangs; others may not.
const IMPATIENT_CONNECT_MS = 2_000;
// A link that was left behind is closed by then, whatever it still waits for.
const LEFT_BEHIND_MS = 5_000;
// A link that lasted so long was a good one: the next loss is retried quickly.
const STABLE_MS = 3_000;

const ENDED: Record<EndReason, string> = {
  logout: 'Logged out.',
  refused: 'The login was refused.',
  kicked: 'Another device has logged in.',
  tokenExpired: 'The token has expired.',
};

function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (error: ChatError) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Nobody may be waiting when the login ends.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

import type { DialOptions } from './dial.js';
import { Dial } from './dial.js';
import type { End, EndReason } from './ending.js';
import { blamesToken } from './ending.js';
import { asChatError, ChatError, Code } from './errors.js';
import type { AskKind, Hello, Reply, Requests, ServerBody, Welcome } from './frames.js';
import { Gate } from './gate.js';
import { methods } from './gen/wire/wire.js';
import { randomHex } from './hex.js';
import type { Log } from './log.js';
import { loggedRequest } from './log.js';
import type { GetToken } from './provider.js';
import { TokenProvider } from './provider.js';
import { askUntilAnswered } from './retry.js';
import { TokenSlot } from './slot.js';

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

export interface ConnectionOptions extends DialOptions {
  readonly platform: string;
  /** For how long a question waits for its answer, reconnects included. */
  readonly requestTimeoutMs: number;
  readonly getToken?: GetToken;
  readonly log?: Log;
}

export interface ConnectionHandlers {
  changed(change: StateChange): void;
  pushed(body: NonNullable<ServerBody>): void;
  /** For a moment there is no link; `moved` or a change of the state follows. */
  paused(): void;
  /** Another link has taken over, without a change of the state. */
  moved(): void;
}

/**
 * One login from its beginning to its end, over as many links as it takes.
 *
 *   connecting --welcome--> connected
 *   connecting, connected --link lost--> reconnecting --welcome--> connected
 *   any --logout, refused, kicked, token expired--> disconnected
 *
 * Only a refusal that waiting cannot cure ends it. An unreachable server is
 * tried for ever; a token that was refused is no end while there is another one
 * to try, or somebody who gives one. After the first welcome every hello says
 * `resume`, so that coming back never throws out another device.
 */
export class Connection {
  private current: ConnectionState = 'connecting';
  // A token was refused, and the next attempt waits for another one.
  private needsToken = false;
  private endError: ChatError | undefined;
  private renewing: { readonly token: string; readonly done: Promise<void> } | undefined;
  private readonly deviceID: string;
  private readonly gate = new Gate();
  private readonly dial: Dial;
  private readonly tokens: TokenSlot;
  private readonly provider: TokenProvider | undefined;

  constructor(
    readonly login: Login,
    private readonly options: ConnectionOptions,
    private readonly handlers: ConnectionHandlers,
  ) {
    this.deviceID = `${options.platform}-${randomHex(8)}`;
    this.tokens = new TokenSlot(login.token);
    this.dial = new Dial(options, {
      hello: (resume, link) => this.hello(resume, link),
      welcomed: (welcome, resumed) => this.welcomed(welcome, resumed),
      pushed: (body) => this.pushed(body),
      paused: () => this.paused(),
      moved: () => this.moved(),
      lost: (attempt, retryInMs) => this.lost(attempt, retryInMs),
      refused: (end) => this.refused(end),
    });
    this.provider =
      options.getToken &&
      new TokenProvider(
        options.getToken,
        { fetched: (token) => this.fetched(token), refused: (error) => this.finish('refused', error) },
        options.random,
      );
  }

  /** Where the login stands. */
  get state(): ConnectionState {
    return this.current;
  }

  /** Server time when the server was last heard. */
  get lastHeard(): number {
    return this.dial.lastHeard;
  }

  /** The same for the links before the present one. */
  get heardEarlier(): number {
    return this.dial.heardEarlier;
  }

  /** Logs in. Resolves with the first welcome, rejects when the login ends before it. */
  start(): Promise<void> {
    this.enter({ state: 'connecting' });
    if (this.current === 'connecting') this.dial.connect();
    return this.gate.pass(Infinity).catch((over: ChatError) => {
      throw this.endError ?? over;
    });
  }

  /** Resolves while there is a link; rejects when that takes longer or the login ends. */
  whenConnected(timeoutMs: number): Promise<void> {
    return this.gate.pass(timeoutMs);
  }

  /** Resolves after this time; rejects when the login ends before. */
  pause(ms: number): Promise<void> {
    return this.gate.pause(ms);
  }

  /** Asks on the present link; rejects at once without one. */
  ask<K extends AskKind>(kind: K, value: Requests[K], timeoutMs: number, requestID?: string): Promise<Reply<K>> {
    return loggedRequest(this.options.log, kind, this.dial.ask(kind, value, timeoutMs, requestID));
  }

  /**
   * Asks as the contract says for the method: a read again and again until it
   * is answered, over reconnects; a write too, under one id; the others once.
   */
  request<K extends AskKind>(kind: K, value: Requests[K]): Promise<Reply<K>> {
    const { requestTimeoutMs } = this.options;
    const { kind: policy } = methods[kind];
    if (policy === 'once') return this.ask(kind, value, requestTimeoutMs);
    return askUntilAnswered(this, kind, value, requestTimeoutMs, policy === 'write' ? randomHex(16) : '');
  }

  /**
   * Replaces the token before it expires. The same token given again while it
   * is being renewed shares that renewal; another one follows it.
   */
  renewToken(token: string): Promise<void> {
    if (this.renewing?.token === token) return this.renewing.done;
    const before = this.renewing?.done.catch(() => undefined);
    const done = (before ?? Promise.resolve()).then(() => this.renew(token));
    const renewing = { token, done };
    this.renewing = renewing;
    const finished = (): void => {
      if (this.renewing === renewing) this.renewing = undefined;
    };
    done.then(finished, finished);
    return done;
  }

  /** The network may be back: try now, or find out whether the link still lives. */
  hurry(): void {
    this.provider?.hurry();
    this.dial.hurry();
  }

  /** The network may be gone: find out whether the link still lives. */
  check(): void {
    this.dial.check();
  }

  /** Ends the login from this side. */
  logout(): void {
    this.finish('logout');
  }

  private hello(resume: boolean, link: number): Hello {
    const { appID, userID, userName = '', avatarUrl = '' } = this.login;
    const { deviceID, tokens, options } = this;
    return { appID, userID, token: tokens.say(), userName, avatarUrl, deviceID, platform: options.platform, resume, link };
  }

  private welcomed(welcome: Welcome, resumed: boolean): void {
    this.tokenAccepted();
    this.enter({ state: 'connected', resumed, welcome });
    this.gate.open();
  }

  private moved(): void {
    this.tokenAccepted();
    this.gate.open();
    this.handlers.moved();
  }

  private tokenAccepted(): void {
    this.tokens.accept(this.tokens.said);
    this.provider?.accepted();
  }

  private pushed(body: NonNullable<ServerBody>): void {
    this.handlers.pushed(body);
    if (body.kind === 'tokenExpiring') this.provider?.ask();
  }

  private paused(): void {
    this.gate.close();
    this.handlers.paused();
  }

  private lost(attempt: number, retryInMs: number): void {
    this.gate.close();
    this.enter({ state: 'reconnecting', attempt, retryInMs });
  }

  // No refusal of a token is final while there is another one to try.
  private refused({ reason, error }: End): void {
    if (!blamesToken(error)) return this.finish(reason, error);
    const another = this.tokens.refuse();
    this.needsToken = !another && reason === 'tokenExpired' && this.provider !== undefined;
    if (!another && !this.needsToken) return this.finish(reason, error);
    if (this.current === 'connected') this.lost(1, 0);
    if (this.current === 'disconnected') return;
    if (another) this.dial.connect();
    else this.provider?.ask();
  }

  private async fetched(token: string): Promise<void> {
    if (!this.needsToken) return this.renewToken(token);
    // Not in place of the expired one: when this one is refused, that one says again that a token is needed.
    this.tokens.offer(token);
    this.reconnectWithToken();
  }

  private reconnectWithToken(): void {
    this.needsToken = false;
    this.dial.connect();
  }

  // Until the server has answered, the next hello tries the new token: the old
  // one may expire before.
  private async renew(token: string): Promise<void> {
    this.tokens.offer(token);
    if (this.needsToken) this.reconnectWithToken();
    try {
      await this.request('renewToken', { token });
      this.tokens.accept(token);
      this.provider?.accepted();
    } catch (reason) {
      if (blamesToken(asChatError(reason))) this.tokens.withdraw(token);
      throw reason;
    }
  }

  // The login rejects with its end's own code. To what was under way the end is
  // a lost connection, whatever it was: nobody knows whether it was done.
  private finish(reason: EndReason, error?: ChatError): void {
    if (this.current === 'disconnected') return;
    this.current = 'disconnected';
    this.provider?.stop();
    this.endError = error;
    this.gate.end(new ChatError(Code.Network, error?.message ?? 'Logged out.'));
    this.dial.stop(reason === 'logout');
    this.handlers.changed({ state: 'disconnected', reason, ...(error && { error }) });
  }

  // A listener may have ended the login when this returns.
  private enter(change: StateChange): void {
    if (this.current === 'disconnected') return;
    this.current = change.state;
    this.handlers.changed(change);
  }
}

import { ServerClock } from './clock.js';
import type { ConnectionState, Login, StateChange } from './connection.js';
import { Connection } from './connection.js';
import type { Conversation, ConversationRef, Limits, Message, MessageContent } from './domain.js';
import { Emitter } from './emitter.js';
import { ChatError, Code } from './errors.js';
import type { ChatClientEvents } from './events.js';
import type { AskKind, ConversationPage, HistoryPage, HistoryRequest, ListRequest, Reply, Requests, ServerBody } from './frames.js';
import { PAGE_BYTES } from './frames.js';
import type { Log, LogEntry } from './log.js';
import { isMessageID, newMessageID } from './messageid.js';
import { defaultPlatform, defaultWebSocket, watchNetwork } from './platform.js';
import type { GetToken } from './provider.js';
import { ServerList } from './server.js';
import { Session } from './session.js';
import type { WebSocketConstructor } from './socket.js';
import { wellFormed } from './text.js';

/** How to make a client. Only the server is needed. */
export interface ChatClientOptions {
  /** The http(s) address of a server, or several that are tried in turn; a path is that of a proxy. */
  readonly server: string | readonly string[];
  /** Needed where no global WebSocket exists, as in Node 20. */
  readonly WebSocket?: WebSocketConstructor;
  /** For how long a message is tried, in milliseconds; 5 minutes unless told. Infinity never gives up. */
  readonly resendWindowMs?: number;
  /** For how long a question waits for its answer, reconnects included; 15 s unless told. */
  readonly requestTimeoutMs?: number;
  /** Gives a fresh token when the present one is about to expire, or has expired. */
  readonly getToken?: GetToken;
  /** Takes what there is to log; neither tokens nor messages are. */
  readonly log?: Log;
  /** A source of numbers from 0 to 1 for jitter. */
  readonly random?: () => number;
}

/** A message to send: the content and where to. */
export interface Draft extends Partial<Omit<MessageContent, 'type' | 'body'>> {
  readonly conversation: ConversationRef;
  readonly type: number;
  readonly body: Uint8Array;
  /** On a retry the id of the first attempt, from `newMessageID`; without it a new one is made. */
  readonly clientMessageID?: string;
}

/**
 * A chat client: one user on one device. It keeps itself connected between
 * `login` and `logout`, sends each message once however often the connection
 * breaks, and gives out each message once and in order.
 */
export class ChatClient {
  private readonly events = new Emitter<ChatClientEvents>();
  private readonly clock = new ServerClock();
  private readonly servers: ServerList;
  private readonly random: () => number;
  private connection: Connection | undefined;
  private session: Session | undefined;
  private unwatch: (() => void) | undefined;
  private appLimits: Limits | undefined;

  constructor(private readonly options: ChatClientOptions) {
    requireDuration('resendWindowMs', options.resendWindowMs);
    requireDuration('requestTimeoutMs', options.requestTimeoutMs);
    this.random = options.random ?? Math.random;
    this.servers = new ServerList(options.server, this.random);
  }

  /** Where the login stands. */
  get state(): ConnectionState {
    return this.connection?.state ?? 'disconnected';
  }

  /** The user of the login under way or done. */
  get userID(): string | undefined {
    return this.connection?.login.userID;
  }

  /** The app's limits, as the last welcome told them. */
  get limits(): Limits | undefined {
    return this.appLimits;
  }

  /** True from the first welcome to the end of the login. */
  get loggedIn(): boolean {
    return this.session !== undefined;
  }

  /** Server time by estimate, in milliseconds. */
  serverNow(): number {
    return this.clock.now();
  }

  /** Adds a listener and gives the function that removes it. */
  on<K extends keyof ChatClientEvents>(event: K, listener: ChatClientEvents[K]): () => void {
    return this.events.on(event, listener);
  }

  /** Removes a listener. */
  off<K extends keyof ChatClientEvents>(event: K, listener: ChatClientEvents[K]): void {
    this.events.off(event, listener);
  }

  /**
   * Logs in. Rejects when the server refuses; an unreachable server is tried
   * for ever, until `logout`.
   */
  async login(login: Login): Promise<void> {
    if (this.connection) throw new ChatError(Code.OtherUserLoggedIn, 'Log out before the next login.');
    const { getToken, log, WebSocket = defaultWebSocket(), requestTimeoutMs = REQUEST_TIMEOUT_MS } = this.options;
    const connection: Connection = new Connection(
      login,
      {
        servers: this.servers,
        WebSocket,
        clock: this.clock,
        platform: defaultPlatform(),
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        requestTimeoutMs,
        random: this.random,
        ...(getToken && { getToken }),
        ...(log && { log }),
      },
      {
        changed: (change) => this.changed(connection, change),
        pushed: (body) => this.pushed(body),
        paused: () => this.session?.pause(),
        moved: () => this.session?.resume(connection.heardEarlier),
      },
    );
    this.connection = connection;
    this.unwatch = watchNetwork({ back: () => connection.hurry(), gone: () => connection.check() });
    return connection.start();
  }

  /**
   * Does not wait for the next attempt to connect, and finds out within a few
   * seconds whether a connection still lives. Browsers need no such call; it is
   * for places that say in another way that the network is back.
   */
  reconnectNow(): void {
    this.connection?.hurry();
  }

  /** Logs out; what is under way rejects. Does nothing without a login. */
  logout(): void {
    this.connection?.logout();
  }

  /** Logs out and forgets all listeners. */
  close(): void {
    this.logout();
    this.events.clear();
  }

  /**
   * Replaces the token before it expires; without a connection the next
   * attempt uses it. When the server refuses it, the present one stays.
   */
  async renewToken(token: string): Promise<void> {
    await this.needConnection().renewToken(token);
  }

  /** The id of a new message, to be kept over all its attempts. */
  newMessageID(): string {
    return newMessageID(this.clock.now());
  }

  /**
   * Sends a message: resolves when it is durable, rejects when it was refused
   * or the window has passed. Messages of one conversation keep their order.
   *
   * To be able to repeat a send whose outcome is unknown, in this login or a
   * later one, of this page or another: take an id from `newMessageID`, keep it
   * with the message, and send both again. The message is stored once.
   */
  async send(draft: Draft): Promise<Message> {
    const { clientMessageID = this.newMessageID(), extendedData = '', searchedContent = '' } = draft;
    if (!isMessageID(clientMessageID)) {
      throw new ChatError(Code.InvalidParam, 'clientMessageID must be an id from newMessageID: 32 hexadecimal digits.');
    }
    return this.needSession().send({
      ...DRAFT_DEFAULTS,
      ...draft,
      clientMessageID,
      extendedData: wellFormed(extendedData),
      searchedContent: wellFormed(searchedContent),
    });
  }

  /**
   * Asks the server, by the name of a method of the contract. What may be asked
   * twice without harm is repeated, over reconnects, until it is answered.
   */
  async ask<K extends AskKind>(method: K, request: Requests[K]): Promise<Reply<K>> {
    this.needSession();
    return this.needConnection().request(method, request);
  }

  /**
   * A page of a conversation's messages. It may have fewer than were asked for:
   * firstSeq to lastSeq is what it covers.
   */
  async history(request: HistoryRequest): Promise<HistoryPage> {
    return this.ask('queryMessages', { maxBytes: PAGE_BYTES, ...request });
  }

  /** A page of the conversation list, latest first. */
  async list(request: ListRequest): Promise<ConversationPage> {
    return this.needSession().list(request, true);
  }

  /** An entry of the list, if this login has seen it. */
  conversation(ref: ConversationRef): Conversation | undefined {
    return this.session?.store.get(ref);
  }

  /** Marks everything in a conversation as read. */
  async clearUnread(ref: ConversationRef): Promise<void> {
    await this.needSession().clearUnread(ref);
  }

  private needSession(): Session {
    if (!this.session) throw new ChatError(Code.NotLoggedIn, 'Not logged in.');
    return this.session;
  }

  private needConnection(): Connection {
    if (!this.connection) throw new ChatError(Code.NotLoggedIn, 'Not logged in.');
    return this.connection;
  }

  private changed(connection: Connection, change: StateChange): void {
    if (connection !== this.connection) return;
    this.options.log?.(stateEntry(change));
    if (change.state === 'connected') return this.connected(connection, change);
    if (change.state === 'disconnected') return this.disconnected(change);
    if (change.state === 'reconnecting') this.session?.pause();
    this.events.emit('state', change);
  }

  private connected(connection: Connection, change: StateChange & { state: 'connected' }): void {
    this.appLimits = change.welcome.limits;
    const lastHeard = connection.heardEarlier;
    const session = this.session;
    this.session ??= this.newSession(connection, change.welcome.serverTime);
    this.events.emit('state', change);
    if (connection !== this.connection) return; // a listener has logged out
    if (session) session.resume(lastHeard);
    else this.session?.begin();
  }

  private disconnected(change: StateChange & { state: 'disconnected' }): void {
    const session = this.session;
    this.session = undefined;
    this.connection = undefined;
    this.unwatch?.();
    this.events.emit('state', change);
    session?.end(new ChatError(Code.Network, 'The login is over; the outcome is unknown.'));
  }

  private newSession(connection: Connection, loginTime: number): Session {
    return new Session(
      {
        selfID: connection.login.userID,
        resendWindowMs: this.options.resendWindowMs ?? RESEND_WINDOW_MS,
        random: this.random,
        attempt: (request) => connection.ask('sendMessage', request, SEND_TIMEOUT_MS),
        request: (kind, value) => connection.request(kind, value),
        lastHeard: () => connection.lastHeard,
        emit: (event, ...args) => this.events.emit(event, ...args),
      },
      loginTime,
    );
  }

  private pushed(body: NonNullable<ServerBody>): void {
    this.options.log?.({ level: 'debug', event: 'push', details: { kind: body.kind } });
    if (body.kind === 'tokenExpiring') this.events.emit('tokenExpiring', body.value.seconds);
    else this.session?.pushed(body);
  }
}

function stateEntry(change: StateChange): LogEntry {
  switch (change.state) {
    case 'connecting':
      return { level: 'info', event: 'state', details: { state: change.state } };
    case 'connected':
      return { level: 'info', event: 'state', details: { state: change.state, resumed: change.resumed, node: change.welcome.node } };
    case 'reconnecting':
      return { level: 'warn', event: 'state', details: { state: change.state, attempt: change.attempt, retryInMs: Math.round(change.retryInMs) } };
    case 'disconnected': {
      const level = change.reason === 'logout' ? 'info' : 'error';
      return { level, event: 'state', details: { state: change.state, reason: change.reason, code: change.error?.code ?? 0 } };
    }
  }
}

const CONNECT_TIMEOUT_MS = 10_000;
const SEND_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const RESEND_WINDOW_MS = 5 * 60_000;

function requireDuration(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return;
  throw new ChatError(Code.InvalidParam, `${name} must be a number of milliseconds from 0 on.`);
}

const DRAFT_DEFAULTS: Omit<MessageContent, 'type' | 'body'> = {
  subType: 0,
  priority: 1,
  extendedData: '',
  searchedContent: '',
  mentionedUserIDs: [],
  mentionAll: false,
};

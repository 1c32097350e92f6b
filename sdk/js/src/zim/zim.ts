import { ChatClient } from '../client.js';
import type { Login } from '../connection.js';
import { guarded } from '../emitter.js';
import { ChatError, Code } from '../errors.js';
import { VERSION } from '../version.js';
import { capabilities } from './capabilities.js';
import { ConsoleLog } from './console.js';
import type { ZIMGeofencingType } from './enums/index.js';
import { install } from './install.js';
import { relay } from './relay.js';
import type { EventName, Payload } from './row.js';
import { loginOf } from './session/login.js';
import { defaultServer } from './session/origin.js';
import type { Events, Methods } from './surface.js';
import type { ZIMAppConfig, ZIMLogConfig, ZIMLoginConfig, ZIMLogoutConfig, ZIMUserInfo } from './types/index.js';

/** A login under way or done. */
interface Entered {
  readonly userID: string;
  readonly token: string;
  readonly done: Promise<void>;
}

/** The events of a ZIM instance; each listener is given the instance first. */
export interface ZIMEventHandler extends Events<ZIM> {}

type Listeners = { [K in keyof ZIMEventHandler]?: ZIMEventHandler[K] };

/** The methods of the capabilities, which the tables implement. */
export interface ZIM extends Methods {}

/**
 * The drop-in for the class ZIM of zego-zim-web 2.29.0: the names, signatures,
 * codes and events of that package, on Parley's core client.
 *
 * Every promise rejects with `{ code, message }`. Without a login the code is
 * 6000121, whatever the arguments; after `destroy` it is 6000002.
 */
export class ZIM {
  private static instance: ZIM | null = null;

  private readonly listeners: Listeners = {};
  private readonly console = new ConsoleLog();
  private client: ChatClient | undefined;
  private current: Entered | undefined;
  private destroyed = false;

  private constructor(private readonly config: ZIMAppConfig) {}

  /** The version of this package. */
  static getVersion(): string {
    return VERSION;
  }

  /**
   * Makes the instance: one at a time, further calls give null until it is
   * destroyed. Throws for an app ID that is none.
   */
  static create(appConfig: number | ZIMAppConfig): ZIM | null {
    const config = typeof appConfig === 'number' ? { appID: appConfig } : appConfig;
    if (!isAppID(config?.appID)) throw invalidAppID();
    if (ZIM.instance && !ZIM.instance.destroyed) return null;
    ZIM.instance = new ZIM({ ...config });
    return ZIM.instance;
  }

  /** The instance that was made last; null before the first. */
  static getInstance(): ZIM | null {
    return ZIM.instance;
  }

  /** Accepted without effect: it concerns the vendor's own service. */
  static setAdvancedConfig(_key: string, _value: string): void {}

  /** Accepted without effect: an app chooses its server. */
  static setGeofencingConfig(_areaList: number[], _type: ZIMGeofencingType): boolean {
    return true;
  }

  /** Says how much is logged to the console; nothing before it is called. Neither tokens nor messages are. */
  setLogConfig(config: ZIMLogConfig): void {
    this.console.set(config);
  }

  /** Logs out and ends the instance for good. */
  destroy(): void {
    this.destroyed = true;
    for (const event of Object.keys(this.listeners)) this.off(event as keyof ZIMEventHandler);
    this.client?.close();
  }

  /** Sets the listener of an event; there is one for each, the last one set. */
  on<K extends keyof ZIMEventHandler>(type: K, listener: ZIMEventHandler[K]): void {
    if (!this.destroyed) (this.listeners as Record<K, ZIMEventHandler[K]>)[type] = listener;
  }

  /** Removes the listener of an event. */
  off<K extends keyof ZIMEventHandler>(type: K): void {
    delete this.listeners[type];
  }

  /**
   * Logs in. Stays pending while the server cannot be reached, and tries on;
   * rejects when the server refuses, and with 6000104 when `logout` comes first.
   */
  login(userInfo: ZIMUserInfo, token: string): Promise<void>;
  login(userID: string, config: ZIMLoginConfig): Promise<void>;
  async login(user: ZIMUserInfo | string, secret: string | ZIMLoginConfig): Promise<void> {
    this.needAlive();
    const login = loginOf(this.config.appID, user, secret);
    if (this.current && this.current.userID !== login.userID) {
      throw new ChatError(Code.OtherUserLoggedIn, 'User has already logged in.');
    }
    const { client, current: present } = this;
    if (client && present) return loginAgain(client, present, login.token);
    const current = { userID: login.userID, token: login.token, done: this.start(login) };
    this.current = current;
    current.done.catch(() => {
      if (this.current === current) this.current = undefined;
    });
    return current.done;
  }

  /** Logs out. Does nothing without a login. */
  logout(_config?: ZIMLogoutConfig): void {
    this.client?.logout();
  }

  private start(login: Login): Promise<void> {
    this.client ??= this.newClient();
    return this.client.login(login);
  }

  private newClient(): ChatClient {
    const { server = defaultServer(), WebSocket, resendWindowMs, getToken } = this.config;
    const client = new ChatClient({
      server,
      log: this.console.log,
      ...(WebSocket && { WebSocket }),
      ...(resendWindowMs !== undefined && { resendWindowMs }),
      ...(getToken && { getToken }),
    });
    client.on('state', ({ state }) => {
      if (state === 'disconnected') this.current = undefined;
    });
    relay(client, capabilities, (event, data) => this.emit(event, data));
    return client;
  }

  private emit<K extends EventName>(event: K, data: Payload<K>): void {
    const listener = this.listeners[event] as ((zim: ZIM, data: Payload<K>) => void) | undefined;
    if (listener) guarded(() => listener(this, data));
  }

  private needAlive(): void {
    if (this.destroyed) throw new ChatError(Code.NotInitialized, 'The SDK is not initialized.');
  }

  private needLogin(name: string): ChatClient {
    this.needAlive();
    if (this.client?.loggedIn) return this.client;
    throw new ChatError(Code.NotLoggedIn, `API.${name}: Not logged with call.`);
  }
}

install(ZIM.prototype, capabilities, (zim, name) => zim['needLogin'](name));

// The login goes on, with the newer token: while it is not done yet, the next
// attempt uses that.
function loginAgain(client: ChatClient, { token, done }: Entered, newer: string): Promise<void> {
  if (newer === token) return done;
  const renewed = client.renewToken(newer);
  if (client.loggedIn) return renewed;
  renewed.catch(() => undefined);
  return done;
}

const MAX_APP_ID = 0xffffffff;

function isAppID(appID: unknown): appID is number {
  return typeof appID === 'number' && Number.isInteger(appID) && appID >= 1 && appID <= MAX_APP_ID;
}

// Thrown, not rejected: its message is the JSON that apps of the reference read.
function invalidAppID(): ChatError {
  const message = JSON.stringify({ version: VERSION, code: Code.InvalidAppID, message: 'Invalid AppID.' });
  return new ChatError(Code.InvalidAppID, message);
}

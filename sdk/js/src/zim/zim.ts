import { ChatClient } from '../client.js';
import type { Login } from '../connection.js';
import { guarded } from '../emitter.js';
import { ChatError, Code } from '../errors.js';
import { VERSION } from '../version.js';
import { peerRef } from './check.js';
import { ZIMConversationType } from './enums/index.js';
import { queryHistory } from './history.js';
import { queryList } from './list.js';
import { loginOf } from './login.js';
import { defaultServer } from './origin.js';
import type { Payload } from './relay.js';
import { relay } from './relay.js';
import { Sender } from './send.js';
import { checkTokenForm } from './token.js';
import { installUnbuilt } from './unbuilt.js';
import type {
  ZIMAppConfig,
  ZIMConversationFilterOption,
  ZIMConversationListQueriedResult,
  ZIMConversationQueryConfig,
  ZIMConversationUnreadMessageCountClearedResult,
  ZIMEventHandlerOf,
  ZIMLoginConfig,
  ZIMLogoutConfig,
  ZIMMediaMessage,
  ZIMMediaUploadingProgress,
  ZIMMessage,
  ZIMMessageQueriedResult,
  ZIMMessageQueryConfig,
  ZIMMessageSendConfig,
  ZIMMessageSendNotification,
  ZIMMessageSentResult,
  ZIMTokenRenewedResult,
  ZIMUserInfo,
} from './types/index.js';

/** A login under way or done. */
interface Entered {
  readonly userID: string;
  readonly token: string;
  readonly done: Promise<void>;
}

/** The events of a ZIM instance; each listener is given the instance first. */
export interface ZIMEventHandler extends ZIMEventHandlerOf<ZIM> {}

type Listeners = { [K in keyof ZIMEventHandler]?: ZIMEventHandler[K] };

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
  private client: ChatClient | undefined;
  private sender: Sender | undefined;
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

  /** Replaces the token before it expires. */
  async renewToken(token: string): Promise<ZIMTokenRenewedResult> {
    const { client } = this.needLogin('renewToken');
    checkTokenForm(token);
    await client.renewToken(token);
    return { token };
  }

  /**
   * Sends a message and keeps the given object up to date. While the
   * connection is away the message waits; it is stored once, and after those
   * that were sent before it.
   */
  async sendMessage(
    message: ZIMMessage,
    toConversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult> {
    const { sender } = this.needLogin('sendMessage');
    return sender.send(message, peerRef(toConversationID, conversationType), config, notification);
  }

  /** The older name of sending to a user. */
  sendPeerMessage(
    message: ZIMMessage,
    toUserID: string,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult> {
    return this.sendMessage(message, toUserID, ZIMConversationType.Peer, config, notification);
  }

  /** The older name of sending to a group. */
  sendGroupMessage(
    message: ZIMMessage,
    toGroupID: string,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult> {
    return this.sendMessage(message, toGroupID, ZIMConversationType.Group, config, notification);
  }

  /** The older name of sending to a room. */
  sendRoomMessage(
    message: ZIMMessage,
    toRoomID: string,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult> {
    return this.sendMessage(message, toRoomID, ZIMConversationType.Room, config, notification);
  }

  /** The older name of sending a file; its last argument may be the progress function alone. */
  sendMediaMessage(
    message: ZIMMediaMessage,
    toConversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification | ZIMMediaUploadingProgress,
  ): Promise<ZIMMessageSentResult> {
    const told = typeof notification === 'function' ? { onMediaUploadingProgress: notification } : notification;
    return this.sendMessage(message, toConversationID, conversationType, config, told);
  }

  /** Messages of a conversation, the oldest first; `reverse` pages backwards. */
  async queryHistoryMessage(
    conversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMMessageQueryConfig,
  ): Promise<ZIMMessageQueriedResult> {
    const { client } = this.needLogin('queryHistoryMessage');
    return queryHistory(client, peerRef(conversationID, conversationType), config);
  }

  /** The conversation list, the latest first. */
  async queryConversationList(
    config: ZIMConversationQueryConfig,
    option?: ZIMConversationFilterOption,
  ): Promise<ZIMConversationListQueriedResult> {
    const { client } = this.needLogin('queryConversationList');
    return queryList(client, config, option);
  }

  /** Marks a conversation as read; the changed entry and total come as events. */
  async clearConversationUnreadMessageCount(
    conversationID: string,
    conversationType: ZIMConversationType,
  ): Promise<ZIMConversationUnreadMessageCountClearedResult> {
    const { client } = this.needLogin('clearConversationUnreadMessageCount');
    await client.clearUnread(peerRef(conversationID, conversationType));
    return { conversationID, conversationType };
  }

  private start(login: Login): Promise<void> {
    this.client ??= this.newClient();
    return this.client.login(login);
  }

  private newClient(): ChatClient {
    const { server = defaultServer(), WebSocket, resendWindowMs, getToken } = this.config;
    const client = new ChatClient({
      server,
      ...(WebSocket && { WebSocket }),
      ...(resendWindowMs !== undefined && { resendWindowMs }),
      ...(getToken && { getToken }),
    });
    this.sender = new Sender(client);
    client.on('state', ({ state }) => {
      if (state === 'disconnected') this.current = undefined;
    });
    relay(client, (event, data) => this.emit(event, data));
    return client;
  }

  private emit<K extends keyof ZIMEventHandler>(event: K, data: Payload<K>): void {
    const listener = this.listeners[event] as ((zim: ZIM, data: Payload<K>) => void) | undefined;
    if (listener) guarded(() => listener(this, data));
  }

  private needAlive(): void {
    if (this.destroyed) throw new ChatError(Code.NotInitialized, 'The SDK is not initialized.');
  }

  private needLogin(name: string): { client: ChatClient; sender: Sender } {
    this.needAlive();
    const { client, sender } = this;
    if (client?.loggedIn && sender) return { client, sender };
    throw new ChatError(Code.NotLoggedIn, `API.${name}: Not logged with call.`);
  }
}

installUnbuilt(ZIM, (zim, name) => zim['needLogin'](name));

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

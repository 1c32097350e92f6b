import { ZIMConnectionEvent, ZIMConnectionState, ZIMConversationEvent, ZIMConversationType, ZIMMessageType } from 'parley-chat';
import type { ZIMConversation, ZIMEventHandler, ZIMMessage } from 'parley-chat';
import type { Chat } from '../src/store/environment';

/** A reply that the test gives when it wants to. */
export interface Pending<T> {
  readonly args: readonly unknown[];
  resolve(value: T): void;
  reject(error: { code: number; message: string }): void;
}

/**
 * An SDK object whose server is the test: it keeps a history and a list to read
 * from, lets the test answer logins and sends, and fires events on demand.
 */
export class FakeChat {
  readonly history = new Map<string, ZIMMessage[]>();
  list: ZIMConversation[] = [];
  readonly logins: Pending<void>[] = [];
  readonly sends: Pending<{ message: ZIMMessage }>[] = [];
  readonly cleared: string[] = [];
  /** How often a page of history was asked for. */
  histories = 0;
  readonly renewed: string[] = [];
  destroyed = false;
  serverTime = 1_750_000_900_000;
  /** What the next requests fail with. */
  failing: { code: number; message: string } | undefined;
  private readonly listeners: Partial<ZIMEventHandler> = {};

  /** The object as the store takes it. */
  get chat(): Chat {
    return this as unknown as Chat;
  }

  on<K extends keyof ZIMEventHandler>(type: K, listener: ZIMEventHandler[K]): void {
    this.listeners[type] = listener;
  }

  fire<K extends keyof ZIMEventHandler>(type: K, data: Parameters<ZIMEventHandler[K]>[1]): void {
    (this.listeners[type] as ((zim: unknown, data: unknown) => void) | undefined)?.(this, data);
  }

  login(...args: unknown[]): Promise<void> {
    return pend(this.logins, args);
  }

  /** As the SDK does, it puts an id and the server's time into the message before it returns. */
  sendMessage(message: ZIMMessage, ...more: unknown[]): Promise<{ message: ZIMMessage }> {
    message.localMessageID ||= `local ${this.sends.length + 1}`;
    message.timestamp = this.serverTime;
    return pend(this.sends, [message, ...more]);
  }

  async queryConversationList({ count, nextConversation }: { count: number; nextConversation?: ZIMConversation }) {
    if (this.failing) throw this.failing;
    const from = nextConversation ? this.list.findIndex((one) => one.conversationID === nextConversation.conversationID) + 1 : 0;
    return { conversationList: this.list.slice(from, from + count) };
  }

  async queryHistoryMessage(id: string, _: number, { count, nextMessage }: { count: number; nextMessage?: ZIMMessage }) {
    this.histories++;
    if (this.failing) throw this.failing;
    const all = this.history.get(id) ?? [];
    const end = nextMessage ? all.findIndex((one) => one.messageSeq === nextMessage.messageSeq) : all.length;
    return { messageList: all.slice(Math.max(0, end - count), end) };
  }

  async clearConversationUnreadMessageCount(id: string): Promise<void> {
    this.cleared.push(id);
    if (this.failing) throw this.failing;
  }

  async renewToken(token: string): Promise<void> {
    this.renewed.push(token);
  }

  async logout(): Promise<void> {
    this.state(ZIMConnectionState.Disconnected, ZIMConnectionEvent.Success);
  }

  destroy(): void {
    this.destroyed = true;
  }

  state(state: ZIMConnectionState, event: ZIMConnectionEvent): void {
    this.fire('connectionStateChanged', { state, event, extendedData: '' });
  }

  /** Answers the newest login. */
  welcome(): void {
    this.state(ZIMConnectionState.Connected, ZIMConnectionEvent.Success);
    this.logins.at(-1)?.resolve();
  }

  /** Delivers a message as the SDK does, with its place in the history. */
  deliver(from: string, message: ZIMMessage): void {
    this.history.set(from, [...(this.history.get(from) ?? []), message]);
    this.fire('receivePeerMessage', { fromConversationID: from, messageList: [message] });
  }

  conversation(conversation: ZIMConversation): void {
    this.fire('conversationChanged', { infoList: [{ event: ZIMConversationEvent.Updated, conversation }] });
  }
}

function pend<T>(list: Pending<T>[], args: readonly unknown[]): Promise<T> {
  return new Promise((resolve, reject) => list.push({ args, resolve, reject }));
}

/** A stored text message number `seq`. */
export function stored(seq: number, sender: string, text = `text ${seq}`): ZIMMessage {
  const message: ZIMMessage & { message: string } = {
    type: ZIMMessageType.Text,
    message: text,
    messageID: `m${seq}`,
    messageSeq: seq,
    senderUserID: sender,
    timestamp: 1_750_000_000_000 + seq * 1000,
    orderKey: seq,
  };
  return message;
}

export function conversation(id: string, unread: number, readSeq: number, last?: ZIMMessage): ZIMConversation {
  return {
    conversationID: id,
    type: ZIMConversationType.Peer,
    conversationName: id.toUpperCase(),
    unreadMessageCount: unread,
    readMessageSeq: readSeq,
    orderKey: last?.orderKey ?? 0,
    ...(last ? { lastMessage: last } : {}),
  } as ZIMConversation;
}

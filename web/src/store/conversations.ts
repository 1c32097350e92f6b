import { computed, signal } from '@preact/signals';
import { ZIMConversationEvent, ZIMConversationType } from 'parley-chat/zim';
import type { ZIMConversation, ZIMConversationChangeInfo } from 'parley-chat/zim';
import type { Chat } from './environment';
import { toEntry } from './entry';
import type { Entry } from './entry';

/** One line of the conversation list. */
export interface Conversation {
  readonly id: string;
  readonly name: string;
  readonly unread: number;
  /** Messages up to this number are read. */
  readonly readSeq: number;
  readonly orderKey: number;
  readonly last: Entry | undefined;
}

const pageSize = 100;

/** The conversation list: a mirror of what the SDK tells, loaded page by page. */
export class Conversations {
  private readonly byID = signal<ReadonlyMap<string, Conversation>>(new Map());
  private cursor: ZIMConversation | undefined;
  private readonly loading = signal(false);

  readonly state = signal<'loading' | 'ready' | 'error'>('loading');
  /** True when no older conversation is left on the server. */
  readonly complete = signal(false);
  readonly totalUnread = signal(0);
  /** Latest first. */
  readonly list = computed(() => [...this.byID.value.values()].sort((a, b) => b.orderKey - a.orderKey));

  get(id: string): Conversation | undefined {
    return this.byID.value.get(id);
  }

  /** Forgets everything: somebody else signs in. */
  reset(): void {
    this.byID.value = new Map();
    this.cursor = undefined;
    this.state.value = 'loading';
    this.complete.value = false;
    this.totalUnread.value = 0;
  }

  /** Reads the first page anew, as after a login or a reconnect. */
  async refresh(chat: Chat, self: string): Promise<void> {
    try {
      await this.load(chat, self, undefined);
      this.state.value = 'ready';
    } catch {
      if (this.state.value === 'loading') this.state.value = 'error';
    }
  }

  /** Reads the next page; a second call while one is on its way does nothing. */
  async loadMore(chat: Chat, self: string): Promise<void> {
    if (this.loading.value || this.complete.value || !this.cursor) return;
    await this.load(chat, self, this.cursor).catch(() => undefined);
  }

  /** Takes what the SDK says has changed. */
  apply(changes: readonly ZIMConversationChangeInfo[], self: string): void {
    const next = new Map(this.byID.value);
    for (const { event, conversation } of changes) {
      if (conversation.type !== ZIMConversationType.Peer) continue;
      if (event === ZIMConversationEvent.Deleted) next.delete(conversation.conversationID);
      else next.set(conversation.conversationID, toConversation(conversation, self));
    }
    this.byID.value = next;
  }

  private async load(chat: Chat, self: string, after: ZIMConversation | undefined): Promise<void> {
    this.loading.value = true;
    try {
      const config = after ? { count: pageSize, nextConversation: after } : { count: pageSize };
      const { conversationList } = await chat.queryConversationList(config);
      const next = new Map(this.byID.value);
      for (const found of conversationList) {
        if (found.type === ZIMConversationType.Peer) next.set(found.conversationID, toConversation(found, self));
      }
      this.byID.value = next;
      if (after || !this.cursor) {
        this.cursor = conversationList.at(-1) ?? this.cursor;
        this.complete.value = conversationList.length < pageSize;
      }
    } finally {
      this.loading.value = false;
    }
  }
}

function toConversation(from: ZIMConversation, self: string): Conversation {
  return {
    id: from.conversationID,
    name: from.conversationName || from.conversationID,
    unread: from.unreadMessageCount,
    readSeq: from.readMessageSeq,
    orderKey: from.orderKey,
    last: from.lastMessage ? toEntry(from.lastMessage, self) : undefined,
  };
}

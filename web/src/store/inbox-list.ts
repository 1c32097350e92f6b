import { computed, signal } from '@preact/signals';
import { ZIMConversationEvent, ZIMConversationType } from 'parley-chat';
import type { ZIMConversation, ZIMConversationChangeInfo } from 'parley-chat';
import { shownName } from '../text/bidi';
import type { Chat } from './environment';
import { toMessageView } from './message-view';
import type { MessageView } from './message-view';

/** One line of the conversation list. */
export interface Conversation {
  readonly id: string;
  readonly name: string;
  /** Empty when there is none. */
  readonly avatarUrl: string;
  readonly unread: number;
  /** Messages up to this number are read. */
  readonly readSeq: number;
  readonly orderKey: number;
  readonly last: MessageView | undefined;
}

const pageSize = 100;

/** The conversation list: a mirror of what the SDK tells, loaded page by page. */
export class InboxList {
  private readonly byID = signal<ReadonlyMap<string, Conversation>>(new Map());
  private cursor: ZIMConversation | undefined;
  private readonly loading = signal(false);
  /** The login that the first page was read in; while it lasts, events keep the list up to date. */
  private readWith: Chat | undefined;

  readonly state = signal<'loading' | 'ready' | 'error'>('loading');
  /** True when no older conversation is left on the server. */
  readonly complete = signal(false);
  /** True when the next page could not be read; the user may ask again. */
  readonly moreFailed = signal(false);
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
    this.moreFailed.value = false;
    this.totalUnread.value = 0;
  }

  /** True when the list was read in this login. */
  upToDate(chat: Chat): boolean {
    return this.readWith === chat;
  }

  /** Reads the first page again, as after a login. */
  async refresh(chat: Chat, self: string): Promise<void> {
    try {
      await this.load(chat, self, undefined);
      this.readWith = chat;
      this.state.value = 'ready';
    } catch {
      if (this.state.value === 'loading') this.state.value = 'error';
    }
  }

  /** Reads the next page; a second call while one is on its way does nothing. */
  async loadMore(chat: Chat, self: string): Promise<void> {
    if (this.loading.value || this.complete.value || !this.cursor) return;
    this.moreFailed.value = false;
    await this.load(chat, self, this.cursor).catch(() => (this.moreFailed.value = true));
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
    name: shownName(from.conversationName, from.conversationID),
    avatarUrl: from.conversationAvatarUrl,
    unread: from.unreadMessageCount,
    readSeq: from.readMessageSeq,
    orderKey: from.orderKey,
    last: from.lastMessage ? toMessageView(from.lastMessage, self) : undefined,
  };
}

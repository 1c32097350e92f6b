import { effect, signal, untracked } from '@preact/signals';
import { ZIMConversationType } from 'parley-chat';
import type { Chat } from './environment';

/** How long a conversation that could not be marked as read waits. */
const againMilliseconds = 10_000;

/** What somebody looks at. */
export interface Reader {
  /** The SDK object while it is connected and somebody can see the page; reading it subscribes. */
  chat(): Chat | undefined;
  /** The open conversation and how many of its messages are unread; reading it subscribes. */
  open(): { readonly id: string; readonly unread: number } | undefined;
}

/**
 * Marks the open conversation as read while somebody looks at it. What failed
 * is tried again as long as the conversation stays open.
 */
export class UnreadClearer {
  /** Conversations whose request is on its way, or waits to be repeated. */
  private readonly busy = new Set<string>();
  private readonly rounds = signal(0);

  constructor(private readonly reader: Reader) {
    effect(() => {
      void this.rounds.value;
      const chat = this.reader.chat();
      const open = this.reader.open();
      if (chat && open && open.unread > 0 && !this.busy.has(open.id)) untracked(() => void this.clear(chat, open.id, open.unread));
    });
  }

  private async clear(chat: Chat, id: string, unread: number): Promise<void> {
    this.busy.add(id);
    try {
      await chat.clearConversationUnreadMessageCount(id, ZIMConversationType.Peer);
      this.busy.delete(id);
      const now = untracked(() => this.reader.open());
      // The event that says so may still be on its way; other numbers are new messages.
      if (now && (now.id !== id || now.unread !== unread)) this.rounds.value++;
    } catch {
      setTimeout(() => {
        this.busy.delete(id);
        this.rounds.value++;
      }, againMilliseconds);
    }
  }
}

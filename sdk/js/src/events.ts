import type { StateChange } from './connection.js';
import type { ConversationChange } from './conversations.js';
import type { ConversationRef, Message } from './domain.js';
import type { UserInfo } from './gen/wire/wire.js';

/** The events of a client. */
export interface ChatClientEvents {
  state: (change: StateChange) => void;
  /** New messages of one conversation, in order, each once. */
  messages: (conversation: ConversationRef, messages: readonly Message[]) => void;
  /** Always told before the messages that caused it. */
  conversations: (changes: readonly ConversationChange[]) => void;
  totalUnread: (total: number) => void;
  tokenExpiring: (seconds: number) => void;
  /** Another device has changed the user's own profile. */
  userChanged: (user: UserInfo) => void;
}

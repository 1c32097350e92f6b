import type { ZIM } from 'parley-chat';
import type { SafeStorage } from '../storage';

/** The part of the SDK that the page uses. Nothing else reaches the server's chat. */
export type Chat = Pick<
  ZIM,
  | 'on'
  | 'login'
  | 'logout'
  | 'destroy'
  | 'renewToken'
  | 'sendMessage'
  | 'queryConversationList'
  | 'queryHistoryMessage'
  | 'clearConversationUnreadMessageCount'
>;

/** Somebody whom `parley dev` lets one be. */
export interface DemoUser {
  readonly userID: string;
  readonly userName: string;
}

/** What `parley dev` hands out beside the chat: people and tokens. */
export interface DevServer {
  /** The demo users, or undefined when the server is not a `parley dev`. Rejects when it cannot be reached. */
  users(): Promise<readonly DemoUser[] | undefined>;
  token(userID: string): Promise<{ readonly appID: number; readonly token: string }>;
}

/** What the store needs from its surroundings; tests hand in their own. */
export interface Environment {
  /** A fresh, not yet signed-in SDK object; the one before has been destroyed. */
  createChat(appID: number): Chat;
  readonly dev: DevServer;
  /** Storage that belongs to this tab alone, so that two windows can be two people. */
  readonly tab: SafeStorage;
  /** The user that the address asks for. */
  readonly wantedUser: string | undefined;
  /** Makes the SDK look at once whether the server can be reached. */
  wakeNetwork(): void;
  /** Milliseconds since 1970. */
  now(): number;
}

import type { ZIMConnectionEvent, ZIMConnectionState } from '../enums/index.js';
import type { ZIMConversationChangeInfo } from './conversation.js';
import type { ZIMMessage } from './message.js';

/** Where the login stands, and why. */
export interface ZIMEventOfConnectionStateChangedResult {
  state: ZIMConnectionState;
  event: ZIMConnectionEvent;
  /**
   * JSON. While reconnecting `{"attempt","retryInMs"}`; when the server ended
   * the login, `{"code","message"}`; else `{}`.
   */
  extendedData: string;
}

/** How long the token still holds. */
export interface ZIMEventOfTokenWillExpireResult {
  second: number;
}

/** New messages of one conversation, in order, each told once. */
export interface ZIMEventOfReceiveConversationMessageResult {
  messageList: ZIMMessage[];
  fromConversationID: string;
}

/** Changes of the conversation list. */
export interface ZIMEventOfConversationChangedResult {
  infoList: ZIMConversationChangeInfo[];
}

/** How many messages are unread in all conversations. */
export interface ZIMEventOfConversationTotalUnreadMessageCountUpdatedResult {
  totalUnreadMessageCount: number;
}

import type { ZIMConnectionEvent, ZIMConnectionState } from '../enums/index.js';
import type { ZIM } from '../zim.js';
import type { ZIMError } from './common.js';
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

/** The events of a ZIM instance; each listener is given the instance first. */
export interface ZIMEventHandler {
  error: (zim: ZIM, errorInfo: ZIMError) => void;
  tokenWillExpire: (zim: ZIM, data: ZIMEventOfTokenWillExpireResult) => void;
  connectionStateChanged: (zim: ZIM, data: ZIMEventOfConnectionStateChangedResult) => void;
  receivePeerMessage: (zim: ZIM, data: ZIMEventOfReceiveConversationMessageResult) => void;
  receiveRoomMessage: (zim: ZIM, data: ZIMEventOfReceiveConversationMessageResult) => void;
  receiveGroupMessage: (zim: ZIM, data: ZIMEventOfReceiveConversationMessageResult) => void;
  conversationChanged: (zim: ZIM, data: ZIMEventOfConversationChangedResult) => void;
  conversationTotalUnreadMessageCountUpdated: (
    zim: ZIM,
    data: ZIMEventOfConversationTotalUnreadMessageCountUpdatedResult,
  ) => void;
}

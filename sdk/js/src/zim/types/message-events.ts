import type { ZIMConversationType, ZIMMessageDeleteType } from '../enums/index.js';
import type { ZIMMessage, ZIMRevokeMessage } from './message.js';
import type {
  ZIMMessagePinStatusChangeInfo,
  ZIMMessageRootRepliedCountInfo,
  ZIMMessageSentStatusChangeInfo,
} from './message-methods.js';

/** How messages have arrived. */
export interface ZIMMessageReceivedInfo {
  isOfflineMessage: boolean;
}

/** What broadcastMessageReceived tells. */
export interface ZIMEventOfBroadcastMessageReceivedResult {
  message: ZIMMessage;
}

/** What peerMessageReceived, roomMessageReceived and groupMessageReceived tell. */
export interface ZIMEventOfConversationMessageReceivedResult {
  messageList: ZIMMessage[];
  fromConversationID: string;
  info: ZIMMessageReceivedInfo;
}

/** What messageDeleted tells. */
export interface ZIMEventOfMessageDeletedResult {
  conversationID: string;
  conversationType: ZIMConversationType;
  isDeleteConversationAllMessage: boolean;
  messageDeleteType: ZIMMessageDeleteType;
  messageList: ZIMMessage[];
}

/** What messageEdited tells. */
export interface ZIMEventOfMessageEditedResult {
  messageList: ZIMMessage[];
}

/** What messagePinStatusChanged tells. */
export interface ZIMEventOfMessagePinStatusChangedResult {
  infos: ZIMMessagePinStatusChangeInfo[];
}

/** What messageRepliedCountChanged tells. */
export interface ZIMEventOfMessageRepliedCountChangedResult {
  infos: ZIMMessageRootRepliedCountInfo[];
}

/** What messageRepliedInfoChanged tells. */
export interface ZIMEventOfMessageRepliedInfoChangedResult {
  messageList: ZIMMessage[];
}

/** What messageRevokeReceived tells. */
export interface ZIMEventOfMessageRevokeReceivedResult {
  messageList: ZIMRevokeMessage[];
}

/** What messageSentStatusChanged tells. */
export interface ZIMEventOfMessageSentStatusChangedResult {
  infos: ZIMMessageSentStatusChangeInfo[];
}

import type {
  ZIMConversationType,
  ZIMMessagePinStatus,
  ZIMMessageRepliedInfoState,
  ZIMMessageSentStatus,
} from '../enums/index.js';
import type { ZIMPushConfig } from './common.js';
import type { ZIMMessage } from './message.js';
import type { ZIMMediaUploadingProgress, ZIMMessageAttachedResult } from './send.js';

/** What the app wants to hear while a file is sent. */
export interface ZIMMediaMessageSendNotification {
  onMessageAttached?: ZIMMessageAttachedResult;
  onMediaUploadingProgress?: ZIMMediaUploadingProgress;
}

/** A message that was pinned or unpinned. */
export interface ZIMMessagePinStatusChangeInfo {
  pinStatus: ZIMMessagePinStatus;
  message: ZIMMessage;
}

/** How many answers a thread has. */
export interface ZIMMessageRootRepliedCountInfo {
  messageID: string;
  conversationID: string;
  conversationType: ZIMConversationType;
  count: number;
}

/** The first message of a thread. */
export interface ZIMMessageRootRepliedInfo {
  state: ZIMMessageRepliedInfoState;
  message?: ZIMMessage;
  senderUserID: string;
  sentTime: number;
  repliedCount: number;
}

/** What has become of a message on its way out; `reason` says why it failed. */
export interface ZIMMessageSentStatusChangeInfo {
  status: ZIMMessageSentStatus;
  message: ZIMMessage;
  reason: string;
}

/** Options of deleteMessages, deleteAllMessage and deleteAllConversationMessages. */
export interface ZIMMessageDeleteConfig {
  isAlsoDeleteServerMessage: boolean;
}

/** Options of editMessage. */
export interface ZIMMessageEditConfig {}

/** Options of pinMessage. */
export interface ZIMMessagePinConfig {
  disableAutoReplace: boolean;
}

/** Options of queryMessageRepliedList. */
export interface ZIMMessageRepliedListQueryConfig {
  nextFlag: number;
  count: number;
}

/** Options of revokeMessage. */
export interface ZIMMessageRevokeConfig {
  pushConfig?: ZIMPushConfig;
  revokeExtendedData?: string;
}

/** Options of cancelSendingMessage. */
export interface ZIMSendingMessageCancelConfig {}

/** The outcome of deleteAllConversationMessages. */
export interface ZIMConversationMessagesAllDeletedResult {}

/** The outcome of deleteMessages and deleteAllMessage. */
export interface ZIMMessageDeletedResult {
  conversationID: string;
  conversationType: ZIMConversationType;
}

/** The outcome of editMessage. */
export interface ZIMMessageEditedResult {
  message: ZIMMessage;
}

/** The outcome of insertMessageToLocalDB. */
export interface ZIMMessageInsertedResult {
  message: ZIMMessage;
}

/** The outcome of updateMessageLocalExtendedData. */
export interface ZIMMessageLocalExtendedDataUpdatedResult {
  message: ZIMMessage;
}

/** The outcome of pinMessage. */
export interface ZIMMessagePinnedResult {}

/** The outcome of queryMessageRepliedList. */
export interface ZIMMessageRepliedListQueriedResult {
  messageList: ZIMMessage[];
  nextFlag: number;
  rootRepliedInfo: ZIMMessageRootRepliedInfo;
}

/** The outcome of revokeMessage. */
export interface ZIMMessageRevokedResult {
  message: ZIMMessage;
}

/** The outcome of queryPinnedMessageList. */
export interface ZIMPinnedMessageListQueriedResult {
  messageList: ZIMMessage[];
}

/** The outcome of cancelSendingMessage. */
export interface ZIMSendingMessageCancelledResult {}

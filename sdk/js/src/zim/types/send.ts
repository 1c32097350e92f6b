import type { ZIMMessagePriority, ZIMMessageQueryMode, ZIMConversationType } from '../enums/index.js';
import type { ZIMPushConfig } from './common.js';
import type { ZIMMediaMessage, ZIMMessage, ZIMMultipleMessage } from './message.js';

/** How to send a message. */
export interface ZIMMessageSendConfig {
  /** Has no effect: there are no offline pushes. */
  pushConfig?: ZIMPushConfig;
  priority: ZIMMessagePriority;
  /** Not supported yet: true is refused with 6000013. */
  hasReceipt?: boolean;
  /** Has no effect: there are no offline pushes. */
  isNotifyMentionedUsers?: boolean;
  /** Accepted; a failed message that is sent again is always recognised, by its localMessageID. */
  isRetrySend?: boolean;
  /** Not supported yet: true is refused with 6000013. */
  disableUnreadMessageCount?: boolean;
  /** Concerns messages of the type Multiple, which cannot be sent yet. */
  isAllowMultipleMessagePartialFailed?: boolean;
}

/** Called with the message that was passed in, completed, before it goes out. */
export type ZIMMessageAttachedResult = (message: ZIMMessage) => void;

/** Called while a file goes up. */
export type ZIMMediaUploadingProgress = (message: ZIMMediaMessage, currentFileSize: number, totalFileSize: number) => void;

/** Called while one of several files goes up. */
export type ZIMMultipleMediaUploadingProgress = (
  message: ZIMMultipleMessage,
  currentFileSize: number,
  totalFileSize: number,
  messageInfoIndex: number,
  currentIndexFileSize: number,
  totalIndexFileSize: number,
) => void;

/** What the app wants to be told while a message is sent. */
export interface ZIMMessageSendNotification {
  onMessageAttached?: ZIMMessageAttachedResult;
  onMediaUploadingProgress?: ZIMMediaUploadingProgress;
  onMultipleMediaUploadingProgress?: ZIMMultipleMediaUploadingProgress;
}

/** The accepted message: the object that was passed in. */
export interface ZIMMessageSentResult {
  message: ZIMMessage;
}

/** Which messages to fetch. */
export interface ZIMMessageQueryConfig {
  /** The message to continue after; it is not part of the result. */
  nextMessage?: ZIMMessage;
  count: number;
  /** True goes from the newest back, false from the oldest on. */
  reverse: boolean;
  /** Has no effect: history is always the server's. */
  mode: ZIMMessageQueryMode;
}

/** Messages of a conversation, the oldest first. */
export interface ZIMMessageQueriedResult {
  conversationID: string;
  conversationType: ZIMConversationType;
  messageList: ZIMMessage[];
}

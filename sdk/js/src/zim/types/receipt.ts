import type { ZIMConversationType, ZIMMessageReceiptStatus } from '../enums/index.js';

/** How far a message has been read. */
export interface ZIMMessageReceiptInfo {
  status: ZIMMessageReceiptStatus;
  messageID: string;
  conversationID: string;
  conversationType: ZIMConversationType;
  readMemberCount: number;
  unreadMemberCount: number;
  isSelfOperated: boolean;
  readTime: number;
}

/** The outcome of sendConversationMessageReceiptRead. */
export interface ZIMConversationMessageReceiptReadSentResult {
  conversationID: string;
  conversationType: ZIMConversationType;
}

/** The outcome of queryMessageReceiptsInfo. */
export interface ZIMMessageReceiptsInfoQueriedResult {
  infos: ZIMMessageReceiptInfo[];
  errorMessageIDs: string[];
}

/** The outcome of sendMessageReceiptsRead. */
export interface ZIMMessageReceiptsReadSentResult {
  conversationID: string;
  conversationType: ZIMConversationType;
  errorMessageIDs: string[];
}

/** What conversationMessageReceiptChanged tells. */
export interface ZIMEventOfConversationMessageReceiptChangedResult {
  infos: ZIMMessageReceiptInfo[];
}

/** What messageReceiptChanged tells. */
export interface ZIMEventOfMessageReceiptChangedResult {
  infos: ZIMMessageReceiptInfo[];
}

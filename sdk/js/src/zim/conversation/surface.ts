import type { ZIMConversationNotificationStatus, ZIMConversationType } from '../enums/index.js';
import type {
  ZIMConversationBaseInfo,
  ZIMConversationDeleteConfig,
  ZIMConversationDeletedResult,
  ZIMConversationDraftSetResult,
  ZIMConversationFilterOption,
  ZIMConversationListQueriedResult,
  ZIMConversationMarkSetResult,
  ZIMConversationMessageReceiptReadSentResult,
  ZIMConversationNotificationStatusSetResult,
  ZIMConversationPinnedListQueriedResult,
  ZIMConversationPinnedStateUpdatedResult,
  ZIMConversationQueriedResult,
  ZIMConversationQueryConfig,
  ZIMConversationSearchConfig,
  ZIMConversationTotalUnreadMessageCountQueriedResult,
  ZIMConversationTotalUnreadMessageCountQueryConfig,
  ZIMConversationUnreadMessageCountClearedResult,
  ZIMConversationsSearchedResult,
  ZIMEventOfConversationChangedResult,
  ZIMEventOfConversationMessageReceiptChangedResult,
  ZIMEventOfConversationSyncStateChangedResult,
  ZIMEventOfConversationTotalUnreadMessageCountUpdatedResult,
  ZIMEventOfConversationsAllDeletedResult,
} from '../types/index.js';

/** The methods of the capability conversation. */
export interface ConversationMethods {
  /** The conversation list, the latest first. */
  queryConversationList(
    config: ZIMConversationQueryConfig,
    option?: ZIMConversationFilterOption,
  ): Promise<ZIMConversationListQueriedResult>;
  /** One entry of the conversation list. */
  queryConversation(conversationID: string, conversationType: ZIMConversationType): Promise<ZIMConversationQueriedResult>;
  /** The pinned entries of the list. */
  queryConversationPinnedList(config: ZIMConversationQueryConfig): Promise<ZIMConversationPinnedListQueriedResult>;
  /** Pins an entry to the top of the list, or unpins it. */
  updateConversationPinnedState(
    isPinned: boolean,
    conversationID: string,
    conversationType: ZIMConversationType,
  ): Promise<ZIMConversationPinnedStateUpdatedResult>;
  /** Removes an entry from the list. */
  deleteConversation(
    conversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMConversationDeleteConfig,
  ): Promise<ZIMConversationDeletedResult>;
  /** Empties the list. */
  deleteAllConversations(config: ZIMConversationDeleteConfig): Promise<void>;
  /** Marks a conversation as read; the changed entry and total come as events. */
  clearConversationUnreadMessageCount(
    conversationID: string,
    conversationType: ZIMConversationType,
  ): Promise<ZIMConversationUnreadMessageCountClearedResult>;
  /** Marks all conversations as read. */
  clearConversationTotalUnreadMessageCount(): Promise<void>;
  /** How many messages are unread, in conversations of some types or marks. */
  queryConversationTotalUnreadMessageCount(
    config: ZIMConversationTotalUnreadMessageCountQueryConfig,
  ): Promise<ZIMConversationTotalUnreadMessageCountQueriedResult>;
  /** Mutes a conversation's notices, or turns them on again. */
  setConversationNotificationStatus(
    status: ZIMConversationNotificationStatus,
    conversationID: string,
    conversationType: ZIMConversationType,
  ): Promise<ZIMConversationNotificationStatusSetResult>;
  /** Sends the other user receipts for everything read so far. */
  sendConversationMessageReceiptRead(
    conversationID: string,
    conversationType: ZIMConversationType,
  ): Promise<ZIMConversationMessageReceiptReadSentResult>;
  /** Keeps what the user has typed but not sent. */
  setConversationDraft(
    draft: string,
    conversationID: string,
    conversationType: ZIMConversationType,
  ): Promise<ZIMConversationDraftSetResult>;
  /** Puts a mark on conversations, or takes it off. */
  setConversationMark(
    markType: number,
    enable: boolean,
    conversationInfos: ZIMConversationBaseInfo[],
  ): Promise<ZIMConversationMarkSetResult>;
  /** Conversations with messages that match. */
  searchLocalConversations(config: ZIMConversationSearchConfig): Promise<ZIMConversationsSearchedResult>;
}

/** Its events; each listener is given the instance first. */
export interface ConversationEvents<Z> {
  conversationChanged: (zim: Z, data: ZIMEventOfConversationChangedResult) => void;
  conversationTotalUnreadMessageCountUpdated: (zim: Z, data: ZIMEventOfConversationTotalUnreadMessageCountUpdatedResult) => void;
  conversationMessageReceiptChanged: (zim: Z, data: ZIMEventOfConversationMessageReceiptChangedResult) => void;
  conversationsAllDeleted: (zim: Z, data: ZIMEventOfConversationsAllDeletedResult) => void;
  conversationSyncStateChanged: (zim: Z, data: ZIMEventOfConversationSyncStateChangedResult) => void;
}

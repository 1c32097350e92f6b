import type {
  ZIMConversationEvent,
  ZIMConversationNotificationStatus,
  ZIMConversationPinnedFilter,
  ZIMConversationSyncState,
  ZIMConversationType,
  ZIMMessageMentionedType,
} from '../enums/index.js';
import type { ZIMMessage } from './message.js';

/** A message that mentions the user. */
export interface ZIMMessageMentionedInfo {
  messageID: string;
  messageSeq: number;
  fromUserID: string;
  type: ZIMMessageMentionedType;
}

/** An entry of the conversation list. */
export interface ZIMConversation {
  conversationID: string;
  type: ZIMConversationType;
  conversationName: string;
  conversationAvatarUrl: string;
  conversationAlias: string;
  notificationStatus: ZIMConversationNotificationStatus;
  unreadMessageCount: number;
  readMessageSeq: number;
  lastMessage?: ZIMMessage;
  /** What the list is sorted by, the highest first. */
  orderKey: number;
  isPinned: boolean;
  pinnedTime: number;
  mentionedInfoList: ZIMMessageMentionedInfo[];
  draft: string;
  marks: number[];
}

/** Which entries to fetch. */
export interface ZIMConversationQueryConfig {
  /** The entry to continue after; it is not part of the result. */
  nextConversation?: ZIMConversation;
  count: number;
}

/** Which entries to keep. */
export interface ZIMConversationFilterOption {
  /** Empty keeps all. */
  conversationTypes: ZIMConversationType[];
  /** Empty keeps all. */
  marks: number[];
  isOnlyUnreadConversation: boolean;
  pinnedFilter: ZIMConversationPinnedFilter;
}

/** One change of the list. */
export interface ZIMConversationChangeInfo {
  event: ZIMConversationEvent;
  conversation: ZIMConversation;
}

/** Entries of the list, the latest first. */
export interface ZIMConversationListQueriedResult {
  conversationList: ZIMConversation[];
}

/** The conversation whose messages are now read. */
export interface ZIMConversationUnreadMessageCountClearedResult {
  conversationID: string;
  conversationType: ZIMConversationType;
}

/** Which conversation is meant. */
export interface ZIMConversationBaseInfo {
  conversationID: string;
  conversationType: ZIMConversationType;
}

/** An entry of the list that is a group's. */
export interface ZIMGroupConversation extends ZIMConversation {
  isDisabled: boolean;
  mutedExpiredTime: number;
}

/** Options of deleteConversation and deleteAllConversations. */
export interface ZIMConversationDeleteConfig {
  isAlsoDeleteServerConversation: boolean;
}

/** Options of queryConversationTotalUnreadMessageCount. */
export interface ZIMConversationTotalUnreadMessageCountQueryConfig {
  conversationTypes: ZIMConversationType[];
  marks: number[];
}

/** The outcome of deleteConversation. */
export interface ZIMConversationDeletedResult {
  conversationID: string;
  conversationType: ZIMConversationType;
}

/** The outcome of setConversationDraft. */
export interface ZIMConversationDraftSetResult {
  conversationID: string;
  conversationType: ZIMConversationType;
}

/** The outcome of setConversationMark. */
export interface ZIMConversationMarkSetResult {
  failedConversationInfos: ZIMConversationBaseInfo[];
}

/** The outcome of setConversationNotificationStatus. */
export interface ZIMConversationNotificationStatusSetResult {
  conversationID: string;
  conversationType: ZIMConversationType;
}

/** The outcome of queryConversationPinnedList. */
export interface ZIMConversationPinnedListQueriedResult {
  conversationList: ZIMConversation[];
}

/** The outcome of updateConversationPinnedState. */
export interface ZIMConversationPinnedStateUpdatedResult {
  conversationID: string;
  conversationType: ZIMConversationType;
}

/** The outcome of queryConversation. */
export interface ZIMConversationQueriedResult {
  conversation: ZIMConversation;
}

/** The outcome of clearConversationTotalUnreadMessageCount. */
export interface ZIMConversationTotalUnreadMessageCountClearedResult {}

/** The outcome of queryConversationTotalUnreadMessageCount. */
export interface ZIMConversationTotalUnreadMessageCountQueriedResult {
  unreadMessageCount: number;
}

/** The outcome of deleteAllConversations. */
export interface ZIMConversationsAllDeletedResult {}

/** What conversationSyncStateChanged tells. */
export interface ZIMEventOfConversationSyncStateChangedResult {
  state: ZIMConversationSyncState;
}

/** What conversationsAllDeleted tells. */
export interface ZIMEventOfConversationsAllDeletedResult {
  count: number;
}

import type {
  ZIMConversationEvent,
  ZIMConversationNotificationStatus,
  ZIMConversationPinnedFilter,
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

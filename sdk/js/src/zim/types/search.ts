import type { ZIMConversationSearchMode, ZIMConversationType, ZIMMessageOrder, ZIMMessageType } from '../enums/index.js';
import type { ZIMConversation } from './conversation.js';
import type { ZIMMessage } from './message.js';

/** A conversation with messages that match. */
export interface ZIMConversationSearchInfo {
  conversationID: string;
  conversationType: ZIMConversationType;
  conversation: ZIMConversation;
  totalMessageCount: number;
  messageList: ZIMMessage[];
}

/** Options of searchLocalConversations. */
export interface ZIMConversationSearchConfig {
  mode: ZIMConversationSearchMode;
  nextFlag?: number;
  totalConversationCount: number;
  keywords: string[];
  conversationMessageCount: number;
  messageTypes: ZIMMessageType[];
  subMessageTypes: number[];
  senderUserIDs: string[];
  startTime: number;
  endTime: number;
}

/** Options of searchLocalMessages and searchGlobalLocalMessages. */
export interface ZIMMessageSearchConfig {
  nextMessage?: ZIMMessage;
  count: number;
  order: ZIMMessageOrder;
  keywords: string[];
  messageTypes: ZIMMessageType[];
  subMessageTypes: number[];
  senderUserIDs: string[];
  startTime: number;
  endTime: number;
}

/** The outcome of searchLocalConversations. */
export interface ZIMConversationsSearchedResult {
  conversationSearchInfoList: ZIMConversationSearchInfo[];
  nextFlag: number;
}

/** The outcome of searchGlobalLocalMessages. */
export interface ZIMMessagesGlobalSearchedResult {
  messageList: ZIMMessage[];
  nextMessage?: ZIMMessage;
}

/** The outcome of searchLocalMessages. */
export interface ZIMMessagesSearchedResult {
  conversationID: string;
  conversationType: ZIMConversationType;
  messageList: ZIMMessage[];
  nextMessage?: ZIMMessage;
}

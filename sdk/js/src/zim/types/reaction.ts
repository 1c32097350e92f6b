import type { ZIMMessageReactionUserChangeAction } from '../enums/index.js';
import type { ZIMMessage, ZIMMessageReaction, ZIMMessageReactionUserInfo } from './message.js';

/** What has changed at a message. */
export interface ZIMMessageReactionChangeInfo {
  message: ZIMMessage;
  userChangeInfoList: ZIMMessageReactionUserChangeInfo[];
}

/** A reaction, and how often it was given. */
export interface ZIMMessageReactionSimpleInfo {
  reactionType: string;
  sumCount: number;
}

/** What a user has changed. */
export interface ZIMMessageReactionUserChangeInfo {
  userID: string;
  reactionType: string;
  action: ZIMMessageReactionUserChangeAction;
  sumCount: number;
}

/** All the reactions of a user. */
export interface ZIMMessageReactionUserFullInfo {
  userID: string;
  reactions: ZIMMessageReactionSimpleInfo[];
}

/** Options of addMessageReaction. */
export interface ZIMMessageReactionAddConfig {
  increaseCount: number;
}

/** Options of queryMessageReactionUserList. */
export interface ZIMMessageReactionUserQueryConfig {
  nextFlag: number;
  count: number;
  reactionType: string;
}

/** The outcome of addMessageReaction. */
export interface ZIMMessageReactionAddedResult {
  reaction: ZIMMessageReaction;
}

/** The outcome of deleteMessageReaction. */
export interface ZIMMessageReactionDeletedResult {
  reaction: ZIMMessageReaction;
}

/** The outcome of queryMessageReactionUserList. */
export interface ZIMMessageReactionUserListQueriedResult {
  message: ZIMMessage;
  userInfoList: ZIMMessageReactionUserFullInfo[];
  reactionType: string;
  nextFlag: number;
  totalCount: number;
  userList: ZIMMessageReactionUserInfo[];
}

/** What messageReactionsChanged tells. */
export interface ZIMEventOfMessageReactionsChangedResult {
  reactions: ZIMMessageReaction[];
  changeInfoList: ZIMMessageReactionChangeInfo[];
}

import type { ZIMPlatformType, ZIMUserOnlineStatus } from '../enums/index.js';
import type { ZIMUserInfo } from './common.js';

/** A user that could not be served; `reason` is an error code. */
export interface ZIMErrorUserInfo {
  userID: string;
  reason: number;
}

/** All that concerns the own user. */
export interface ZIMSelfUserInfo {
  userFullInfo: ZIMUserFullInfo;
  userRule: ZIMUserRule;
  userStatus: ZIMUserStatus;
}

/** A profile. */
export interface ZIMUserFullInfo {
  baseInfo: ZIMUserInfo;
  userAvatarUrl: string;
  extendedData: string;
}

/** On which platforms a user gets offline pushes. */
export interface ZIMUserOfflinePushRule {
  onlinePlatforms: ZIMPlatformType[];
  notToReceiveOfflinePushPlatforms: ZIMPlatformType[];
}

/** A user's rules. */
export interface ZIMUserRule {
  offlinePushRule: ZIMUserOfflinePushRule;
}

/** A user's presence; times in milliseconds since 1970. */
export interface ZIMUserStatus {
  userID: string;
  onlineStatus: ZIMUserOnlineStatus;
  onlinePlatforms: ZIMPlatformType[];
  customStatus: string;
  customStatusExpiredTime: number;
  lastUpdateTime: number;
  lastOnlineStatusUpdateTime: number;
  lastCustomStatusUpdateTime: number;
}

/** A watch on a user's presence. */
export interface ZIMUserStatusSubscription {
  userStatus: ZIMUserStatus;
  subscribeExpiredTime: number;
}

/** Options of querySubscribedUserStatusList. */
export interface ZIMSubscribedUserStatusQueryConfig {
  userIDs: string[];
}

/** Options of updateUserCustomStatus. */
export interface ZIMUserCustomStatusUpdateConfig {
  duration: number;
}

/** Options of subscribeUsersStatus. */
export interface ZIMUserStatusSubscribeConfig {
  subscriptionDuration: number;
}

/** Options of queryUsersInfo. */
export interface ZIMUsersInfoQueryConfig {
  isQueryFromServer: boolean;
}

/** The outcome of querySelfUserInfo. */
export interface ZIMSelfUserInfoQueriedResult {
  selfUserInfo: ZIMSelfUserInfo;
}

/** The outcome of querySubscribedUserStatusList. */
export interface ZIMSubscribedUserStatusListQueriedResult {
  userStatusSubscriptionList: ZIMUserStatusSubscription[];
}

/** The outcome of updateUserAvatarUrl. */
export interface ZIMUserAvatarUrlUpdatedResult {
  userAvatarUrl: string;
}

/** The outcome of updateUserCustomStatus. */
export interface ZIMUserCustomStatusUpdatedResult {
  customStatus: string;
}

/** The outcome of updateUserExtendedData. */
export interface ZIMUserExtendedDataUpdatedResult {
  extendedData: string;
}

/** The outcome of updateUserName. */
export interface ZIMUserNameUpdatedResult {
  userName: string;
}

/** The outcome of updateUserOfflinePushRule. */
export interface ZIMUserOfflinePushRuleUpdatedResult {
  offlinePushRule: ZIMUserOfflinePushRule;
}

/** The outcome of queryUsersInfo. */
export interface ZIMUsersInfoQueriedResult {
  userList: ZIMUserFullInfo[];
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of queryUsersStatus. */
export interface ZIMUsersStatusQueriedResult {
  userStatusList: ZIMUserStatus[];
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of subscribeUsersStatus. */
export interface ZIMUsersStatusSubscribedResult {
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of unsubscribeUsersStatus. */
export interface ZIMUsersStatusUnsubscribedResult {
  errorUserList: ZIMErrorUserInfo[];
}

/** What userInfoUpdated tells. */
export interface ZIMEventOfUserInfoUpdatedResult {
  info: ZIMUserFullInfo;
}

/** What userRuleUpdated tells. */
export interface ZIMEventOfUserRuleUpdatedResult {
  userRule: ZIMUserRule;
}

/** What userStatusUpdated tells. */
export interface ZIMEventOfUserStatusUpdatedResult {
  userStatusList: ZIMUserStatus[];
}

import type {
  ZIMEventOfUserInfoUpdatedResult,
  ZIMEventOfUserRuleUpdatedResult,
  ZIMEventOfUserStatusUpdatedResult,
  ZIMSelfUserInfoQueriedResult,
  ZIMSubscribedUserStatusListQueriedResult,
  ZIMSubscribedUserStatusQueryConfig,
  ZIMUserAvatarUrlUpdatedResult,
  ZIMUserCustomStatusUpdateConfig,
  ZIMUserCustomStatusUpdatedResult,
  ZIMUserExtendedDataUpdatedResult,
  ZIMUserNameUpdatedResult,
  ZIMUserOfflinePushRule,
  ZIMUserOfflinePushRuleUpdatedResult,
  ZIMUserStatusSubscribeConfig,
  ZIMUsersInfoQueriedResult,
  ZIMUsersInfoQueryConfig,
  ZIMUsersStatusQueriedResult,
  ZIMUsersStatusSubscribedResult,
  ZIMUsersStatusUnsubscribedResult,
} from '../types/index.js';

/** The methods of the capability user. */
export interface UserMethods {
  /** Changes the own name. */
  updateUserName(userName: string): Promise<ZIMUserNameUpdatedResult>;
  /** Changes the address of the own picture. */
  updateUserAvatarUrl(userAvatarUrl: string): Promise<ZIMUserAvatarUrlUpdatedResult>;
  /** Changes the own profile's text for the app's use. */
  updateUserExtendedData(extendedData: string): Promise<ZIMUserExtendedDataUpdatedResult>;
  /** Accepted without effect: there are no offline pushes. */
  updateUserOfflinePushRule(offlinePushRule: ZIMUserOfflinePushRule): Promise<ZIMUserOfflinePushRuleUpdatedResult>;
  /** Sets the text that stands beside the own presence. */
  updateUserCustomStatus(customStatus: string, config?: ZIMUserCustomStatusUpdateConfig): Promise<ZIMUserCustomStatusUpdatedResult>;
  /** Accepted without effect: there are no offline pushes. */
  updateUserBadge(badge: number): Promise<void>;
  /** Profiles of users. */
  queryUsersInfo(userIDs: string[], config: ZIMUsersInfoQueryConfig): Promise<ZIMUsersInfoQueriedResult>;
  /** Presence of users. */
  queryUsersStatus(userIDs: string[]): Promise<ZIMUsersStatusQueriedResult>;
  /** The own profile, rules and presence. */
  querySelfUserInfo(): Promise<ZIMSelfUserInfoQueriedResult>;
  /** Asks to be notified of users' presence, for some minutes. */
  subscribeUsersStatus(userIDs: string[], config: ZIMUserStatusSubscribeConfig): Promise<ZIMUsersStatusSubscribedResult>;
  /** Ends the notice of users' presence. */
  unsubscribeUsersStatus(userIDs: string[]): Promise<ZIMUsersStatusUnsubscribedResult>;
  /** The users whose presence is watched. */
  querySubscribedUserStatusList(config: ZIMSubscribedUserStatusQueryConfig): Promise<ZIMSubscribedUserStatusListQueriedResult>;
}

/** Its events; each listener is given the instance first. */
export interface UserEvents<Z> {
  userInfoUpdated: (zim: Z, data: ZIMEventOfUserInfoUpdatedResult) => void;
  userRuleUpdated: (zim: Z, data: ZIMEventOfUserRuleUpdatedResult) => void;
  userStatusUpdated: (zim: Z, data: ZIMEventOfUserStatusUpdatedResult) => void;
}

import type {
  ZIMFriendApplicationListChangeAction,
  ZIMFriendApplicationState,
  ZIMFriendApplicationType,
  ZIMFriendDeleteType,
  ZIMFriendListChangeAction,
  ZIMFriendRelationCheckType,
  ZIMUserRelationType,
} from '../enums/index.js';
import type { ZIMPushConfig, ZIMUserInfo } from './common.js';
import type { ZIMErrorUserInfo } from './user.js';

/** Who asked whom to be friends, and what has become of it. */
export interface ZIMFriendApplicationInfo {
  type: ZIMFriendApplicationType;
  state: ZIMFriendApplicationState;
  applyUser: ZIMUserInfo;
  wording: string;
  createTime: number;
  updateTime: number;
}

/** A friend. */
export interface ZIMFriendInfo extends ZIMUserInfo {
  friendAlias: string;
  friendAttributes: Record<string, string>;
  createTime: number;
  wording: string;
}

/** How a user stands to the own one. */
export interface ZIMFriendRelationInfo {
  type: ZIMUserRelationType;
  userID: string;
}

/** Options of addFriend. */
export interface ZIMFriendAddConfig {
  friendAlias: string;
  friendAttributes: Record<string, string>;
  wording: string;
}

/** Options of acceptFriendApplication. */
export interface ZIMFriendApplicationAcceptConfig {
  friendAlias: string;
  friendAttributes: Record<string, string>;
  pushConfig?: ZIMPushConfig;
}

/** Options of queryFriendApplicationList. */
export interface ZIMFriendApplicationListQueryConfig {
  nextFlag?: number;
  count: number;
}

/** Options of rejectFriendApplication. */
export interface ZIMFriendApplicationRejectConfig {
  pushConfig?: ZIMPushConfig;
}

/** Options of sendFriendApplication. */
export interface ZIMFriendApplicationSendConfig {
  wording: string;
  friendAlias: string;
  friendAttributes: Record<string, string>;
  pushConfig?: ZIMPushConfig;
}

/** Options of deleteFriends. */
export interface ZIMFriendDeleteConfig {
  type: ZIMFriendDeleteType;
}

/** Options of queryFriendList. */
export interface ZIMFriendListQueryConfig {
  nextFlag?: number;
  count: number;
}

/** Options of checkFriendsRelation. */
export interface ZIMFriendRelationCheckConfig {
  type: ZIMFriendRelationCheckType;
}

/** Options of searchLocalFriends. */
export interface ZIMFriendSearchConfig {
  nextFlag: number;
  count: number;
  keywords: string[];
  isAlsoMatchFriendAlias: boolean;
}

/** The outcome of addFriend. */
export interface ZIMFriendAddedResult {
  friendInfo: ZIMFriendInfo;
}

/** The outcome of updateFriendAlias. */
export interface ZIMFriendAliasUpdatedResult {
  friendInfo: ZIMFriendInfo;
}

/** The outcome of acceptFriendApplication. */
export interface ZIMFriendApplicationAcceptedResult {
  friendInfo: ZIMFriendInfo;
}

/** The outcome of queryFriendApplicationList. */
export interface ZIMFriendApplicationListQueriedResult {
  applicationList: ZIMFriendApplicationInfo[];
  nextFlag: number;
}

/** The outcome of rejectFriendApplication. */
export interface ZIMFriendApplicationRejectedResult {
  userInfo: ZIMUserInfo;
}

/** The outcome of sendFriendApplication. */
export interface ZIMFriendApplicationSentResult {
  applicationInfo: ZIMFriendApplicationInfo;
}

/** The outcome of updateFriendAttributes. */
export interface ZIMFriendAttributesUpdatedResult {
  friendInfo: ZIMFriendInfo;
}

/** The outcome of queryFriendList. */
export interface ZIMFriendListQueriedResult {
  friendList: ZIMFriendInfo[];
  nextFlag: number;
}

/** The outcome of deleteFriends. */
export interface ZIMFriendsDeletedResult {
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of queryFriendsInfo. */
export interface ZIMFriendsInfoQueriedResult {
  friendInfos: ZIMFriendInfo[];
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of checkFriendsRelation. */
export interface ZIMFriendsRelationCheckedResult {
  relationInfos: ZIMFriendRelationInfo[];
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of searchLocalFriends. */
export interface ZIMFriendsSearchedResult {
  friendInfoList: ZIMFriendInfo[];
  nextFlag: number;
}

/** What friendApplicationListChanged tells. */
export interface ZIMEventOfFriendApplicationListChangedResult {
  applicationList: ZIMFriendApplicationInfo[];
  action: ZIMFriendApplicationListChangeAction;
}

/** What friendApplicationUpdated tells. */
export interface ZIMEventOfFriendApplicationUpdatedResult {
  applicationList: ZIMFriendApplicationInfo[];
}

/** What friendInfoUpdated tells. */
export interface ZIMEventOfFriendInfoUpdatedResult {
  friendList: ZIMFriendInfo[];
}

/** What friendListChanged tells. */
export interface ZIMEventOfFriendListChangedResult {
  friendList: ZIMFriendInfo[];
  action: ZIMFriendListChangeAction;
}

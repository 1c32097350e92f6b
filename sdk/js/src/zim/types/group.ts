import type {
  ZIMGroupAttributesUpdateAction,
  ZIMGroupBeInviteMode,
  ZIMGroupEnterType,
  ZIMGroupInviteMode,
  ZIMGroupJoinMode,
  ZIMGroupMessageNotificationStatus,
  ZIMGroupMuteMode,
} from '../enums/index.js';
import type { ZIMUserInfo } from './common.js';

/** A group that the user is in. */
export interface ZIMGroup {
  baseInfo: ZIMGroupInfo;
  groupAlias: string;
  notificationStatus: ZIMGroupMessageNotificationStatus;
}

/** Attributes that were set or deleted. */
export interface ZIMGroupAttributesUpdateInfo {
  action: ZIMGroupAttributesUpdateAction;
  groupAttributes: Record<string, string>;
}

/** When and how somebody has become a member. */
export interface ZIMGroupEnterInfo {
  enterTime: number;
  enterType: ZIMGroupEnterType;
  operatedUser?: ZIMGroupMemberSimpleInfo;
}

/** What is known of a group. */
export interface ZIMGroupFullInfo {
  baseInfo: ZIMGroupInfo;
  groupNotice: string;
  groupAttributes: Record<string, string>;
  groupAlias: string;
  notificationStatus: ZIMGroupMessageNotificationStatus;
  mutedInfo: ZIMGroupMuteInfo;
  createTime: number;
  maxMemberCount: number;
  verifyInfo: ZIMGroupVerifyInfo;
}

/** A group's ID, name and picture. */
export interface ZIMGroupInfo {
  groupID: string;
  groupName: string;
  groupAvatarUrl: string;
}

/** A member of a group. */
export interface ZIMGroupMemberInfo extends ZIMUserInfo {
  memberNickname: string;
  memberRole: number;
  memberAvatarUrl: string;
  muteExpiredTime: number;
  groupEnterInfo: ZIMGroupEnterInfo;
}

/** A member's name and role. */
export interface ZIMGroupMemberSimpleInfo extends ZIMUserInfo {
  memberNickname: string;
  memberRole: number;
}

/** Who may not send, and until when. */
export interface ZIMGroupMuteInfo {
  mode: ZIMGroupMuteMode;
  expiredTime: number;
  roles: number[];
}

/** The member who has done it. */
export interface ZIMGroupOperatedInfo {
  userID: string;
  userName: string;
  memberNickname: string;
  memberRole: number;
}

/** A group that matches, and the members that do. */
export interface ZIMGroupSearchInfo {
  groupInfo: ZIMGroupInfo;
  userList: ZIMGroupMemberInfo[];
}

/** Who may come into a group, and how. */
export interface ZIMGroupVerifyInfo {
  joinMode: ZIMGroupJoinMode;
  inviteMode: ZIMGroupInviteMode;
  beInviteMode: ZIMGroupBeInviteMode;
}

/** Options of createGroup. */
export interface ZIMGroupAdvancedConfig {
  groupNotice: string;
  groupAttributes: Record<string, string>;
  maxMemberCount: number;
  joinMode: ZIMGroupJoinMode;
  inviteMode: ZIMGroupInviteMode;
  beInviteMode: ZIMGroupBeInviteMode;
}

/** Options of queryGroupList. */
export interface ZIMGroupListQueryConfig {
  nextFlag: number;
  userIDs: string[];
}

/** Options of muteGroupMembers. */
export interface ZIMGroupMemberMuteConfig {
  duration: number;
}

/** Which page of muted members to fetch. */
export interface ZIMGroupMemberMutedListQueryConfig {
  nextFlag: number;
  count: number;
}

/** Options of queryGroupMemberList and queryGroupMemberMutedList. */
export interface ZIMGroupMemberQueryConfig {
  nextFlag: number;
  count: number;
}

/** Options of searchLocalGroupMembers. */
export interface ZIMGroupMemberSearchConfig {
  nextFlag: number;
  count: number;
  keywords: string[];
  isAlsoMatchGroupMemberNickname: boolean;
}

/** Options of queryGroupMessageReceiptReadMemberList and queryGroupMessageReceiptUnreadMemberList. */
export interface ZIMGroupMessageReceiptMemberQueryConfig {
  nextFlag: number;
  count: number;
}

/** Options of muteGroup. */
export interface ZIMGroupMuteConfig {
  mode: ZIMGroupMuteMode;
  duration: number;
  roles: number[];
}

/** Options of searchLocalGroups. */
export interface ZIMGroupSearchConfig {
  nextFlag: number;
  count: number;
  keywords: string[];
  isAlsoMatchGroupMemberUserName: boolean;
  isAlsoMatchGroupMemberNickname: boolean;
}

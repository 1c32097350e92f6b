import type { ZIMGroupBeInviteMode, ZIMGroupInviteMode, ZIMGroupJoinMode } from '../enums/index.js';
import type { ZIMGroup, ZIMGroupFullInfo, ZIMGroupMemberInfo, ZIMGroupMuteInfo, ZIMGroupSearchInfo } from './group.js';
import type { ZIMErrorUserInfo } from './user.js';

/** The outcome of updateGroupAlias. */
export interface ZIMGroupAliasUpdatedResult {
  groupID: string;
  groupAlias: string;
}

/** The outcome of setGroupAttributes and deleteGroupAttributes. */
export interface ZIMGroupAttributesOperatedResult {
  groupID: string;
  errorKeys: string[];
}

/** The outcome of queryGroupAttributes and queryGroupAllAttributes. */
export interface ZIMGroupAttributesQueriedResult {
  groupID: string;
  groupAttributes: Record<string, string>;
}

/** The outcome of updateGroupAvatarUrl. */
export interface ZIMGroupAvatarUrlUpdatedResult {
  groupID: string;
  groupAvatarUrl: string;
}

/** The outcome of updateGroupBeInviteMode. */
export interface ZIMGroupBeInviteModeUpdatedResult {
  groupID: string;
  mode: ZIMGroupBeInviteMode;
}

/** The outcome of createGroup. */
export interface ZIMGroupCreatedResult {
  groupInfo: ZIMGroupFullInfo;
  userList: ZIMGroupMemberInfo[];
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of dismissGroup. */
export interface ZIMGroupDismissedResult {
  groupID: string;
}

/** The outcome of queryGroupInfo. */
export interface ZIMGroupInfoQueriedResult {
  groupInfo: ZIMGroupFullInfo;
}

/** The outcome of updateGroupInviteMode. */
export interface ZIMGroupInviteModeUpdatedResult {
  groupID: string;
  mode: ZIMGroupInviteMode;
}

/** The outcome of updateGroupJoinMode. */
export interface ZIMGroupJoinModeUpdatedResult {
  groupID: string;
  mode: ZIMGroupJoinMode;
}

/** The outcome of joinGroup. */
export interface ZIMGroupJoinedResult {
  groupInfo: ZIMGroupFullInfo;
}

/** The outcome of leaveGroup. */
export interface ZIMGroupLeftResult {
  groupID: string;
}

/** The outcome of queryGroupList. */
export interface ZIMGroupListQueriedResult {
  groupList: ZIMGroup[];
  nextFlag: number;
}

/** The outcome of queryGroupMemberCount. */
export interface ZIMGroupMemberCountQueriedResult {
  groupID: string;
  count: number;
}

/** The outcome of queryGroupMemberInfo. */
export interface ZIMGroupMemberInfoQueriedResult {
  groupID: string;
  userInfo: ZIMGroupMemberInfo;
}

/** The outcome of kickGroupMembers. */
export interface ZIMGroupMemberKickedResult {
  groupID: string;
  kickedUserIDs: string[];
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of queryGroupMemberList. */
export interface ZIMGroupMemberListQueriedResult {
  groupID: string;
  userList: ZIMGroupMemberInfo[];
  nextFlag: number;
}

/** A page of members that may not send. */
export interface ZIMGroupMemberMutedListQueriedResult {
  groupID: string;
  nextFlag: number;
  userList: ZIMGroupMemberInfo[];
}

/** The outcome of setGroupMemberNickname. */
export interface ZIMGroupMemberNicknameUpdatedResult {
  groupID: string;
  forUserID: string;
  nickname: string;
}

/** The outcome of setGroupMemberRole. */
export interface ZIMGroupMemberRoleUpdatedResult {
  groupID: string;
  forUserID: string;
  role: number;
}

/** The outcome of muteGroupMembers. */
export interface ZIMGroupMembersMutedResult {
  groupID: string;
  isMute: boolean;
  duration: number;
  mutedUserIDs: string[];
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of searchLocalGroupMembers. */
export interface ZIMGroupMembersSearchedResult {
  groupID: string;
  userList: ZIMGroupMemberInfo[];
  nextFlag: number;
}

/** The outcome of queryGroupMessageReceiptReadMemberList and queryGroupMessageReceiptUnreadMemberList. */
export interface ZIMGroupMessageReceiptMemberListQueriedResult {
  groupID: string;
  userList: ZIMGroupMemberInfo[];
  nextFlag: number;
}

/** The outcome of muteGroup. */
export interface ZIMGroupMutedResult {
  groupID: string;
  isMute: boolean;
  mutedInfo: ZIMGroupMuteInfo;
}

/** The outcome of updateGroupName. */
export interface ZIMGroupNameUpdatedResult {
  groupID: string;
  groupName: string;
}

/** The outcome of updateGroupNotice. */
export interface ZIMGroupNoticeUpdatedResult {
  groupID: string;
  groupNotice: string;
}

/** The outcome of transferGroupOwner. */
export interface ZIMGroupOwnerTransferredResult {
  groupID: string;
  toUserID: string;
}

/** The outcome of inviteUsersIntoGroup. */
export interface ZIMGroupUsersInvitedResult {
  groupID: string;
  userList: ZIMGroupMemberInfo[];
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of searchLocalGroups. */
export interface ZIMGroupsSearchedResult {
  groupSearchInfoList: ZIMGroupSearchInfo[];
  nextFlag: number;
}

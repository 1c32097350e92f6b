import type { ZIMGroupBeInviteMode, ZIMGroupInviteMode, ZIMGroupJoinMode } from '../enums/index.js';
import type {
  ZIMEventOfGroupAliasUpdatedResult,
  ZIMEventOfGroupApplicationListChangedResult,
  ZIMEventOfGroupApplicationUpdatedResult,
  ZIMEventOfGroupAttributesUpdatedResult,
  ZIMEventOfGroupAvatarUrlUpdatedResult,
  ZIMEventOfGroupMemberInfoUpdatedResult,
  ZIMEventOfGroupMemberStateChangedResult,
  ZIMEventOfGroupMutedInfoUpdatedResult,
  ZIMEventOfGroupNameUpdatedResult,
  ZIMEventOfGroupNoticeUpdatedResult,
  ZIMEventOfGroupStateChangedResult,
  ZIMEventOfGroupVerifyInfoUpdatedResult,
  ZIMGroupAdvancedConfig,
  ZIMGroupAliasUpdatedResult,
  ZIMGroupApplicationListQueriedResult,
  ZIMGroupApplicationListQueryConfig,
  ZIMGroupAttributesOperatedResult,
  ZIMGroupAttributesQueriedResult,
  ZIMGroupAvatarUrlUpdatedResult,
  ZIMGroupBeInviteModeUpdatedResult,
  ZIMGroupCreatedResult,
  ZIMGroupDismissedResult,
  ZIMGroupInfo,
  ZIMGroupInfoQueriedResult,
  ZIMGroupInviteApplicationAcceptConfig,
  ZIMGroupInviteApplicationAcceptedResult,
  ZIMGroupInviteApplicationRejectConfig,
  ZIMGroupInviteApplicationRejectedResult,
  ZIMGroupInviteApplicationSendConfig,
  ZIMGroupInviteApplicationsSentResult,
  ZIMGroupInviteModeUpdatedResult,
  ZIMGroupJoinApplicationAcceptConfig,
  ZIMGroupJoinApplicationAcceptedResult,
  ZIMGroupJoinApplicationRejectConfig,
  ZIMGroupJoinApplicationRejectedResult,
  ZIMGroupJoinApplicationSendConfig,
  ZIMGroupJoinApplicationSentResult,
  ZIMGroupJoinModeUpdatedResult,
  ZIMGroupJoinedResult,
  ZIMGroupLeftResult,
  ZIMGroupListQueriedResult,
  ZIMGroupListQueryConfig,
  ZIMGroupMemberCountQueriedResult,
  ZIMGroupMemberInfoQueriedResult,
  ZIMGroupMemberKickedResult,
  ZIMGroupMemberListQueriedResult,
  ZIMGroupMemberMuteConfig,
  ZIMGroupMemberMutedListQueriedResult,
  ZIMGroupMemberNicknameUpdatedResult,
  ZIMGroupMemberQueryConfig,
  ZIMGroupMemberRoleUpdatedResult,
  ZIMGroupMemberSearchConfig,
  ZIMGroupMembersMutedResult,
  ZIMGroupMembersSearchedResult,
  ZIMGroupMessageReceiptMemberListQueriedResult,
  ZIMGroupMessageReceiptMemberQueryConfig,
  ZIMGroupMuteConfig,
  ZIMGroupMutedResult,
  ZIMGroupNameUpdatedResult,
  ZIMGroupNoticeUpdatedResult,
  ZIMGroupOwnerTransferredResult,
  ZIMGroupSearchConfig,
  ZIMGroupUsersInvitedResult,
  ZIMGroupsSearchedResult,
  ZIMMessage,
} from '../types/index.js';

/** The methods of the capability group. */
export interface GroupMethods {
  /** Makes a group of the own user, the owner, and others. */
  createGroup(groupInfo: ZIMGroupInfo, userIDs: string[], config?: ZIMGroupAdvancedConfig): Promise<ZIMGroupCreatedResult>;
  /** Ends a group, for everybody. */
  dismissGroup(groupID: string): Promise<ZIMGroupDismissedResult>;
  /** Joins a group. */
  joinGroup(groupID: string): Promise<ZIMGroupJoinedResult>;
  /** Leaves a group. */
  leaveGroup(groupID: string): Promise<ZIMGroupLeftResult>;
  /** Adds users to a group. */
  inviteUsersIntoGroup(userIDs: string[], groupID: string): Promise<ZIMGroupUsersInvitedResult>;
  /** Removes members from a group. */
  kickGroupMembers(userIDs: string[], groupID: string): Promise<ZIMGroupMemberKickedResult>;
  /** Makes another member the owner of a group. */
  transferGroupOwner(toUserID: string, groupID: string): Promise<ZIMGroupOwnerTransferredResult>;
  /** What is known of a group. */
  queryGroupInfo(groupID: string): Promise<ZIMGroupInfoQueriedResult>;
  /** One member of a group. */
  queryGroupMemberInfo(userID: string, groupID: string): Promise<ZIMGroupMemberInfoQueriedResult>;
  /** The groups that the user is in; without arguments, all. */
  queryGroupList(): Promise<ZIMGroupListQueriedResult>;
  queryGroupList(count: number, config: ZIMGroupListQueryConfig): Promise<ZIMGroupListQueriedResult>;
  /** A page of a group's members. */
  queryGroupMemberList(groupID: string, config: ZIMGroupMemberQueryConfig): Promise<ZIMGroupMemberListQueriedResult>;
  /** How many members a group has. */
  queryGroupMemberCount(groupID: string): Promise<ZIMGroupMemberCountQueriedResult>;
  /** Changes a group's name. */
  updateGroupName(groupName: string, groupID: string): Promise<ZIMGroupNameUpdatedResult>;
  /** Changes the address of a group's picture. */
  updateGroupAvatarUrl(groupAvatarUrl: string, groupID: string): Promise<ZIMGroupAvatarUrlUpdatedResult>;
  /** Changes a group's notice. */
  updateGroupNotice(groupNotice: string, groupID: string): Promise<ZIMGroupNoticeUpdatedResult>;
  /** Changes the name that the own user alone sees. */
  updateGroupAlias(groupAlias: string, groupID: string): Promise<ZIMGroupAliasUpdatedResult>;
  /** Changes who may join a group. */
  updateGroupJoinMode(mode: ZIMGroupJoinMode, groupID: string): Promise<ZIMGroupJoinModeUpdatedResult>;
  /** Changes who may add users to a group. */
  updateGroupInviteMode(mode: ZIMGroupInviteMode, groupID: string): Promise<ZIMGroupInviteModeUpdatedResult>;
  /** Changes whether those who are added must agree. */
  updateGroupBeInviteMode(mode: ZIMGroupBeInviteMode, groupID: string): Promise<ZIMGroupBeInviteModeUpdatedResult>;
  /** Sets attributes of a group. */
  setGroupAttributes(groupAttributes: Record<string, string>, groupID: string): Promise<ZIMGroupAttributesOperatedResult>;
  /** Deletes attributes of a group. */
  deleteGroupAttributes(keys: string[], groupID: string): Promise<ZIMGroupAttributesOperatedResult>;
  /** Some attributes of a group. */
  queryGroupAttributes(keys: string[], groupID: string): Promise<ZIMGroupAttributesQueriedResult>;
  /** All attributes of a group. */
  queryGroupAllAttributes(groupID: string): Promise<ZIMGroupAttributesQueriedResult>;
  /** Changes a member's role. */
  setGroupMemberRole(role: number, forUserID: string, groupID: string): Promise<ZIMGroupMemberRoleUpdatedResult>;
  /** Changes a member's name in the group. */
  setGroupMemberNickname(nickname: string, forUserID: string, groupID: string): Promise<ZIMGroupMemberNicknameUpdatedResult>;
  /** Forbids all members, or some roles, to send; or allows it again. */
  muteGroup(isMute: boolean, groupID: string, config: ZIMGroupMuteConfig): Promise<ZIMGroupMutedResult>;
  /** Forbids members to send, or allows it again. */
  muteGroupMembers(
    isMute: boolean,
    userIDs: string[],
    groupID: string,
    config: ZIMGroupMemberMuteConfig,
  ): Promise<ZIMGroupMembersMutedResult>;
  /** A page of members that may not send. */
  queryGroupMemberMutedList(groupID: string, config: ZIMGroupMemberQueryConfig): Promise<ZIMGroupMemberMutedListQueriedResult>;
  /** A page of members that have read a message. */
  queryGroupMessageReceiptReadMemberList(
    message: ZIMMessage,
    groupID: string,
    config: ZIMGroupMessageReceiptMemberQueryConfig,
  ): Promise<ZIMGroupMessageReceiptMemberListQueriedResult>;
  /** A page of members that have not read a message. */
  queryGroupMessageReceiptUnreadMemberList(
    message: ZIMMessage,
    groupID: string,
    config: ZIMGroupMessageReceiptMemberQueryConfig,
  ): Promise<ZIMGroupMessageReceiptMemberListQueriedResult>;
  /** Groups that match. */
  searchLocalGroups(config: ZIMGroupSearchConfig): Promise<ZIMGroupsSearchedResult>;
  /** Members of a group that match. */
  searchLocalGroupMembers(groupID: string, config: ZIMGroupMemberSearchConfig): Promise<ZIMGroupMembersSearchedResult>;
  /** Asks to be taken into a group. */
  sendGroupJoinApplication(groupID: string, config: ZIMGroupJoinApplicationSendConfig): Promise<ZIMGroupJoinApplicationSentResult>;
  /** Takes a user who asked into a group. */
  acceptGroupJoinApplication(
    userID: string,
    groupID: string,
    config: ZIMGroupJoinApplicationAcceptConfig,
  ): Promise<ZIMGroupJoinApplicationAcceptedResult>;
  /** Refuses a user who asked to be taken into a group. */
  rejectGroupJoinApplication(
    userID: string,
    groupID: string,
    config: ZIMGroupJoinApplicationRejectConfig,
  ): Promise<ZIMGroupJoinApplicationRejectedResult>;
  /** Asks users to join a group. */
  sendGroupInviteApplications(
    userIDs: string[],
    groupID: string,
    config: ZIMGroupInviteApplicationSendConfig,
  ): Promise<ZIMGroupInviteApplicationsSentResult>;
  /** Joins a group that one was asked to join. */
  acceptGroupInviteApplication(
    inviterUserID: string,
    groupID: string,
    config: ZIMGroupInviteApplicationAcceptConfig,
  ): Promise<ZIMGroupInviteApplicationAcceptedResult>;
  /** Refuses to join a group. */
  rejectGroupInviteApplication(
    inviterUserID: string,
    groupID: string,
    config: ZIMGroupInviteApplicationRejectConfig,
  ): Promise<ZIMGroupInviteApplicationRejectedResult>;
  /** A page of what was asked of groups and by them. */
  queryGroupApplicationList(config: ZIMGroupApplicationListQueryConfig): Promise<ZIMGroupApplicationListQueriedResult>;
}

/** Its events; each listener is given the instance first. */
export interface GroupEvents<Z> {
  groupStateChanged: (zim: Z, data: ZIMEventOfGroupStateChangedResult) => void;
  groupNameUpdated: (zim: Z, data: ZIMEventOfGroupNameUpdatedResult) => void;
  groupAvatarUrlUpdated: (zim: Z, data: ZIMEventOfGroupAvatarUrlUpdatedResult) => void;
  groupNoticeUpdated: (zim: Z, data: ZIMEventOfGroupNoticeUpdatedResult) => void;
  groupAliasUpdated: (zim: Z, data: ZIMEventOfGroupAliasUpdatedResult) => void;
  groupAttributesUpdated: (zim: Z, data: ZIMEventOfGroupAttributesUpdatedResult) => void;
  groupMutedInfoUpdated: (zim: Z, data: ZIMEventOfGroupMutedInfoUpdatedResult) => void;
  groupVerifyInfoUpdated: (zim: Z, data: ZIMEventOfGroupVerifyInfoUpdatedResult) => void;
  groupMemberStateChanged: (zim: Z, data: ZIMEventOfGroupMemberStateChangedResult) => void;
  groupMemberInfoUpdated: (zim: Z, data: ZIMEventOfGroupMemberInfoUpdatedResult) => void;
  groupApplicationListChanged: (zim: Z, data: ZIMEventOfGroupApplicationListChangedResult) => void;
  groupApplicationUpdated: (zim: Z, data: ZIMEventOfGroupApplicationUpdatedResult) => void;
}

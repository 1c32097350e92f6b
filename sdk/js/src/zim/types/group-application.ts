import type { ZIMGroupApplicationListChangeAction, ZIMGroupApplicationState, ZIMGroupApplicationType } from '../enums/index.js';
import type { ZIMPushConfig, ZIMUserInfo } from './common.js';
import type { ZIMGroupFullInfo, ZIMGroupInfo, ZIMGroupMemberSimpleInfo } from './group.js';
import type { ZIMErrorUserInfo } from './user.js';

/** What was asked of a group or by it, and what has become of it. */
export interface ZIMGroupApplicationInfo {
  type: ZIMGroupApplicationType;
  state: ZIMGroupApplicationState;
  groupInfo: ZIMGroupInfo;
  applyUser: ZIMUserInfo;
  createTime: number;
  updateTime: number;
  wording: string;
  operatedUser?: ZIMGroupMemberSimpleInfo;
}

/** Options of queryGroupApplicationList. */
export interface ZIMGroupApplicationListQueryConfig {
  nextFlag: number;
  count: number;
}

/** Options of acceptGroupInviteApplication. */
export interface ZIMGroupInviteApplicationAcceptConfig {
  pushConfig?: ZIMPushConfig;
}

/** Options of rejectGroupInviteApplication. */
export interface ZIMGroupInviteApplicationRejectConfig {
  pushConfig?: ZIMPushConfig;
}

/** Options of sendGroupInviteApplications. */
export interface ZIMGroupInviteApplicationSendConfig {
  wording: string;
  pushConfig?: ZIMPushConfig;
}

/** Options of acceptGroupJoinApplication. */
export interface ZIMGroupJoinApplicationAcceptConfig {
  pushConfig?: ZIMPushConfig;
}

/** Options of rejectGroupJoinApplication. */
export interface ZIMGroupJoinApplicationRejectConfig {
  pushConfig?: ZIMPushConfig;
}

/** Options of sendGroupJoinApplication. */
export interface ZIMGroupJoinApplicationSendConfig {
  wording: string;
  pushConfig?: ZIMPushConfig;
}

/** The outcome of queryGroupApplicationList. */
export interface ZIMGroupApplicationListQueriedResult {
  applicationList: ZIMGroupApplicationInfo[];
  nextFlag: number;
}

/** The outcome of acceptGroupInviteApplication. */
export interface ZIMGroupInviteApplicationAcceptedResult {
  groupInfo: ZIMGroupFullInfo;
  inviterUserID: string;
}

/** The outcome of rejectGroupInviteApplication. */
export interface ZIMGroupInviteApplicationRejectedResult {
  groupID: string;
  inviterUserID: string;
}

/** The outcome of sendGroupInviteApplications. */
export interface ZIMGroupInviteApplicationsSentResult {
  groupID: string;
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of acceptGroupJoinApplication. */
export interface ZIMGroupJoinApplicationAcceptedResult {
  groupID: string;
  userID: string;
}

/** The outcome of rejectGroupJoinApplication. */
export interface ZIMGroupJoinApplicationRejectedResult {
  groupID: string;
  userID: string;
}

/** The outcome of sendGroupJoinApplication. */
export interface ZIMGroupJoinApplicationSentResult {
  groupID: string;
}

/** What groupApplicationListChanged tells. */
export interface ZIMEventOfGroupApplicationListChangedResult {
  action: ZIMGroupApplicationListChangeAction;
  applicationList: ZIMGroupApplicationInfo[];
}

/** What groupApplicationUpdated tells. */
export interface ZIMEventOfGroupApplicationUpdatedResult {
  applicationList: ZIMGroupApplicationInfo[];
}

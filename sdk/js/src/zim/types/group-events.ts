import type { ZIMGroupEvent, ZIMGroupMemberEvent, ZIMGroupMemberState, ZIMGroupState } from '../enums/index.js';
import type {
  ZIMGroupAttributesUpdateInfo,
  ZIMGroupFullInfo,
  ZIMGroupMemberInfo,
  ZIMGroupMuteInfo,
  ZIMGroupOperatedInfo,
  ZIMGroupVerifyInfo,
} from './group.js';

/** What groupAliasUpdated tells. */
export interface ZIMEventOfGroupAliasUpdatedResult {
  groupID: string;
  groupAlias: string;
  operatedUserID: string;
}

/** What groupAttributesUpdated tells. */
export interface ZIMEventOfGroupAttributesUpdatedResult {
  groupID: string;
  infoList: ZIMGroupAttributesUpdateInfo[];
  operatedInfo: ZIMGroupOperatedInfo;
}

/** What groupAvatarUrlUpdated tells. */
export interface ZIMEventOfGroupAvatarUrlUpdatedResult {
  groupID: string;
  groupAvatarUrl: string;
  operatedInfo: ZIMGroupOperatedInfo;
}

/** What groupMemberInfoUpdated tells. */
export interface ZIMEventOfGroupMemberInfoUpdatedResult {
  groupID: string;
  userList: ZIMGroupMemberInfo[];
  operatedInfo: ZIMGroupOperatedInfo;
}

/** What groupMemberStateChanged tells. */
export interface ZIMEventOfGroupMemberStateChangedResult {
  groupID: string;
  state: ZIMGroupMemberState;
  event: ZIMGroupMemberEvent;
  userList: ZIMGroupMemberInfo[];
  operatedInfo: ZIMGroupOperatedInfo;
}

/** What groupMutedInfoUpdated tells. */
export interface ZIMEventOfGroupMutedInfoUpdatedResult {
  groupID: string;
  mutedInfo: ZIMGroupMuteInfo;
  operatedInfo: ZIMGroupOperatedInfo;
}

/** What groupNameUpdated tells. */
export interface ZIMEventOfGroupNameUpdatedResult {
  groupID: string;
  groupName: string;
  operatedInfo: ZIMGroupOperatedInfo;
}

/** What groupNoticeUpdated tells. */
export interface ZIMEventOfGroupNoticeUpdatedResult {
  groupID: string;
  groupNotice: string;
  operatedInfo: ZIMGroupOperatedInfo;
}

/** What groupStateChanged tells. */
export interface ZIMEventOfGroupStateChangedResult {
  state: ZIMGroupState;
  event: ZIMGroupEvent;
  operatedInfo: ZIMGroupOperatedInfo;
  groupInfo: ZIMGroupFullInfo;
}

/** What groupVerifyInfoUpdated tells. */
export interface ZIMEventOfGroupVerifyInfoUpdatedResult {
  groupID: string;
  verifyInfo: ZIMGroupVerifyInfo;
  operatedInfo: ZIMGroupOperatedInfo;
}

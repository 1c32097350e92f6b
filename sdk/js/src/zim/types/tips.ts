import type { ZIMMessageType, ZIMTipsMessageChangeInfoType, ZIMTipsMessageEvent } from '../enums/index.js';
import type { ZIMUserInfo } from './common.js';
import type { ZIMGroupMemberSimpleInfo, ZIMGroupMuteInfo } from './group.js';
import type { ZIMMessage } from './message.js';

/** What has happened in a conversation, told as a message. */
export interface ZIMTipsMessage extends ZIMMessage {
  event: ZIMTipsMessageEvent;
  operatedUser: ZIMUserInfo;
  targetUserList: ZIMUserInfo[];
  changeInfo?: ZIMTipsMessageChangeInfo;
  type: ZIMMessageType.Tips;
}

/** What an event has changed. */
export interface ZIMTipsMessageChangeInfo {
  type: ZIMTipsMessageChangeInfoType;
}

/** What has changed of a group; `groupDataFlag` has a bit for each field. */
export interface ZIMTipsMessageGroupChangeInfo extends ZIMTipsMessageChangeInfo {
  groupDataFlag: number;
  groupName: string;
  groupNotice: string;
  groupAvatarUrl: string;
  groupMutedInfo?: ZIMGroupMuteInfo;
}

/** What has changed of a member. */
export interface ZIMTipsMessageGroupMemberChangeInfo extends ZIMTipsMessageChangeInfo {
  memberRole: number;
  muteExpiredTime: number;
  groupNewOwner?: ZIMGroupMemberSimpleInfo;
}

/** Whether a message was pinned or unpinned. */
export interface ZIMTipsMessagePinStatusChangeInfo extends ZIMTipsMessageChangeInfo {
  isPinned: boolean;
}

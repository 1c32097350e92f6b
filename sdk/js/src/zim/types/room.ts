import type { ZIMRoomAttributesUpdateAction, ZIMRoomEvent, ZIMRoomState } from '../enums/index.js';
import type { ZIMUserInfo } from './common.js';
import type { ZIMErrorUserInfo } from './user.js';

/** Attributes that were set or deleted. */
export interface ZIMRoomAttributesUpdateInfo {
  action: ZIMRoomAttributesUpdateAction;
  roomAttributes: Record<string, string>;
}

/** What is known of a room. */
export interface ZIMRoomFullInfo {
  baseInfo: ZIMRoomInfo;
}

/** A room's ID and name. */
export interface ZIMRoomInfo {
  roomID: string;
  roomName: string;
}

/** The attributes of a member. */
export interface ZIMRoomMemberAttributesInfo {
  userID: string;
  attributes: Record<string, string>;
}

/** The attributes of a member, and the keys that could not be set. */
export interface ZIMRoomMemberAttributesOperatedInfo {
  attributesInfo: ZIMRoomMemberAttributesInfo;
  errorKeys: string[];
}

/** Attributes of a member that were set. */
export interface ZIMRoomMemberAttributesUpdateInfo {
  attributesInfo: ZIMRoomMemberAttributesInfo;
}

/** Somebody in a room. */
export interface ZIMRoomMemberInfo extends ZIMUserInfo {}

/** Who has done it. */
export interface ZIMRoomOperatedInfo {
  userID: string;
}

/** Options of createRoom, enterRoom and switchRoom. */
export interface ZIMRoomAdvancedConfig {
  roomAttributes: Record<string, string>;
  roomDestroyDelayTime: number;
}

/** Options of beginRoomAttributesBatchOperation. */
export interface ZIMRoomAttributesBatchOperationConfig {
  isForce: boolean;
  isDeleteAfterOwnerLeft: boolean;
  isUpdateOwner: boolean;
}

/** Options of deleteRoomAttributes. */
export interface ZIMRoomAttributesDeleteConfig {
  isForce: boolean;
}

/** Options of setRoomAttributes. */
export interface ZIMRoomAttributesSetConfig {
  isForce: boolean;
  isDeleteAfterOwnerLeft: boolean;
  isUpdateOwner: boolean;
}

/** Options of queryRoomMemberAttributesList. */
export interface ZIMRoomMemberAttributesQueryConfig {
  nextFlag: string;
  count: number;
}

/** Options of setRoomMembersAttributes. */
export interface ZIMRoomMemberAttributesSetConfig {
  isDeleteAfterOwnerLeft: boolean;
}

/** Options of queryRoomMemberList. */
export interface ZIMRoomMemberQueryConfig {
  nextFlag: string;
  count: number;
}

/** The outcome of leaveAllRoom. */
export interface ZIMRoomAllLeftResult {
  roomIDs: string[];
}

/** The outcome of endRoomAttributesBatchOperation. */
export interface ZIMRoomAttributesBatchOperatedResult {
  roomID: string;
}

/** The outcome of setRoomAttributes and deleteRoomAttributes. */
export interface ZIMRoomAttributesOperatedResult {
  roomID: string;
  errorKeys: string[];
}

/** The outcome of queryRoomAllAttributes. */
export interface ZIMRoomAttributesQueriedResult {
  roomID: string;
  roomAttributes: Record<string, string>;
}

/** The outcome of createRoom. */
export interface ZIMRoomCreatedResult {
  roomInfo: ZIMRoomFullInfo;
}

/** The outcome of enterRoom. */
export interface ZIMRoomEnteredResult {
  roomInfo: ZIMRoomFullInfo;
}

/** The outcome of joinRoom. */
export interface ZIMRoomJoinedResult {
  roomInfo: ZIMRoomFullInfo;
}

/** The outcome of leaveRoom. */
export interface ZIMRoomLeftResult {
  roomID: string;
}

/** The outcome of queryRoomMemberAttributesList. */
export interface ZIMRoomMemberAttributesListQueriedResult {
  roomID: string;
  infos: ZIMRoomMemberAttributesInfo[];
  nextFlag: string;
}

/** The outcome of queryRoomMemberList. */
export interface ZIMRoomMemberQueriedResult {
  roomID: string;
  memberList: ZIMUserInfo[];
  nextFlag: string;
}

/** The outcome of setRoomMembersAttributes. */
export interface ZIMRoomMembersAttributesOperatedResult {
  roomID: string;
  infos: ZIMRoomMemberAttributesOperatedInfo[];
  errorUserList: string[];
}

/** The outcome of queryRoomMembersAttributes. */
export interface ZIMRoomMembersAttributesQueriedResult {
  roomID: string;
  infos: ZIMRoomMemberAttributesInfo[];
}

/** The outcome of queryRoomMembers. */
export interface ZIMRoomMembersQueriedResult {
  roomID: string;
  memberList: ZIMRoomMemberInfo[];
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of queryRoomOnlineMemberCount. */
export interface ZIMRoomOnlineMemberCountQueriedResult {
  roomID: string;
  count: number;
}

/** The outcome of switchRoom. */
export interface ZIMRoomSwitchedResult {
  roomInfo: ZIMRoomFullInfo;
}

/** What roomAttributesUpdated and roomAttributesBatchUpdated tell. */
export interface ZIMEventOfRoomAttributesUpdatedResult {
  roomID: string;
  infos: ZIMRoomAttributesUpdateInfo[];
}

/** What roomMemberJoined and roomMemberLeft tell. */
export interface ZIMEventOfRoomMemberChangedResult {
  roomID: string;
  memberList: ZIMUserInfo[];
}

/** What roomMemberAttributesUpdated tells. */
export interface ZIMEventOfRoomMembersAttributesUpdatedResult {
  roomID: string;
  infos: ZIMRoomMemberAttributesUpdateInfo[];
  operatedInfo: ZIMRoomOperatedInfo;
}

/** What roomStateChanged tells. */
export interface ZIMEventOfRoomStateChangedResult {
  roomID: string;
  state: ZIMRoomState;
  event: ZIMRoomEvent;
  extendedData: string;
}

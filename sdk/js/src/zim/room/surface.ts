import type {
  ZIMEventOfRoomAttributesUpdatedResult,
  ZIMEventOfRoomMemberChangedResult,
  ZIMEventOfRoomMembersAttributesUpdatedResult,
  ZIMEventOfRoomStateChangedResult,
  ZIMRoomAdvancedConfig,
  ZIMRoomAllLeftResult,
  ZIMRoomAttributesBatchOperatedResult,
  ZIMRoomAttributesBatchOperationConfig,
  ZIMRoomAttributesDeleteConfig,
  ZIMRoomAttributesOperatedResult,
  ZIMRoomAttributesQueriedResult,
  ZIMRoomAttributesSetConfig,
  ZIMRoomCreatedResult,
  ZIMRoomEnteredResult,
  ZIMRoomInfo,
  ZIMRoomJoinedResult,
  ZIMRoomLeftResult,
  ZIMRoomMemberAttributesListQueriedResult,
  ZIMRoomMemberAttributesQueryConfig,
  ZIMRoomMemberAttributesSetConfig,
  ZIMRoomMemberQueriedResult,
  ZIMRoomMemberQueryConfig,
  ZIMRoomMembersAttributesOperatedResult,
  ZIMRoomMembersAttributesQueriedResult,
  ZIMRoomMembersQueriedResult,
  ZIMRoomOnlineMemberCountQueriedResult,
  ZIMRoomSwitchedResult,
} from '../types/index.js';

/** The methods of the capability room. */
export interface RoomMethods {
  /** Makes a room and enters it; refused when it exists. */
  createRoom(roomInfo: ZIMRoomInfo, config?: ZIMRoomAdvancedConfig): Promise<ZIMRoomCreatedResult>;
  /** Enters a room that exists. */
  joinRoom(roomID: string): Promise<ZIMRoomJoinedResult>;
  /** Enters a room, and makes it when it does not exist. */
  enterRoom(roomInfo: ZIMRoomInfo, config?: ZIMRoomAdvancedConfig): Promise<ZIMRoomEnteredResult>;
  /** Leaves one room and enters another. */
  switchRoom(
    fromRoomID: string,
    toRoomInfo: ZIMRoomInfo,
    isCreateWhenRoomNotExisted: boolean,
    config?: ZIMRoomAdvancedConfig,
  ): Promise<ZIMRoomSwitchedResult>;
  /** Leaves a room. */
  leaveRoom(roomID: string): Promise<ZIMRoomLeftResult>;
  /** Leaves all rooms. */
  leaveAllRoom(): Promise<ZIMRoomAllLeftResult>;
  /** A page of a room's members. */
  queryRoomMemberList(roomID: string, config: ZIMRoomMemberQueryConfig): Promise<ZIMRoomMemberQueriedResult>;
  /** Some members of a room, by their IDs. */
  queryRoomMembers(userIDs: string[], roomID: string): Promise<ZIMRoomMembersQueriedResult>;
  /** How many are in a room. */
  queryRoomOnlineMemberCount(roomID: string): Promise<ZIMRoomOnlineMemberCountQueriedResult>;
  /** Sets attributes of a room. */
  setRoomAttributes(
    roomAttributes: Record<string, string>,
    roomID: string,
    config: ZIMRoomAttributesSetConfig,
  ): Promise<ZIMRoomAttributesOperatedResult>;
  /** Deletes attributes of a room. */
  deleteRoomAttributes(keys: string[], roomID: string, config: ZIMRoomAttributesDeleteConfig): Promise<ZIMRoomAttributesOperatedResult>;
  /** Starts to collect changes of a room's attributes. */
  beginRoomAttributesBatchOperation(roomID: string, config: ZIMRoomAttributesBatchOperationConfig): void;
  /** Makes all the collected changes at once. */
  endRoomAttributesBatchOperation(roomID: string): Promise<ZIMRoomAttributesBatchOperatedResult>;
  /** All attributes of a room. */
  queryRoomAllAttributes(roomID: string): Promise<ZIMRoomAttributesQueriedResult>;
  /** Sets attributes of members of a room. */
  setRoomMembersAttributes(
    attributes: Record<string, string>,
    userIDs: string[],
    roomID: string,
    config: ZIMRoomMemberAttributesSetConfig,
  ): Promise<ZIMRoomMembersAttributesOperatedResult>;
  /** The attributes of some members of a room. */
  queryRoomMembersAttributes(userIDs: string[], roomID: string): Promise<ZIMRoomMembersAttributesQueriedResult>;
  /** A page of members of a room with attributes. */
  queryRoomMemberAttributesList(
    roomID: string,
    config: ZIMRoomMemberAttributesQueryConfig,
  ): Promise<ZIMRoomMemberAttributesListQueriedResult>;
}

/** Its events; each listener is given the instance first. */
export interface RoomEvents<Z> {
  roomStateChanged: (zim: Z, data: ZIMEventOfRoomStateChangedResult) => void;
  roomMemberJoined: (zim: Z, data: ZIMEventOfRoomMemberChangedResult) => void;
  roomMemberLeft: (zim: Z, data: ZIMEventOfRoomMemberChangedResult) => void;
  roomAttributesUpdated: (zim: Z, data: ZIMEventOfRoomAttributesUpdatedResult) => void;
  roomAttributesBatchUpdated: (zim: Z, data: ZIMEventOfRoomAttributesUpdatedResult) => void;
  roomMemberAttributesUpdated: (zim: Z, data: ZIMEventOfRoomMembersAttributesUpdatedResult) => void;
}

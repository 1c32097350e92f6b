// Rooms and their members. Names and values are those of
// zego-zim-web 2.29.0; each enum is an object both ways at run time.

/** The user's standing in a room. */
export enum ZIMRoomState {
  Disconnected = 0,
  Connecting = 1,
  Connected = 2,
}

/** Why the room state changed. */
export enum ZIMRoomEvent {
  Success = 0,
  NetworkInterrupted = 1,
  NetworkDisconnected = 2,
  RoomNotExist = 3,
  ActiveCreate = 4,
  CreateFailed = 5,
  ActiveEnter = 6,
  EnterFailed = 7,
  KickedOut = 8,
  ConnectTimeout = 9,
  KickedOutByOtherDevice = 10,
  ActiveSwitch = 11,
  SwitchFailed = 12,
}

/** Whether room attributes were set or removed. */
export enum ZIMRoomAttributesUpdateAction {
  Set = 0,
  Delete = 1,
}

/** What happened to the attributes of a room member. */
export enum ZIMRoomMemberAttributesUpdateAction {
  Set = 0,
}

// Users, friends, blacklist and platform. Names and values are those of
// zego-zim-web 2.29.0; each enum is an object both ways at run time.

/** Whether a user is there. */
export enum ZIMUserOnlineStatus {
  Online = 0,
  Offline = 1,
  Logout = 2,
  Unknown = 99,
}

/** What a device runs on. */
export enum ZIMPlatformType {
  Win = 1,
  IPhoneOS = 2,
  Android = 3,
  MacOS = 4,
  Linux = 5,
  Web = 6,
  MiniProgram = 7,
  IPadOS = 9,
  OHOS = 10,
  Unknown = 32,
}

/** How two users stand to each other. */
export enum ZIMUserRelationType {
  Unknown = 0,
  SingleNo = 1,
  SingleHave = 2,
  BothAllNo = 3,
  BothSelfHave = 4,
  BothOtherHave = 5,
  BothAllHave = 6,
}

/** What happened to the friend list. */
export enum ZIMFriendListChangeAction {
  Added = 0,
  Deleted = 1,
}

/** What happened to the list of friend applications. */
export enum ZIMFriendApplicationListChangeAction {
  Added = 0,
  Deleted = 1,
}

/** Who sent a friend application. */
export enum ZIMFriendApplicationType {
  Unknown = -1,
  None = 0,
  Received = 1,
  Sent = 2,
  Both = 3,
}

/** How far a friend application has come. */
export enum ZIMFriendApplicationState {
  Unknown = -1,
  Waiting = 1,
  Accepted = 2,
  Rejected = 3,
  Expired = 4,
  Disabled = 5,
}

/** Whether one or both friend lists are looked at. */
export enum ZIMFriendRelationCheckType {
  Both = 0,
  Single = 1,
}

/** Whether one or both friend lists lose the entry. */
export enum ZIMFriendDeleteType {
  Both = 0,
  Single = 1,
}

/** What happened to the blacklist. */
export enum ZIMBlacklistChangeAction {
  Added = 0,
  Removed = 1,
}

/** What an iOS call handle is. */
export enum ZIMCXHandleType {
  Generic = 1,
  PhoneNumber = 2,
  EmailAddress = 3,
}

/** How a list of regions is meant. */
export enum ZIMGeofencingType {
  None = 0,
  Include = 1,
  Exclude = 2,
}

// Groups, their members and applications. Names and values are those of
// zego-zim-web 2.29.0; each enum is an object both ways at run time.

/** The user's standing in a group. */
export enum ZIMGroupState {
  Quit = 0,
  Enter = 1,
}

/** Why the group state changed. */
export enum ZIMGroupEvent {
  Unknown = -1,
  Created = 1,
  Dismissed = 2,
  Joined = 3,
  Invited = 4,
  Left = 5,
  KickedOut = 6,
}

/** What a group member did, or had done. */
export enum ZIMGroupMemberEvent {
  Unknown = -1,
  Joined = 1,
  Left = 2,
  KickedOut = 4,
  Invited = 5,
}

/** A member's standing in a group. */
export enum ZIMGroupMemberState {
  Quit = 0,
  Enter = 1,
}

/** Whether a group may disturb the user. */
export enum ZIMGroupMessageNotificationStatus {
  Notify = 1,
  Disturb = 2,
}

/** Whether group attributes were set or removed. */
export enum ZIMGroupAttributesUpdateAction {
  Set = 0,
  Delete = 1,
}

/** Who may not write in a group. */
export enum ZIMGroupMuteMode {
  None = 0,
  Normal = 1,
  All = 2,
  Custom = 3,
}

/** How one may join a group. */
export enum ZIMGroupJoinMode {
  Any = 0,
  Auth = 1,
  Forbid = 2,
}

/** Who may invite into a group. */
export enum ZIMGroupInviteMode {
  Any = 0,
  Admin = 1,
}

/** Whether an invitation needs consent. */
export enum ZIMGroupBeInviteMode {
  None = 0,
  Auth = 1,
}

/** How a member came in. */
export enum ZIMGroupEnterType {
  Unknown = 0,
  Created = 1,
  JoinApply = 2,
  Joined = 3,
  Invited = 4,
  InviteApply = 5,
}

/** The kinds of group application. */
export enum ZIMGroupApplicationType {
  Unknown = -1,
  None = 0,
  Join = 1,
  Invite = 2,
  BeInvite = 3,
}

/** How far a group application has come. */
export enum ZIMGroupApplicationState {
  Unknown = -1,
  Waiting = 1,
  Accepted = 2,
  Rejected = 3,
  Expired = 4,
  Disabled = 5,
}

/** What happened to the list of group applications. */
export enum ZIMGroupApplicationListChangeAction {
  Added = 0,
}

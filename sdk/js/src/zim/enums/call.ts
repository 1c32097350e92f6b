// Call invitations. Names and values are those of
// zego-zim-web 2.29.0; each enum is an object both ways at run time.

/** The kinds of call invitation. */
export enum ZIMCallInvitationMode {
  Unknown = -1,
  General = 0,
  Advanced = 1,
}

/** Whether a call is on. */
export enum ZIMCallState {
  Unknown = -1,
  Started = 1,
  Ended = 2,
}

/** One user's standing in a call. */
export enum ZIMCallUserState {
  Unknown = -1,
  Inviting = 0,
  Accepted = 1,
  Rejected = 2,
  Cancelled = 3,
  Offline = 4,
  Received = 5,
  Timeout = 6,
  Quit = 7,
  Ended = 8,
  NotYetReceived = 9,
  BeCancelled = 10,
}

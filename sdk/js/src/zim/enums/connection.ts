// How the connection and the login stand. Names and values are those of
// zego-zim-web 2.29.0; each enum is an object both ways at run time.

/** Where a login stands. */
export enum ZIMConnectionState {
  Disconnected = 0,
  Connecting = 1,
  Connected = 2,
  Reconnecting = 3,
}

/** Why the connection state changed. */
export enum ZIMConnectionEvent {
  Success = 0,
  ActiveLogin = 1,
  LoginTimeout = 2,
  LoginInterrupted = 3,
  KickedOut = 4,
  TokenExpired = 5,
  Unregistered = 6,
}

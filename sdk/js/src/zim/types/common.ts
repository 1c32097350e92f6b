import type { GetToken } from '../../provider.js';
import type { WebSocketConstructor } from '../../socket.js';
import type { ZIMCXHandleType } from '../enums/index.js';
import type { ZIMErrorCode } from '../error-code.js';

/** What a rejected promise and the `error` event carry. */
export interface ZIMError {
  code: ZIMErrorCode;
  message: string;
}

/** What `create` takes. Everything but the app ID is Parley's own. */
export interface ZIMAppConfig {
  appID: number;
  /** Accepted for apps that have one; Parley does not use it. */
  appSign?: string;
  /**
   * The http(s) address of the Parley server, or several that are tried in
   * turn; a path is that of a proxy in front of it. Without it
   * `globalThis.PARLEY_SERVER` is used, else the origin of the page.
   */
  server?: string | readonly string[];
  /** A WebSocket class for places without a global one, such as Node 20. */
  WebSocket?: WebSocketConstructor;
  /**
   * For how many milliseconds a message is tried before sending it fails;
   * 5 minutes unless told (the reference gives up after 30 s). Infinity never
   * gives up.
   */
  resendWindowMs?: number;
  /**
   * Gives a fresh token when the present one is about to expire, or has
   * expired: then `tokenWillExpire` needs no answer. It is asked until the
   * server takes its token; an error with the code 6000101 ends the login.
   */
  getToken?: GetToken;
}

/** A user, as others see it. */
export interface ZIMUserInfo {
  userID: string;
  userName: string;
  userAvatarUrl: string;
  userExtendedData: string;
}

/** How to log in. */
export interface ZIMLoginConfig {
  /** Empty keeps the name that the server knows. */
  userName: string;
  token: string;
  /** Has no effect: there is no local store to work from yet. */
  isOfflineLogin: boolean;
  /** Has no effect yet. */
  customStatus: string;
  /** Has no effect yet. */
  customStatusDuration: number;
}

/** How to log out. */
export interface ZIMLogoutConfig {
  /** Has no effect: there is no local store yet. */
  isClearDB: boolean;
}

/** The iOS call screen that a push may open; carried for compatibility. */
export interface ZIMVoIPConfig {
  iOSVoIPHandleType: ZIMCXHandleType;
  iOSVoIPHandleValue: string;
  iOSVoIPHasVideo: boolean;
}

/** A vendor's template for an offline push; carried for compatibility. */
export interface ZIMOfflinePushPrivateMessageTemplate {
  templateID: string;
  titleParameters: string;
  contentParameters: string;
}

/** The offline push of a message; has no effect yet. */
export interface ZIMPushConfig {
  title: string;
  content: string;
  payload: string;
  resourcesID: string;
  threadID: string;
  enableBadge: boolean;
  badgeIncrement: number;
  voIPConfig?: ZIMVoIPConfig;
  privateMessageTemplate?: ZIMOfflinePushPrivateMessageTemplate;
}

/** The outcome of renewing a token. */
export interface ZIMTokenRenewedResult {
  token: string;
}

/** How much is logged. */
export interface ZIMLogConfig {
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'report' | 'disable';
}

/** The outcome of uploadLog. */
export interface ZIMLogUploadedResult {}

/** The outcome of a login. */
export interface ZIMLoggedInResult {}

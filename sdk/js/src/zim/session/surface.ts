import type {
  ZIMError,
  ZIMEventOfConnectionStateChangedResult,
  ZIMEventOfTokenWillExpireResult,
  ZIMTokenRenewedResult,
} from '../types/index.js';

/** The methods of the capability session. */
export interface SessionMethods {
  /** Replaces the token before it expires. */
  renewToken(token: string): Promise<ZIMTokenRenewedResult>;
  /** Accepted without effect: there is no vendor to send logs to. */
  uploadLog(): Promise<void>;
  /** Accepted without effect; resolves with an empty text. */
  callExperimentalAPI(params: string): Promise<string>;
}

/** Its events; each listener is given the instance first. */
export interface SessionEvents<Z> {
  error: (zim: Z, errorInfo: ZIMError) => void;
  experimentalEventReceived: (zim: Z, content: string) => void;
  tokenWillExpire: (zim: Z, data: ZIMEventOfTokenWillExpireResult) => void;
  connectionStateChanged: (zim: Z, data: ZIMEventOfConnectionStateChangedResult) => void;
}

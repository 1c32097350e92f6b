import type { ZIMCallInvitationMode } from '../enums/index.js';
import type { ZIMCallUserInfo } from './call.js';

/** What callInvitationAccepted tells. */
export interface ZIMEventOfCallInvitationAcceptedResult {
  callID: string;
  invitee: string;
  extendedData: string;
}

/** What callInvitationCancelled tells. */
export interface ZIMEventOfCallInvitationCancelledResult {
  callID: string;
  mode: ZIMCallInvitationMode;
  inviter: string;
  extendedData: string;
}

/** What callInvitationCreated tells. */
export interface ZIMEventOfCallInvitationCreatedResult {
  callID: string;
  mode: ZIMCallInvitationMode;
  caller: string;
  extendedData: string;
  timeout: number;
  createTime: number;
  callUserList: ZIMCallUserInfo[];
}

/** What callInvitationEnded tells. */
export interface ZIMEventOfCallInvitationEndedResult {
  callID: string;
  mode: ZIMCallInvitationMode;
  caller: string;
  operatedUserID: string;
  extendedData: string;
  endTime: number;
}

/** What callInvitationReceived tells. */
export interface ZIMEventOfCallInvitationReceivedResult {
  callID: string;
  mode: ZIMCallInvitationMode;
  caller: string;
  inviter: string;
  extendedData: string;
  timeout: number;
  createTime: number;
  callUserList: ZIMCallUserInfo[];
}

/** What callInvitationRejected tells. */
export interface ZIMEventOfCallInvitationRejectedResult {
  callID: string;
  invitee: string;
  extendedData: string;
}

/** What callInvitationTimeout tells. */
export interface ZIMEventOfCallInvitationTimeoutResult {
  callID: string;
  mode: ZIMCallInvitationMode;
}

/** What callInviteesAnsweredTimeout tells. */
export interface ZIMEventOfCallInviteesAnsweredTimeoutResult {
  callID: string;
  invitees: string[];
}

/** What callUserStateChanged tells. */
export interface ZIMEventOfCallUserStateChangedResult {
  callID: string;
  callUserList: ZIMCallUserInfo[];
}

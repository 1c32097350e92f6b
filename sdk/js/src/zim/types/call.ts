import type { ZIMCallInvitationMode, ZIMCallState, ZIMCallUserState } from '../enums/index.js';
import type { ZIMPushConfig } from './common.js';
import type { ZIMErrorUserInfo } from './user.js';

/** The times of a call that was ended. */
export interface ZIMCallEndedSentInfo {
  createTime: number;
  acceptTime: number;
  endTime: number;
}

/** A call. */
export interface ZIMCallInfo {
  callID: string;
  caller: string;
  inviter: string;
  createTime: number;
  endTime: number;
  state: ZIMCallState;
  mode: ZIMCallInvitationMode;
  extendedData: string;
  callUserList: ZIMCallUserInfo[];
}

/** Who has accepted. */
export interface ZIMCallInvitationAcceptedInfo {
  invitee: string;
  extendedData: string;
}

/** Who has taken the invitation back. */
export interface ZIMCallInvitationCancelledInfo {
  inviter: string;
  mode: ZIMCallInvitationMode;
  extendedData: string;
}

/** A call that the own user has started on another device. */
export interface ZIMCallInvitationCreatedInfo {
  mode: ZIMCallInvitationMode;
  caller: string;
  extendedData: string;
  timeout: number;
  createTime: number;
  callUserList: ZIMCallUserInfo[];
}

/** Who has ended a call, and when. */
export interface ZIMCallInvitationEndedInfo {
  caller: string;
  operatedUserID: string;
  extendedData: string;
  mode: ZIMCallInvitationMode;
  endTime: number;
}

/** An invitation. */
export interface ZIMCallInvitationReceivedInfo {
  mode: ZIMCallInvitationMode;
  timeout: number;
  caller: string;
  inviter: string;
  createTime: number;
  callUserList: ZIMCallUserInfo[];
  extendedData: string;
}

/** Who has refused. */
export interface ZIMCallInvitationRejectedInfo {
  invitee: string;
  extendedData: string;
}

/** The outcome of inviting. */
export interface ZIMCallInvitationSentInfo {
  timeout: number;
  errorUserList: ZIMErrorUserInfo[];
  errorInvitees: ZIMCallUserInfo[];
}

/** An invitation that nobody has answered in time. */
export interface ZIMCallInvitationTimeoutInfo {
  mode: ZIMCallInvitationMode;
}

/** The outcome of joining again. */
export interface ZIMCallJoinSentInfo {
  extendedData: string;
  createTime: number;
  joinTime: number;
  callUserList: ZIMCallUserInfo[];
}

/** The times of a call that was left. */
export interface ZIMCallQuitSentInfo {
  createTime: number;
  acceptTime: number;
  quitTime: number;
}

/** Where somebody stands in a call. */
export interface ZIMCallUserInfo {
  userID: string;
  state: ZIMCallUserState;
  extendedData: string;
}

/** Those whose place in a call has changed. */
export interface ZIMCallUserStateChangeInfo {
  callUserList: ZIMCallUserInfo[];
}

/** The outcome of inviting more. */
export interface ZIMCallingInvitationSentInfo {
  errorUserList: ZIMErrorUserInfo[];
}

/** Options of callAccept. */
export interface ZIMCallAcceptConfig {
  extendedData: string;
}

/** Options of callCancel. */
export interface ZIMCallCancelConfig {
  extendedData: string;
  pushConfig?: ZIMPushConfig;
}

/** Options of callEnd. */
export interface ZIMCallEndConfig {
  extendedData: string;
  pushConfig?: ZIMPushConfig;
}

/** Options of queryCallInvitationList. */
export interface ZIMCallInvitationQueryConfig {
  count: number;
  nextFlag?: number;
}

/** Options of callInvite. */
export interface ZIMCallInviteConfig {
  timeout: number;
  mode: ZIMCallInvitationMode;
  extendedData: string;
  enableNotReceivedCheck?: boolean;
  pushConfig?: ZIMPushConfig;
}

/** Options of callJoin. */
export interface ZIMCallJoinConfig {
  extendedData: string;
}

/** Options of callQuit. */
export interface ZIMCallQuitConfig {
  extendedData: string;
  pushConfig?: ZIMPushConfig;
}

/** Options of callReject. */
export interface ZIMCallRejectConfig {
  extendedData: string;
}

/** Options of callingInvite. */
export interface ZIMCallingInviteConfig {
  pushConfig?: ZIMPushConfig;
}

/** The outcome of callAccept. */
export interface ZIMCallAcceptanceSentResult {
  callID: string;
}

/** The outcome of callCancel. */
export interface ZIMCallCancelSentResult {
  callID: string;
  errorInvitees: string[];
}

/** The outcome of callEnd. */
export interface ZIMCallEndSentResult {
  callID: string;
  createTime: number;
  acceptTime: number;
  endTime: number;
}

/** The outcome of queryCallInvitationList. */
export interface ZIMCallInvitationListQueriedResult {
  callList: ZIMCallInfo[];
  nextFlag: number;
}

/** The outcome of callInvite. */
export interface ZIMCallInvitationSentResult {
  callID: string;
  timeout: number;
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of callJoin. */
export interface ZIMCallJoinSentResult {
  callID: string;
  createTime: number;
  joinTime: number;
  extendedData: string;
  callUserList: ZIMCallUserInfo[];
}

/** The outcome of callQuit. */
export interface ZIMCallQuitSentResult {
  callID: string;
  createTime: number;
  acceptTime: number;
  quitTime: number;
}

/** The outcome of callReject. */
export interface ZIMCallRejectionSentResult {
  callID: string;
}

/** The outcome of callingInvite. */
export interface ZIMCallingInvitationSentResult {
  callID: string;
  errorUserList: ZIMErrorUserInfo[];
}

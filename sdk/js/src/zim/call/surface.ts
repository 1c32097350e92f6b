import type {
  ZIMCallAcceptConfig,
  ZIMCallAcceptanceSentResult,
  ZIMCallCancelConfig,
  ZIMCallCancelSentResult,
  ZIMCallEndConfig,
  ZIMCallEndSentResult,
  ZIMCallInvitationListQueriedResult,
  ZIMCallInvitationQueryConfig,
  ZIMCallInvitationSentResult,
  ZIMCallInviteConfig,
  ZIMCallJoinConfig,
  ZIMCallJoinSentResult,
  ZIMCallQuitConfig,
  ZIMCallQuitSentResult,
  ZIMCallRejectConfig,
  ZIMCallRejectionSentResult,
  ZIMCallingInvitationSentResult,
  ZIMCallingInviteConfig,
  ZIMEventOfCallInvitationAcceptedResult,
  ZIMEventOfCallInvitationCancelledResult,
  ZIMEventOfCallInvitationCreatedResult,
  ZIMEventOfCallInvitationEndedResult,
  ZIMEventOfCallInvitationReceivedResult,
  ZIMEventOfCallInvitationRejectedResult,
  ZIMEventOfCallInvitationTimeoutResult,
  ZIMEventOfCallInviteesAnsweredTimeoutResult,
  ZIMEventOfCallUserStateChangedResult,
} from '../types/index.js';

/** The methods of the capability call. */
export interface CallMethods {
  /** Starts a call and invites users to it. */
  callInvite(invitees: string[], config: ZIMCallInviteConfig): Promise<ZIMCallInvitationSentResult>;
  /** Takes invitations to a call back. */
  callCancel(invitees: string[], callID: string, config: ZIMCallCancelConfig): Promise<ZIMCallCancelSentResult>;
  /** Accepts an invitation to a call. */
  callAccept(callID: string, config: ZIMCallAcceptConfig): Promise<ZIMCallAcceptanceSentResult>;
  /** Refuses an invitation to a call. */
  callReject(callID: string, config: ZIMCallRejectConfig): Promise<ZIMCallRejectionSentResult>;
  /** Invites more users to a call. */
  callingInvite(invitees: string[], callID: string, config: ZIMCallingInviteConfig): Promise<ZIMCallingInvitationSentResult>;
  /** Joins a call again that one was invited to. */
  callJoin(callID: string, config: ZIMCallJoinConfig): Promise<ZIMCallJoinSentResult>;
  /** Leaves a call. */
  callQuit(callID: string, config: ZIMCallQuitConfig): Promise<ZIMCallQuitSentResult>;
  /** Ends a call, for everybody. */
  callEnd(callID: string, config: ZIMCallEndConfig): Promise<ZIMCallEndSentResult>;
  /** A page of past and present calls. */
  queryCallInvitationList(config: ZIMCallInvitationQueryConfig): Promise<ZIMCallInvitationListQueriedResult>;
}

/** Its events; each listener is given the instance first. */
export interface CallEvents<Z> {
  callInvitationCreated: (zim: Z, data: ZIMEventOfCallInvitationCreatedResult) => void;
  callInvitationReceived: (zim: Z, data: ZIMEventOfCallInvitationReceivedResult) => void;
  callInvitationCancelled: (zim: Z, data: ZIMEventOfCallInvitationCancelledResult) => void;
  callInvitationEnded: (zim: Z, data: ZIMEventOfCallInvitationEndedResult) => void;
  callInvitationRejected: (zim: Z, data: ZIMEventOfCallInvitationRejectedResult) => void;
  callInvitationAccepted: (zim: Z, data: ZIMEventOfCallInvitationAcceptedResult) => void;
  callInvitationTimeout: (zim: Z, data: ZIMEventOfCallInvitationTimeoutResult) => void;
  callInviteesAnsweredTimeout: (zim: Z, data: ZIMEventOfCallInviteesAnsweredTimeoutResult) => void;
  callUserStateChanged: (zim: Z, data: ZIMEventOfCallUserStateChangedResult) => void;
}

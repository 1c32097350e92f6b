import type {
  ZIMConversationType,
  ZIMMessageDirection,
  ZIMMessageReceiptStatus,
  ZIMMessageRepliedInfoState,
  ZIMMessageRevokeStatus,
  ZIMMessageSentStatus,
  ZIMMessageType,
  ZIMRevokeType,
} from '../enums/index.js';
import type { ZIMMessageLiteInfo } from './lite.js';

/** Somebody who reacted to a message. */
export interface ZIMMessageReactionUserInfo {
  userID: string;
}

/** One kind of reaction to a message, and how often it was given. */
export interface ZIMMessageReaction {
  reactionType: string;
  conversationID: string;
  conversationType: ZIMConversationType;
  messageID: string;
  totalCount: number;
  isSelfIncluded: boolean;
  userList: ZIMMessageReactionUserInfo[];
  sumCount: number;
}

/** The message that a reply answers. */
export interface ZIMMessageRepliedInfo {
  state: ZIMMessageRepliedInfoState;
  messageInfo: ZIMMessageLiteInfo;
  senderUserID: string;
  sentTime: number;
  messageID: string;
  messageSeq: number;
}

/**
 * What all messages have. To send one, only the fields of its type are needed;
 * `sendMessage` fills in the others, in the very object that it was given.
 */
export interface ZIMMessage {
  type: ZIMMessageType;
  /** Given by the server; empty until the message was accepted. */
  messageID?: string;
  /**
   * Given by the SDK before sending; the same over all attempts. Keep it to send
   * a message again after a reload: with it the message is stored once.
   */
  localMessageID?: string;
  /** Position in the conversation, from 1. */
  messageSeq?: number;
  senderUserID?: string;
  /** Of a conversation with a user: that user's ID. */
  conversationID?: string;
  conversationType?: ZIMConversationType;
  direction?: ZIMMessageDirection;
  sentStatus?: ZIMMessageSentStatus;
  /** Server time, milliseconds since 1970. */
  timestamp?: number;
  /** What messages are sorted by. */
  orderKey?: number;
  isUserInserted?: boolean;
  receiptStatus?: ZIMMessageReceiptStatus;
  /** Travels with the message. */
  extendedData?: string;
  /** Stays on this device. */
  localExtendedData?: string;
  reactions?: ZIMMessageReaction[];
  isBroadcastMessage?: boolean;
  mentionedUserIDs?: string[];
  isMentionAll?: boolean;
  repliedInfo?: ZIMMessageRepliedInfo;
  rootRepliedCount?: number;
  isServerMessage?: boolean;
  editorUserID?: string;
  editedTime?: number;
  isGroupTargetedMessage?: boolean;
  pinnedUserID?: string;
  pinnedTime?: number;
}

/** Text. */
export interface ZIMTextMessage extends ZIMMessage {
  message: string;
  type: ZIMMessageType.Text;
}

/** Bytes for the other side's app: not stored, not counted, best effort. */
export interface ZIMCommandMessage extends ZIMMessage {
  message: Uint8Array;
  type: ZIMMessageType.Command;
}

/** A kind of message that the app itself gives a meaning. */
export interface ZIMCustomMessage extends ZIMMessage {
  message: string;
  /** What a search of messages looks at. */
  searchedContent?: string;
  /** 0 to 200, as the app likes. */
  subType: number;
  type: ZIMMessageType.Custom;
}

/** Text that flies over a room; not stored. */
export interface ZIMBarrageMessage extends ZIMMessage {
  message: string;
  type: ZIMMessageType.Barrage;
}

/** Text that the system wrote. */
export interface ZIMSystemMessage extends ZIMMessage {
  message: string;
  type: ZIMMessageType.System;
}

/** What is left of a message that was taken back. */
export interface ZIMRevokeMessage extends ZIMMessage {
  revokeType: ZIMRevokeType;
  revokeTimestamp: number;
  operatedUserID: string;
  originalMessageType: ZIMMessageType;
  originalTextMessageContent: string;
  revokeExtendedData: string;
  revokeStatus: ZIMMessageRevokeStatus;
  type: ZIMMessageType.Revoke;
}

/** Several messages put together. */
export interface ZIMMultipleMessage extends ZIMMessage {
  messageInfoList: ZIMMessageLiteInfo[];
  failedIndexList?: number[];
  type: ZIMMessageType.Multiple;
}

/** What messages with a file have. */
export interface ZIMMediaMessage extends ZIMMessage {
  fileLocalPath?: File;
  fileDownloadUrl?: string;
  fileUID?: string;
  fileName?: string;
  fileSize?: number;
}

import type { ZIMMessageType } from '../enums/index.js';

/** The content of a message without its place in a conversation. */
export interface ZIMMessageLiteInfo {
  type: ZIMMessageType;
}

/** A sound; its length in seconds. */
export interface ZIMAudioMessageLiteInfo extends ZIMMediaMessageLiteInfo {
  audioDuration: number;
  type: ZIMMessageType.Audio;
}

/** Several messages under a title. */
export interface ZIMCombineMessageLiteInfo extends ZIMMessageLiteInfo {
  title: string;
  summary: string;
  type: ZIMMessageType.Combine;
}

/** Content that the app itself gives a meaning. */
export interface ZIMCustomMessageLiteInfo extends ZIMMessageLiteInfo {
  message: string;
  searchedContent: string;
  subType: number;
  type: ZIMMessageType.Custom;
}

/** Any file. */
export interface ZIMFileMessageLiteInfo extends ZIMMediaMessageLiteInfo {
  type: ZIMMessageType.File;
}

/** A picture. */
export interface ZIMImageMessageLiteInfo extends ZIMMediaMessageLiteInfo {
  originalImageWidth?: number;
  originalImageHeight?: number;
  largeImageWidth?: number;
  largeImageHeight?: number;
  largeImageDownloadUrl?: string;
  thumbnailWidth?: number;
  thumbnailHeight?: number;
  thumbnailDownloadUrl?: string;
  type: ZIMMessageType.Image;
}

/** A file. */
export interface ZIMMediaMessageLiteInfo extends ZIMMessageLiteInfo {
  fileSize?: number;
  fileName?: string;
  fileLocalPath?: File;
  fileDownloadUrl?: string;
}

/** Several contents in one message. */
export interface ZIMMultipleMessageLiteInfo extends ZIMMessageLiteInfo {
  messageInfoList: ZIMMessageLiteInfo[];
  type: ZIMMessageType.Multiple;
}

/** What is left of a message that was taken back. */
export interface ZIMRevokeMessageLiteInfo extends ZIMMessageLiteInfo {
  type: ZIMMessageType.Revoke;
}

/** Text. */
export interface ZIMTextMessageLiteInfo extends ZIMMessageLiteInfo {
  message: string;
  type: ZIMMessageType.Text;
}

/** A film; its length in seconds. */
export interface ZIMVideoMessageLiteInfo extends ZIMMediaMessageLiteInfo {
  videoDuration: number;
  videoFirstFrameWidth: number;
  videoFirstFrameHeight?: number;
  videoFirstFrameDownloadUrl?: string;
  type: ZIMMessageType.Video;
}

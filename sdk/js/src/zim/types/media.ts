import type { ZIMMessageType } from '../enums/index.js';
import type { ZIMMediaMessage, ZIMMessage } from './message.js';

/** A sound; its length in seconds. */
export interface ZIMAudioMessage extends ZIMMediaMessage {
  audioDuration: number;
  type: ZIMMessageType.Audio;
}

/** Several messages under a title, forwarded as one. */
export interface ZIMCombineMessage extends ZIMMessage {
  title: string;
  summary: string;
  combineID?: string;
  messageList: ZIMMessage[];
  type: ZIMMessageType.Combine;
}

/** Any file. */
export interface ZIMFileMessage extends ZIMMediaMessage {
  type: ZIMMessageType.File;
}

/** A picture. */
export interface ZIMImageMessage extends ZIMMediaMessage {
  thumbnailDownloadUrl?: string;
  largeImageDownloadUrl?: string;
  originalImageWidth?: number;
  originalImageHeight?: number;
  largeImageWidth?: number;
  largeImageHeight?: number;
  thumbnailWidth?: number;
  thumbnailHeight?: number;
  type: ZIMMessageType.Image;
}

/** A film; its length in seconds. */
export interface ZIMVideoMessage extends ZIMMediaMessage {
  videoDuration: number;
  videoFirstFrameDownloadUrl?: string;
  videoFirstFrameWidth?: number;
  videoFirstFrameHeight?: number;
  type: ZIMMessageType.Video;
}

/** The outcome of queryCombineMessageDetail. */
export interface ZIMCombineMessageDetailQueriedResult {
  message: ZIMCombineMessage;
}

import type { ZIMMessageType } from '../enums/index.js';

/** The content of a message without its place in a conversation. */
export interface ZIMMessageLiteInfo {
  type: ZIMMessageType;
}

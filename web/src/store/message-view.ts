import { ZIMMessageType } from 'parley-chat';
import type { ZIMMessage } from 'parley-chat';

/** How far an own message has come. `queued` waits for the connection, `sending` for the server. */
export type SendState = 'queued' | 'sending' | 'sent' | 'failed';

/** What kind of line a message is: something said, or something quiet that happened. */
export type MessageKind = 'text' | 'custom' | 'recalled' | 'unsupported';

/** A message as the page shows it. Immutable: a change makes a new one. */
export interface MessageView {
  /** Stays the same from the local echo to the acknowledged message. */
  readonly key: string;
  /** The id that the SDK gave an own message, by which echo and stored message know each other. */
  readonly localID?: string;
  /** The server's number of it; 0 while it has none. */
  readonly seq: number;
  /** Always a time that a calendar knows. */
  readonly time: number;
  readonly sender: string;
  readonly own: boolean;
  readonly kind: MessageKind;
  readonly text: string;
  readonly state: SendState;
  /** The code of the failure when `state` is failed. */
  readonly failure?: number;
}

/** The last millisecond that a Date can hold. */
const endOfTime = 8_640_000_000_000_000;

/** A message that the server has, as the page shows it to the user `self`. */
export function toMessageView(message: ZIMMessage, self: string): MessageView {
  const sender = message.senderUserID ?? '';
  const { timestamp } = message;
  return {
    key: `id:${message.messageID ?? ''}`,
    ...(message.localMessageID ? { localID: message.localMessageID } : {}),
    seq: message.messageSeq ?? 0,
    time: timestamp !== undefined && Math.abs(timestamp) <= endOfTime ? timestamp : 0,
    sender,
    own: sender === self,
    ...content(message),
    state: 'sent',
  };
}

function content(message: ZIMMessage): { kind: MessageKind; text: string } {
  const text = 'message' in message && typeof message.message === 'string' ? message.message : '';
  switch (message.type) {
    case ZIMMessageType.Text:
      return { kind: 'text', text };
    case ZIMMessageType.Custom:
      return { kind: 'custom', text };
    case ZIMMessageType.Revoke:
      return { kind: 'recalled', text: '' };
    default:
      return { kind: 'unsupported', text: '' };
  }
}

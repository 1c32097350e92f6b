/** The kinds of conversation. */
export type ConversationKind = 'peer' | 'room' | 'group';

/**
 * A conversation as the signed-in user sees it: of a peer conversation `id` is
 * the other user's ID.
 */
export interface ConversationRef {
  readonly kind: ConversationKind;
  readonly id: string;
}

/** The message types that the core treats differently. */
export const MessageType = { Text: 1, Command: 2, Custom: 200 } as const;

/** What the sender of a message decides. */
export interface MessageContent {
  /** A number of MessageType. */
  readonly type: number;
  /** Custom messages: 0 to 200. */
  readonly subType: number;
  /** 1 low, 2 medium, 3 high. */
  readonly priority: number;
  /** Text and custom: UTF-8. Command: any bytes. */
  readonly body: Uint8Array;
  readonly extendedData: string;
  readonly searchedContent: string;
  readonly mentionedUserIDs: readonly string[];
  readonly mentionAll: boolean;
}

/** A message as the server gives it out. */
export interface Message extends MessageContent {
  readonly conversation: ConversationRef;
  readonly senderID: string;
  readonly messageID: string;
  /** Position in the conversation, 1, 2, 3 ...; 0 for command messages. */
  readonly seq: number;
  /** Sort key across conversations and time. */
  readonly orderKey: number;
  /** Server time, milliseconds since 1970. */
  readonly timestamp: number;
  /** 32 hexadecimal digits, chosen by the sender. */
  readonly clientMessageID: string;
}

/** One entry of the conversation list. */
export interface Conversation {
  readonly ref: ConversationRef;
  /** The other user's or the group's name; empty while it is unknown. */
  readonly name: string;
  readonly avatarUrl: string;
  /** Seq of the newest message. */
  readonly headSeq: number;
  readonly unread: number;
  /** Messages up to here are read. */
  readonly readSeq: number;
  readonly orderKey: number;
  readonly lastMessage: Message | undefined;
}

/** The server's acceptance of a message. */
export interface Sent {
  readonly messageID: string;
  readonly seq: number;
  readonly orderKey: number;
  readonly timestamp: number;
  /** True when an earlier attempt had already been accepted. */
  readonly duplicate: boolean;
}

/** An app's limits, in bytes where nothing else is said; 0 means none. */
export interface Limits {
  readonly textBytes: number;
  readonly customBytes: number;
  readonly commandBytes: number;
  readonly extendedDataBytes: number;
  readonly searchedContentBytes: number;
  /** Users that one message may mention. */
  readonly mentions: number;
  readonly frameBytes: number;
  readonly dedupeWindowMs: number;
  /** Requests of one connection that may await their reply. */
  readonly inFlight: number;
}

/** Whether two messages say the same, as the server compares a retry with the first attempt. */
export function sameContent(a: MessageContent, b: MessageContent): boolean {
  return fieldsKey(a) === fieldsKey(b) && a.body.length === b.body.length && a.body.every((byte, i) => byte === b.body[i]);
}

function fieldsKey(m: MessageContent): string {
  return JSON.stringify([m.type, m.subType, m.priority, m.extendedData, m.searchedContent, m.mentionedUserIDs, m.mentionAll]);
}

/** A key for maps: the same for equal references only. */
export function refKey(ref: ConversationRef): string {
  return `${ref.kind}:${ref.id}`;
}

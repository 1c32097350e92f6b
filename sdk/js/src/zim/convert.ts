import type { Conversation, ConversationKind, ConversationRef, Message } from '../domain.js';
import { MessageType } from '../domain.js';
import {
  ZIMConversationNotificationStatus,
  ZIMConversationType,
  ZIMMessageDirection,
  ZIMMessageReceiptStatus,
  ZIMMessageSentStatus,
  ZIMMessageType,
} from './enums/index.js';
import type { ZIMCommandMessage, ZIMConversation, ZIMCustomMessage, ZIMMessage, ZIMTextMessage } from './types/index.js';

// From the core's terms to those of the ZIM surface.

const types: Record<ConversationKind, ZIMConversationType> = {
  peer: ZIMConversationType.Peer,
  room: ZIMConversationType.Room,
  group: ZIMConversationType.Group,
};

/** The number of a conversation's kind. */
export function conversationTypeOf(ref: ConversationRef): ZIMConversationType {
  return types[ref.kind];
}

/** The fields of a message that neither its sender nor the server has set. */
export function messageDefaults(): Partial<ZIMMessage> {
  return {
    isUserInserted: false,
    receiptStatus: ZIMMessageReceiptStatus.None,
    extendedData: '',
    localExtendedData: '',
    reactions: [],
    isBroadcastMessage: false,
    mentionedUserIDs: [],
    isMentionAll: false,
    rootRepliedCount: 0,
    isServerMessage: false,
    editorUserID: '',
    editedTime: 0,
    isGroupTargetedMessage: false,
    pinnedUserID: '',
    pinnedTime: 0,
  };
}

/** A message of the server as a new object. */
export function messageOut(message: Message, selfID: string): ZIMMessage {
  const { conversation, senderID } = message;
  const own = senderID === selfID;
  return {
    ...messageDefaults(),
    ...contentOut(message),
    messageID: message.messageID,
    localMessageID: own ? message.clientMessageID : '',
    messageSeq: message.seq,
    senderUserID: senderID,
    conversationID: conversation.id,
    conversationType: conversationTypeOf(conversation),
    direction: own ? ZIMMessageDirection.Send : ZIMMessageDirection.Receive,
    sentStatus: ZIMMessageSentStatus.Success,
    timestamp: message.timestamp,
    orderKey: message.orderKey,
    extendedData: message.extendedData,
    mentionedUserIDs: [...message.mentionedUserIDs],
    isMentionAll: message.mentionAll,
  };
}

function contentOut(message: Message): ZIMTextMessage | ZIMCommandMessage | ZIMCustomMessage | ZIMMessage {
  switch (message.type) {
    case MessageType.Text:
      return { type: ZIMMessageType.Text, message: textOf(message.body) };
    case MessageType.Command:
      return { type: ZIMMessageType.Command, message: new Uint8Array(message.body) };
    case MessageType.Custom: {
      const { subType, searchedContent } = message;
      return { type: ZIMMessageType.Custom, message: textOf(message.body), subType, searchedContent };
    }
    default:
      return { type: ZIMMessageType.Unknown };
  }
}

/** An entry of the conversation list as a new object. */
export function conversationOut(conversation: Conversation, selfID: string): ZIMConversation {
  const { ref, lastMessage } = conversation;
  return {
    conversationID: ref.id,
    type: conversationTypeOf(ref),
    conversationName: conversation.name,
    conversationAvatarUrl: conversation.avatarUrl,
    conversationAlias: '',
    notificationStatus: ZIMConversationNotificationStatus.Notify,
    unreadMessageCount: conversation.unread,
    readMessageSeq: conversation.readSeq,
    ...(lastMessage && { lastMessage: messageOut(lastMessage, selfID) }),
    orderKey: conversation.orderKey,
    isPinned: false,
    pinnedTime: 0,
    mentionedInfoList: [],
    draft: '',
    marks: [],
  };
}

// A leading U+FEFF is part of the text.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function textOf(body: Uint8Array): string {
  return decoder.decode(body);
}

import type { ZIMConversationType } from '../enums/index.js';
import type {
  ZIMCombineMessage,
  ZIMCombineMessageDetailQueriedResult,
  ZIMEventOfBroadcastMessageReceivedResult,
  ZIMEventOfConversationMessageReceivedResult,
  ZIMEventOfMessageDeletedResult,
  ZIMEventOfMessageEditedResult,
  ZIMEventOfMessagePinStatusChangedResult,
  ZIMEventOfMessageReactionsChangedResult,
  ZIMEventOfMessageReceiptChangedResult,
  ZIMEventOfMessageRepliedCountChangedResult,
  ZIMEventOfMessageRepliedInfoChangedResult,
  ZIMEventOfMessageRevokeReceivedResult,
  ZIMEventOfMessageSentStatusChangedResult,
  ZIMEventOfReceiveConversationMessageResult,
  ZIMMediaMessage,
  ZIMMediaUploadingProgress,
  ZIMMessage,
  ZIMMessageDeleteConfig,
  ZIMMessageDeletedResult,
  ZIMMessageEditConfig,
  ZIMMessageEditedResult,
  ZIMMessageInsertedResult,
  ZIMMessageLocalExtendedDataUpdatedResult,
  ZIMMessagePinConfig,
  ZIMMessageQueriedResult,
  ZIMMessageQueryConfig,
  ZIMMessageReactionAddConfig,
  ZIMMessageReactionAddedResult,
  ZIMMessageReactionDeletedResult,
  ZIMMessageReactionUserListQueriedResult,
  ZIMMessageReactionUserQueryConfig,
  ZIMMessageReceiptsInfoQueriedResult,
  ZIMMessageReceiptsReadSentResult,
  ZIMMessageRepliedListQueriedResult,
  ZIMMessageRepliedListQueryConfig,
  ZIMMessageRevokeConfig,
  ZIMMessageRevokedResult,
  ZIMMessageSearchConfig,
  ZIMMessageSendConfig,
  ZIMMessageSendNotification,
  ZIMMessageSentResult,
  ZIMMessagesGlobalSearchedResult,
  ZIMMessagesSearchedResult,
  ZIMPinnedMessageListQueriedResult,
  ZIMSendingMessageCancelConfig,
} from '../types/index.js';

/** The methods of the capability message. */
export interface MessageMethods {
  /** Sends a message and keeps the given object up to date. While the connection is away the message waits; it is stored once, and after those that were sent before it. */
  sendMessage(
    message: ZIMMessage,
    toConversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult>;
  /** Messages of a conversation, the oldest first; `reverse` pages backwards. */
  queryHistoryMessage(
    conversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMMessageQueryConfig,
  ): Promise<ZIMMessageQueriedResult>;
  /** Messages by their numbers in the conversation. */
  queryMessages(messageSeqs: number[], conversationID: string, conversationType: ZIMConversationType): Promise<ZIMMessageQueriedResult>;
  /** Deletes messages for the own user only. */
  deleteMessages(
    messageList: ZIMMessage[],
    conversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMMessageDeleteConfig,
  ): Promise<ZIMMessageDeletedResult>;
  /** Deletes all messages of a conversation for the own user only. */
  deleteAllMessage(
    conversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMMessageDeleteConfig,
  ): Promise<ZIMMessageDeletedResult>;
  /** Deletes the messages of all conversations for the own user only. */
  deleteAllConversationMessages(config: ZIMMessageDeleteConfig): Promise<void>;
  /** Puts a message into the local history only. */
  insertMessageToLocalDB(
    message: ZIMMessage,
    conversationID: string,
    conversationType: ZIMConversationType,
    senderUserID: string,
  ): Promise<ZIMMessageInsertedResult>;
  /** Sends receipts for messages that the user has read. */
  sendMessageReceiptsRead(
    messageList: ZIMMessage[],
    conversationID: string,
    conversationType: ZIMConversationType,
  ): Promise<ZIMMessageReceiptsReadSentResult>;
  /** How far messages have been read. */
  queryMessageReceiptsInfo(
    messageList: ZIMMessage[],
    conversationID: string,
    conversationType: ZIMConversationType,
  ): Promise<ZIMMessageReceiptsInfoQueriedResult>;
  /** Takes a message back, for everybody. */
  revokeMessage(message: ZIMMessage, config?: ZIMMessageRevokeConfig): Promise<ZIMMessageRevokedResult>;
  /** Changes what this device keeps beside a message. */
  updateMessageLocalExtendedData(localExtendedData: string, message: ZIMMessage): Promise<ZIMMessageLocalExtendedDataUpdatedResult>;
  /** Replaces the content of an own message. */
  editMessage(
    message: ZIMMessage,
    config: ZIMMessageEditConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageEditedResult>;
  /** Stops a message that is still on its way out. */
  cancelSendingMessage(message: ZIMMessage, config: ZIMSendingMessageCancelConfig): Promise<void>;
  /** Messages of one conversation that match. */
  searchLocalMessages(
    conversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMMessageSearchConfig,
  ): Promise<ZIMMessagesSearchedResult>;
  /** Messages of all conversations that match. */
  searchGlobalLocalMessages(config: ZIMMessageSearchConfig): Promise<ZIMMessagesGlobalSearchedResult>;
  /** Reacts to a message. */
  addMessageReaction(
    reactionType: string,
    message: ZIMMessage,
    config?: ZIMMessageReactionAddConfig,
  ): Promise<ZIMMessageReactionAddedResult>;
  /** Takes an own reaction back. */
  deleteMessageReaction(reactionType: string, message: ZIMMessage): Promise<ZIMMessageReactionDeletedResult>;
  /** Takes all own reactions to a message back. */
  deleteMessageAllReactions(message: ZIMMessage): Promise<void>;
  /** Who has reacted to a message. */
  queryMessageReactionUserList(
    message: ZIMMessage,
    config: ZIMMessageReactionUserQueryConfig,
  ): Promise<ZIMMessageReactionUserListQueriedResult>;
  /** The messages that a combined one holds. */
  queryCombineMessageDetail(message: ZIMCombineMessage): Promise<ZIMCombineMessageDetailQueriedResult>;
  /** Sends a message that answers another. */
  replyMessage(
    message: ZIMMessage,
    toOriginalMessage: ZIMMessage,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult>;
  /** The answers to a message. */
  queryMessageRepliedList(message: ZIMMessage, config: ZIMMessageRepliedListQueryConfig): Promise<ZIMMessageRepliedListQueriedResult>;
  /** Pins a message in its conversation, or unpins it. */
  pinMessage(message: ZIMMessage, isPinned: boolean, config?: ZIMMessagePinConfig): Promise<void>;
  /** The pinned messages of a conversation. */
  queryPinnedMessageList(conversationID: string, conversationType: ZIMConversationType): Promise<ZIMPinnedMessageListQueriedResult>;
}

/** The names under which older versions sent. */
export interface OlderMessageMethods {
  /** Sends to a user. */
  sendPeerMessage(
    message: ZIMMessage,
    toUserID: string,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult>;
  /** Sends to a group. */
  sendGroupMessage(
    message: ZIMMessage,
    toGroupID: string,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult>;
  /** Sends to a room. */
  sendRoomMessage(
    message: ZIMMessage,
    toRoomID: string,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult>;
  /** Sends a file; the last argument may be the progress function alone. */
  sendMediaMessage(
    message: ZIMMediaMessage,
    toConversationID: string,
    conversationType: ZIMConversationType,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification | ZIMMediaUploadingProgress,
  ): Promise<ZIMMessageSentResult>;
}

/** Its events; each listener is given the instance first. */
export interface MessageEvents<Z> {
  receivePeerMessage: (zim: Z, data: ZIMEventOfReceiveConversationMessageResult) => void;
  receiveRoomMessage: (zim: Z, data: ZIMEventOfReceiveConversationMessageResult) => void;
  receiveGroupMessage: (zim: Z, data: ZIMEventOfReceiveConversationMessageResult) => void;
  peerMessageReceived: (zim: Z, data: ZIMEventOfConversationMessageReceivedResult) => void;
  roomMessageReceived: (zim: Z, data: ZIMEventOfConversationMessageReceivedResult) => void;
  groupMessageReceived: (zim: Z, data: ZIMEventOfConversationMessageReceivedResult) => void;
  broadcastMessageReceived: (zim: Z, data: ZIMEventOfBroadcastMessageReceivedResult) => void;
  messageSentStatusChanged: (zim: Z, data: ZIMEventOfMessageSentStatusChangedResult) => void;
  messageReceiptChanged: (zim: Z, data: ZIMEventOfMessageReceiptChangedResult) => void;
  messageRevokeReceived: (zim: Z, data: ZIMEventOfMessageRevokeReceivedResult) => void;
  messageReactionsChanged: (zim: Z, data: ZIMEventOfMessageReactionsChangedResult) => void;
  messageDeleted: (zim: Z, data: ZIMEventOfMessageDeletedResult) => void;
  messageRepliedInfoChanged: (zim: Z, data: ZIMEventOfMessageRepliedInfoChangedResult) => void;
  messageRepliedCountChanged: (zim: Z, data: ZIMEventOfMessageRepliedCountChangedResult) => void;
  messageEdited: (zim: Z, data: ZIMEventOfMessageEditedResult) => void;
  messagePinStatusChanged: (zim: Z, data: ZIMEventOfMessagePinStatusChangedResult) => void;
}

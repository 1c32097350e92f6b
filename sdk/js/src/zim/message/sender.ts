import type { ChatClient } from '../../client.js';
import type { ConversationRef, Message, MessageContent } from '../../domain.js';
import { guarded } from '../../emitter.js';
import { asChatError, ParleyErrorCode } from '../../errors.js';
import { isMessageID, issuedAtOf } from '../../messageid.js';
import { carriedTexts, contentOf, invalidParam } from '../check.js';
import { conversationTypeOf, messageDefaults } from '../convert.js';
import { ZIMMessageDirection, ZIMMessageSentStatus, ZIMMessageType } from '../enums/index.js';
import type { ZIMMessage, ZIMMessageSendConfig, ZIMMessageSendNotification, ZIMMessageSentResult } from '../types/index.js';

/**
 * Sends messages and keeps the caller's object up to date: apps compare it
 * with the one in onMessageAttached and show its state.
 *
 * A message is recognised by its `localMessageID`: as long as it is not known
 * to be sent, every further call with the object, a copy of it, or what was
 * stored of it, is a retry of the same message, and the server stores it once.
 * The ID says so by itself, so the retry may come in another login, another
 * tab, or after a reload. An app that wants this keeps `localMessageID` and
 * the content, and hands both in again:
 *
 *   const message = { type: 1, message: 'hello' };
 *   zim.sendMessage(message, 'bob', 0, { priority: 1 });
 *   localStorage.unsent = JSON.stringify(message);      // has localMessageID now
 *   // after a reload and a login:
 *   zim.sendMessage(JSON.parse(localStorage.unsent), 'bob', 0, { priority: 1 });
 */
export class Sender {
  // What stands for objects that the app has frozen.
  private readonly copies = new WeakMap<ZIMMessage, ZIMMessage>();
  private lastOrderKey = 0;

  constructor(private readonly client: ChatClient) {}

  /** Sends; what happens before the first wait happens within the call. */
  async send(
    given: ZIMMessage,
    conversation: ConversationRef,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult> {
    const selfID = this.client.userID ?? '';
    const limits = this.client.limits;
    if (!limits) throw invalidParam('Not logged in.');
    const content = contentOf(carried(given), config, limits);
    if (conversation.id === selfID) throw invalidParam('A message cannot be sent to oneself.');
    const before = carried(this.copies.get(given) ?? given);
    const clientMessageID = this.idOfAttempts(before) ?? this.client.newMessageID();
    const attached = this.attachedFields(before, conversation, clientMessageID, selfID);
    const write = (fields: Partial<ZIMMessage>): ZIMMessage => this.write(given, Object.assign(attached, fields), fields);
    const shown = write(attached);
    const { onMessageAttached } = notification ?? {};
    if (onMessageAttached) guarded(() => onMessageAttached(shown));
    try {
      const sent = await this.transmit(content, conversation, clientMessageID, write);
      return { message: write(acceptedFields(sent)) };
    } catch (reason) {
      write({ sentStatus: ZIMMessageSentStatus.Failed });
      throw reason;
    }
  }

  // A command is not stored: the server cannot tell a retry from another one.
  // A time to come shows that the app has put an ID of its own there.
  private idOfAttempts({ type, sentStatus, localMessageID }: ZIMMessage): string | undefined {
    if (type === ZIMMessageType.Command || sentStatus === ZIMMessageSentStatus.Success || !isMessageID(localMessageID)) return undefined;
    return issuedAtOf(localMessageID) <= this.client.serverNow() + MAX_AHEAD_MS ? localMessageID : undefined;
  }

  // The app may have changed a message after an attempt that was stored: then
  // it is another message, and takes another ID.
  private async transmit(
    content: MessageContent,
    conversation: ConversationRef,
    clientMessageID: string,
    write: (fields: Partial<ZIMMessage>) => ZIMMessage,
  ): Promise<Message> {
    try {
      return await this.client.send({ ...content, conversation, clientMessageID });
    } catch (reason) {
      if (asChatError(reason).code !== ParleyErrorCode.ClientMessageIDConflict) throw reason;
      const another = this.client.newMessageID();
      write({ localMessageID: another });
      return this.client.send({ ...content, conversation, clientMessageID: another });
    }
  }

  private attachedFields(message: ZIMMessage, ref: ConversationRef, localMessageID: string, selfID: string): ZIMMessage {
    const timestamp = this.client.serverNow();
    const head = this.client.conversation(ref)?.orderKey ?? 0;
    // The server's own formula, so that the message keeps its place when the
    // real number comes.
    this.lastOrderKey = Math.max(this.lastOrderKey + 1, head + 1, timestamp * 1000);
    return {
      ...messageDefaults(),
      ...definedFields(message),
      type: message.type,
      messageID: '',
      localMessageID,
      messageSeq: 0,
      senderUserID: selfID,
      conversationID: ref.id,
      conversationType: conversationTypeOf(ref),
      direction: ZIMMessageDirection.Send,
      sentStatus: ZIMMessageSentStatus.Sending,
      timestamp,
      orderKey: this.lastOrderKey,
    };
  }

  // `all` is what the object holds when `fields` are written.
  private write(given: ZIMMessage, all: ZIMMessage, fields: Partial<ZIMMessage>): ZIMMessage {
    try {
      return Object.assign(this.copies.get(given) ?? given, fields);
    } catch {
      const copy = { ...all };
      this.copies.set(given, copy);
      return copy;
    }
  }
}

function carried(message: ZIMMessage): ZIMMessage {
  return message && { ...message, ...carriedTexts(message) };
}

// The server takes no first attempt from further ahead.
const MAX_AHEAD_MS = 5 * 60_000;

// What the app has set itself stays.
function definedFields(message: ZIMMessage): Partial<ZIMMessage> {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));
}

function acceptedFields(sent: Message): Partial<ZIMMessage> {
  return {
    messageID: sent.messageID,
    messageSeq: sent.seq,
    orderKey: sent.orderKey,
    timestamp: sent.timestamp,
    sentStatus: ZIMMessageSentStatus.Success,
  };
}

import type { ChatClient } from '../client.js';
import type { ConversationRef, Message, MessageContent } from '../domain.js';
import { MessageType, refKey } from '../domain.js';
import { guarded } from '../emitter.js';
import { asChatError, Code } from '../errors.js';
import { toHex } from '../hex.js';
import { contentOf, invalid } from './check.js';
import { conversationTypeOf, messageDefaults } from './convert.js';
import { ZIMMessageDirection, ZIMMessageSentStatus } from './enums/index.js';
import type { ZIMMessage, ZIMMessageSendConfig, ZIMMessageSendNotification, ZIMMessageSentResult } from './types/index.js';

interface Ids {
  readonly clientMessageID: string;
  readonly issuedAt: number;
}

/**
 * Sends messages and keeps the caller's object up to date: apps compare it
 * with the one in onMessageAttached and show its state.
 *
 * A message that failed without a known outcome keeps its ids. When the app
 * sends it again, by the same object or a copy of it, the server can tell that
 * it is the same message and stores it once.
 */
export class Sender {
  private readonly undecided = new Map<string, Ids & { readonly print: string }>();

  constructor(private readonly client: ChatClient) {}

  /** Sends; what happens before the first wait happens within the call. */
  async send(
    message: ZIMMessage,
    conversation: ConversationRef,
    config: ZIMMessageSendConfig,
    notification?: ZIMMessageSendNotification,
  ): Promise<ZIMMessageSentResult> {
    const { client } = this;
    const selfID = client.userID ?? '';
    const limits = client.limits;
    if (!limits) throw invalid('Not logged in.');
    const content = contentOf(message, config, limits);
    if (conversation.id === selfID) throw invalid('A message cannot be sent to oneself.');
    const print = fingerprint(conversation, content);
    const ids = this.idsFor(message, print);
    this.attach(message, conversation, ids, selfID);
    const attached = notification?.onMessageAttached;
    if (attached) guarded(() => attached(message));
    try {
      const sent = await client.send({ ...content, ...ids, conversation });
      this.undecided.delete(ids.clientMessageID);
      return { message: accepted(message, sent) };
    } catch (reason) {
      message.sentStatus = ZIMMessageSentStatus.Failed;
      this.keepUndecided(ids, print, content, asChatError(reason).code);
      throw reason;
    }
  }

  private idsFor(message: ZIMMessage, print: string): Ids {
    const before = this.undecided.get(message.localMessageID ?? '');
    if (before?.print === print) return { clientMessageID: before.clientMessageID, issuedAt: before.issuedAt };
    return this.client.newMessageIDs();
  }

  private keepUndecided(ids: Ids, print: string, content: MessageContent, code: number): void {
    const open = code === Code.Network || code === Code.Timeout;
    if (!open || content.type === MessageType.Command) return void this.undecided.delete(ids.clientMessageID);
    this.undecided.set(ids.clientMessageID, { ...ids, print });
    const [oldest] = this.undecided.keys();
    if (this.undecided.size > MAX_UNDECIDED && oldest !== undefined) this.undecided.delete(oldest);
  }

  private attach(message: ZIMMessage, ref: ConversationRef, ids: Ids, selfID: string): void {
    const timestamp = this.client.serverNow();
    const head = this.client.conversation(ref)?.orderKey ?? 0;
    Object.assign(message, {
      ...messageDefaults(),
      ...given(message),
      messageID: '',
      localMessageID: ids.clientMessageID,
      messageSeq: 0,
      senderUserID: selfID,
      conversationID: ref.id,
      conversationType: conversationTypeOf(ref),
      direction: ZIMMessageDirection.Send,
      sentStatus: ZIMMessageSentStatus.Sending,
      timestamp,
      // The server's own formula, so that the message keeps its place when
      // the real number comes.
      orderKey: Math.max(head + 1, timestamp * 1000),
    });
  }
}

const MAX_UNDECIDED = 1000;

// What the app has set itself stays.
function given(message: ZIMMessage): Partial<ZIMMessage> {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));
}

function accepted(message: ZIMMessage, sent: Message): ZIMMessage {
  return Object.assign(message, {
    messageID: sent.messageID,
    messageSeq: sent.seq,
    orderKey: sent.orderKey,
    timestamp: sent.timestamp,
    sentStatus: ZIMMessageSentStatus.Success,
  });
}

function fingerprint(conversation: ConversationRef, content: MessageContent): string {
  return JSON.stringify([refKey(conversation), content, toHex(content.body)]);
}

import type { Conversation, ConversationRef, Message } from './domain.js';
import { ChatError, Code } from './errors.js';
import type { OwnRequests, RequestKind, Requests, ServerBody, ServerFrame, Welcome, WireRequests } from './frames.js';
import { PROTOCOL_VERSION } from './frames.js';
import type * as wire from './gen/wire/wire.js';
import { enums, table } from './gen/wire/wire.js';
import { issuedAtOf } from './messageid.js';
import { Reader } from './reader.js';
import { Codec } from './table.js';

// Between the frames and the bytes. What the table cannot do is here: a message
// as its viewer sees it, and what the contract asks for beyond the fields that a
// caller gives.

const codec = new Codec<wire.Messages>(table, enums);

/** Encodes one client frame; requestID is that of a write. */
export function encodeRequest<K extends RequestKind>(id: number, kind: K, value: Requests[K], requestID: string): Uint8Array {
  const complete = (completions as { [K in RequestKind]?: (value: Requests[K]) => unknown })[kind];
  const body = { kind, value: complete ? complete(value) : value } as wire.ClientFrame['body'];
  try {
    return codec.encode('ClientFrame', { id, requestID, body });
  } catch (error) {
    throw new ChatError(Code.InvalidParam, (error as Error).message);
  }
}

/**
 * Decodes one server frame for the given user. A reply whose content this
 * version does not understand becomes an error for the one who asked; bytes
 * that are no frame, and such pushes, throw ChatError BadReply.
 */
export function decodeFrame(data: Uint8Array, selfID: string): ServerFrame {
  try {
    const { replyTo, body } = codec.decode('ServerFrame', data);
    return { replyTo, body: bodyIn(body, selfID) };
  } catch (error) {
    const message = `The server sent a frame that cannot be used: ${(error as Error).message}.`;
    const replyTo = replyToOf(data);
    if (replyTo === 0) throw new ChatError(Code.BadReply, message);
    return { replyTo, body: { kind: 'error', value: { code: Code.BadReply, message, retryable: false, retryAfterMs: 0 } } };
  }
}

const completions: { [K in keyof OwnRequests]: (value: OwnRequests[K]) => WireRequests[K] } = {
  hello: (hello) => ({ ...hello, protocolVersion: PROTOCOL_VERSION, capabilities: [] }),
  sendMessage: ({ conversation, clientMessageID, type, ...content }) => ({ conversation, clientMessageID, issuedAt: issuedAtOf(clientMessageID), type, content }),
  queryMessages: (history) => ({ maxBytes: 0, ...history }),
  listConversations: ({ before, ...list }) => ({ changedSince: 0, only: [], pinnedOnly: false, ...list, beforeOrderKey: before?.orderKey ?? 0, before: before?.ref }),
  clearUnread: (request) => request,
};

function bodyIn(body: wire.ServerFrame['body'], selfID: string): ServerBody {
  switch (body?.kind) {
    case 'hello':
      return { kind: body.kind, value: welcomeIn(body.value) };
    case 'message':
      return { kind: body.kind, value: messageIn(body.value, selfID) };
    case 'queryMessages':
      return { kind: body.kind, value: { ...body.value, messages: body.value.messages.map((m) => messageIn(m, selfID)) } };
    case 'listConversations':
      return { kind: body.kind, value: { ...body.value, conversations: body.value.conversations.map((c) => conversationIn(c, selfID)) } };
    case 'clearUnread':
    case 'unreadChanged':
      return { kind: body.kind, value: { ...body.value, conversation: refIn(body.value.conversation) } };
    default:
      return body;
  }
}

function welcomeIn(welcome: wire.HelloReply): Welcome {
  return { ...welcome, limits: welcome.limits ?? codec.decode('Limits', new Uint8Array()) };
}

function messageIn({ kind, senderID, targetID, content, ...message }: wire.Message, selfID: string): Message {
  const id = kind === 'peer' && senderID !== selfID ? senderID : targetID;
  return { ...(content ?? codec.decode('Content', new Uint8Array())), ...message, senderID, conversation: refIn({ kind, id }) };
}

function conversationIn(conversation: wire.Conversation, selfID: string): Conversation {
  const { ref, lastMessage } = conversation;
  return { ...conversation, ref: refIn(ref), lastMessage: lastMessage && messageIn(lastMessage, selfID) };
}

function refIn(ref: wire.ConversationRef | undefined): ConversationRef {
  if (!ref?.kind) throw new TypeError('it names a conversation of no kind that this version knows');
  return { kind: ref.kind, id: ref.id };
}

// It is the first field, if there is one.
function replyToOf(data: Uint8Array): number {
  try {
    const reader = new Reader(data);
    return reader.uint() === REPLY_TO_TAG ? reader.uint() : 0;
  } catch {
    return 0;
  }
}

const REPLY_TO_TAG = 8;

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Conversation, ConversationKind, ConversationRef, Message } from './domain.js';
import { asChatError, ChatError, Code } from './errors.js';
import type { RequestKind, Requests, ServerBody, ServerFrame, Welcome } from './frames.js';
import { PROTOCOL_VERSION } from './frames.js';
import * as pb from './gen/wire/wire_pb.js';
import { fromHex, toHex } from './hex.js';
import { issuedAtOf } from './messageid.js';

// The only place where generated types and BigInt occur. Numbers are checked
// to fit JavaScript's safe integers in both directions.

type ClientBody = NonNullable<MessageInitShape<typeof pb.ClientFrameSchema>['body']>;

/** Encodes one client frame. */
export function encodeRequest<K extends RequestKind>(id: number, kind: K, value: Requests[K]): Uint8Array {
  const frame = create(pb.ClientFrameSchema, { id, body: encoders[kind](value) });
  return toBinary(pb.ClientFrameSchema, frame);
}

/**
 * Decodes one server frame for the given user. A reply whose content this
 * version does not understand becomes an error for the one who asked; bytes
 * that are no frame, and such pushes, throw ChatError BadReply.
 */
export function decodeFrame(data: Uint8Array, selfID: string): ServerFrame {
  const frame = parse(data);
  try {
    return { replyTo: frame.replyTo, body: decodeBody(frame.body, selfID) };
  } catch (error) {
    const { code, message } = asChatError(error);
    if (frame.replyTo === 0) throw error;
    return { replyTo: frame.replyTo, body: { kind: 'error', value: { code, message, retryable: false, retryAfterMs: 0 } } };
  }
}

function parse(data: Uint8Array): pb.ServerFrame {
  try {
    return fromBinary(pb.ServerFrameSchema, data);
  } catch {
    throw new ChatError(Code.BadReply, 'The server sent a frame that cannot be decoded.');
  }
}

const encoders: { [K in RequestKind]: (value: Requests[K]) => ClientBody } = {
  hello: (v) => ({
    case: 'hello',
    value: {
      protocolVersion: PROTOCOL_VERSION,
      appId: v.appID,
      userId: v.userID,
      token: v.token,
      userName: v.userName,
      avatarUrl: v.avatarUrl,
      deviceId: v.deviceID,
      platform: v.platform,
      resume: v.resume,
    },
  }),
  ping: () => ({ case: 'ping', value: {} }),
  send: (v) => ({
    case: 'send',
    value: {
      conversation: refOut(v.conversation),
      clientMessageId: fromHex(v.clientMessageID),
      issuedAtMs: big(issuedAtOf(v.clientMessageID)),
      type: v.type,
      subType: v.subType,
      priority: v.priority,
      body: new Uint8Array(v.body),
      extendedData: v.extendedData,
      searchedContent: v.searchedContent,
      mentionedUserIds: [...v.mentionedUserIDs],
      mentionAll: v.mentionAll,
    },
  }),
  history: (v) => ({
    case: 'history',
    value: {
      conversation: refOut(v.conversation),
      afterSeq: big(v.afterSeq),
      beforeSeq: big(v.beforeSeq),
      count: v.count,
      newestFirst: v.newestFirst,
      maxBytes: v.maxBytes ?? 0,
    },
  }),
  listConversations: (v) => ({
    case: 'listConversations',
    value: {
      count: v.count,
      beforeOrderKey: big(v.before?.orderKey ?? 0),
      before: v.before && refOut(v.before.ref),
      changedSinceMs: big(v.changedSince ?? 0),
      only: (v.only ?? []).map(refOut),
    },
  }),
  clearUnread: (v) => ({ case: 'clearUnread', value: { conversation: refOut(v.conversation) } }),
  renewToken: (v) => ({ case: 'renewToken', value: v }),
  goodbye: () => ({ case: 'goodbye', value: {} }),
};

function decodeBody(body: pb.ServerFrame['body'], selfID: string): ServerBody {
  switch (body.case) {
    case 'error':
      return { kind: 'error', value: body.value };
    case 'welcome':
      return { kind: 'welcome', value: welcomeIn(body.value) };
    case 'pong':
      return { kind: 'pong', value: { serverTime: num(body.value.serverTimeMs) } };
    case 'sent':
      return { kind: 'sent', value: sentIn(body.value) };
    case 'historyPage':
      return { kind: 'historyPage', value: historyIn(body.value, selfID) };
    case 'conversationPage':
      return { kind: 'conversationPage', value: pageIn(body.value, selfID) };
    case 'unreadCleared':
      return { kind: 'unreadCleared', value: clearedIn(body.value) };
    case 'tokenRenewed':
      return { kind: 'tokenRenewed', value: { tokenExpiresAt: num(body.value.tokenExpiresAtMs) } };
    case 'message':
      return { kind: 'message', value: messageIn(body.value, selfID) };
    case 'behind':
      return { kind: 'behind', value: {} };
    case 'kicked':
      return { kind: 'kicked', value: { reason: reasonIn(body.value.reason) } };
    case 'tokenExpiring':
      return { kind: 'tokenExpiring', value: { seconds: body.value.seconds } };
    case 'unreadChanged':
      return { kind: 'unreadChanged', value: clearedIn(body.value) };
    case 'reconnect':
      return { kind: 'reconnect', value: { afterMs: body.value.afterMs } };
    case undefined:
      return undefined;
  }
}

function welcomeIn(w: pb.Welcome): Welcome {
  const limits = w.limits ?? create(pb.LimitsSchema);
  return {
    serverTime: num(w.serverTimeMs),
    tokenExpiresAt: num(w.tokenExpiresAtMs),
    heartbeatIntervalMs: w.heartbeatIntervalMs,
    heartbeatTimeoutMs: w.heartbeatTimeoutMs,
    servers: w.servers,
    limits: {
      textBytes: limits.textBytes,
      customBytes: limits.customBytes,
      commandBytes: limits.commandBytes,
      extendedDataBytes: limits.extendedDataBytes,
      searchedContentBytes: limits.searchedContentBytes,
      mentions: limits.mentions,
      frameBytes: limits.frameBytes,
      dedupeWindowMs: num(limits.dedupeWindowMs),
      inFlight: limits.inFlight,
    },
    userName: w.userName,
    avatarUrl: w.avatarUrl,
  };
}

function sentIn(s: pb.Sent): { messageID: string; seq: number; orderKey: number; timestamp: number; duplicate: boolean } {
  return {
    messageID: s.messageId,
    seq: num(s.seq),
    orderKey: num(s.orderKey),
    timestamp: num(s.timestampMs),
    duplicate: s.duplicate,
  };
}

function messageIn(m: pb.Message, selfID: string): Message {
  const kind = kindIn(m.kind);
  const id = kind === 'peer' && m.senderId !== selfID ? m.senderId : m.targetId;
  return {
    conversation: { kind, id },
    senderID: m.senderId,
    messageID: m.messageId,
    seq: num(m.seq),
    orderKey: num(m.orderKey),
    timestamp: num(m.timestampMs),
    type: m.type,
    subType: m.subType,
    priority: m.priority,
    body: m.body,
    extendedData: m.extendedData,
    searchedContent: m.searchedContent,
    mentionedUserIDs: m.mentionedUserIds,
    mentionAll: m.mentionAll,
    clientMessageID: toHex(m.clientMessageId),
  };
}

function historyIn(p: pb.HistoryPage, selfID: string): { messages: Message[]; firstSeq: number; lastSeq: number; headSeq: number } {
  return {
    messages: p.messages.map((m) => messageIn(m, selfID)),
    firstSeq: num(p.firstSeq),
    lastSeq: num(p.lastSeq),
    headSeq: num(p.headSeq),
  };
}

function pageIn(p: pb.ConversationPage, selfID: string): { conversations: Conversation[]; totalUnread: number | undefined; complete: boolean } {
  return {
    conversations: p.conversations.map((c) => ({
      ref: refIn(c.ref),
      name: c.name,
      avatarUrl: c.avatarUrl,
      headSeq: num(c.headSeq),
      unread: num(c.unread),
      readSeq: num(c.readSeq),
      orderKey: num(c.orderKey),
      lastMessage: c.lastMessage && messageIn(c.lastMessage, selfID),
    })),
    totalUnread: p.totalUnread === undefined ? undefined : num(p.totalUnread),
    complete: p.complete,
  };
}

function clearedIn(c: pb.UnreadCleared): { conversation: ConversationRef; readSeq: number } {
  return { conversation: refIn(c.conversation), readSeq: num(c.readSeq) };
}

function reasonIn(reason: pb.Kicked_Reason): 'otherDevice' | 'tokenExpired' {
  return reason === pb.Kicked_Reason.TOKEN_EXPIRED ? 'tokenExpired' : 'otherDevice';
}

const kindNumbers: Record<ConversationKind, pb.ConversationKind> = {
  peer: pb.ConversationKind.PEER,
  room: pb.ConversationKind.ROOM,
  group: pb.ConversationKind.GROUP,
};

function kindIn(kind: pb.ConversationKind): ConversationKind {
  if (kind === pb.ConversationKind.PEER) return 'peer';
  if (kind === pb.ConversationKind.ROOM) return 'room';
  if (kind === pb.ConversationKind.GROUP) return 'group';
  throw new ChatError(Code.BadReply, `The server named a conversation kind ${kind} that this version does not know.`);
}

function refOut(ref: ConversationRef): { kind: pb.ConversationKind; id: string } {
  return { kind: kindNumbers[ref.kind], id: ref.id };
}

function refIn(ref: pb.ConversationRef | undefined): ConversationRef {
  if (!ref) throw new ChatError(Code.BadReply, 'The server left out a conversation.');
  return { kind: kindIn(ref.kind), id: ref.id };
}

function big(value: number): bigint {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new ChatError(Code.InvalidParam, `${value} is not a whole number from 0 to 2^53 - 1.`);
  }
  return BigInt(value);
}

function num(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new ChatError(Code.BadReply, 'The server sent a number above 2^53 - 1.');
  }
  return Number(value);
}

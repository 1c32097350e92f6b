import type { ConversationRef, Limits, MessageContent } from '../domain.js';
import { ChatError, Code } from '../errors.js';
import { wellFormed } from '../text.js';
import { ZIMConversationType, ZIMMessageType } from './enums/index.js';
import type { ZIMMessage, ZIMMessageSendConfig } from './types/index.js';

// What apps pass in, checked at run time: many of them are plain JavaScript.

/** A refusal of a value that breaks its rule. */
export function invalidParam(sentence: string): ChatError {
  return new ChatError(Code.InvalidParam, sentence);
}

/** The conversation that is meant; only those between two users exist so far. */
export function peerRef(id: unknown, type: unknown): ConversationRef {
  if (type === ZIMConversationType.Room || type === ZIMConversationType.Group) {
    throw new ChatError(Code.Unsupported, 'Rooms and groups are not supported yet.');
  }
  if (type !== ZIMConversationType.Peer) throw invalidParam(`${String(type)} is not a conversation type.`);
  if (typeof id !== 'string' || id === '') throw invalidParam('The conversation ID must be a text that is not empty.');
  return { kind: 'peer', id };
}

/** A whole number from 1 on. */
export function positiveInteger(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw invalidParam('count must be a whole number above 0.');
}

/** The content of a message to send, within the app's limits. */
export function contentOf(message: ZIMMessage, config: Partial<ZIMMessageSendConfig> | undefined, limits: Limits): MessageContent {
  const fields = fieldsOf(message, limits);
  const extendedData = optionalText(message.extendedData, 'extendedData');
  requireWithin(encoder.encode(extendedData).length, limits.extendedDataBytes, 'extendedData');
  refuseUnbuilt(config);
  return {
    subType: 0,
    searchedContent: '',
    ...fields,
    type: message.type,
    priority: priorityOf(config?.priority),
    extendedData,
    mentionedUserIDs: mentionsOf(message.mentionedUserIDs, limits.mentions),
    mentionAll: message.isMentionAll === true,
  };
}

/** The texts of a message as they can be carried: those that a user sees or the app reads. */
export function carriedTexts(message: ZIMMessage): Partial<ZIMMessage> {
  const texts = Object.entries(message ?? {}).filter(([key, value]) => TEXTS.has(key) && typeof value === 'string');
  return Object.fromEntries(texts.map(([key, value]) => [key, wellFormed(value as string)]));
}

const TEXTS = new Set(['message', 'extendedData', 'searchedContent']);

function fieldsOf(message: ZIMMessage, limits: Limits): Pick<MessageContent, 'body'> & Partial<MessageContent> {
  if (typeof message !== 'object' || message === null) throw invalidParam('The message must be an object.');
  const content: { message?: unknown; subType?: unknown; searchedContent?: unknown } = message as object;
  switch (message.type) {
    case ZIMMessageType.Text:
      return { body: textBody(content.message, limits.textBytes) };
    case ZIMMessageType.Custom:
      return {
        body: textBody(content.message, limits.customBytes),
        subType: subTypeOf(content.subType),
        searchedContent: searchedContentOf(content.searchedContent, limits.searchedContentBytes),
      };
    case ZIMMessageType.Command:
      return { body: commandBody(content.message, limits.commandBytes) };
    default:
      // The enum also holds its names, by which '1' would be a type.
      if (typeof message.type !== 'number' || ZIMMessageType[message.type] === undefined) {
        throw invalidParam(`${String(message.type)} is not a message type.`);
      }
      throw new ChatError(Code.Unsupported, `Messages of the type ${ZIMMessageType[message.type]} cannot be sent yet.`);
  }
}

const encoder = new TextEncoder();

function textBody(value: unknown, limit: number): Uint8Array {
  if (typeof value !== 'string' || value.trim() === '') throw invalidParam('The message must be a text that is not blank.');
  const body = encoder.encode(value);
  requireWithin(body.length, limit, 'The message');
  return body;
}

function commandBody(value: unknown, limit: number): Uint8Array {
  if (!ArrayBuffer.isView(value) || value.byteLength === 0) {
    throw invalidParam('A command message must be a Uint8Array that is not empty.');
  }
  requireWithin(value.byteLength, limit, 'The message');
  // A copy: the app may go on to use its buffer.
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
}

function requireWithin(bytes: number, limit: number, what: string): void {
  if (limit > 0 && bytes > limit) throw invalidParam(`${what} has ${bytes} bytes, ${limit} are allowed.`);
}

function subTypeOf(value: unknown): number {
  const subType = value ?? 0;
  if (typeof subType === 'number' && Number.isInteger(subType) && subType >= 0 && subType <= 200) return subType;
  throw invalidParam('subType must be a whole number from 0 to 200.');
}

function priorityOf(value: unknown): number {
  const priority = value ?? 1;
  if (priority === 1 || priority === 2 || priority === 3) return priority;
  throw invalidParam('priority must be 1, 2 or 3.');
}

function optionalText(value: unknown, name: string): string {
  const text = value ?? '';
  if (typeof text === 'string') return text;
  throw invalidParam(`${name} must be a text.`);
}

function searchedContentOf(value: unknown, limit: number): string {
  const text = optionalText(value, 'searchedContent');
  requireWithin(encoder.encode(text).length, limit, 'searchedContent');
  return text;
}

function mentionsOf(value: unknown, limit: number): string[] {
  const list = value ?? [];
  if (!Array.isArray(list) || !list.every((id) => typeof id === 'string')) throw invalidParam('mentionedUserIDs must be a list of texts.');
  if (limit > 0 && list.length > limit) throw invalidParam(`${list.length} users are mentioned, ${limit} are allowed.`);
  return [...list];
}

// What an app relies on is not ignored in silence. Offline pushes are the
// exception: there are none, and so nothing to configure.
function refuseUnbuilt(config: Partial<ZIMMessageSendConfig> | undefined): void {
  for (const option of ['hasReceipt', 'disableUnreadMessageCount'] as const) {
    if (config?.[option]) throw new ChatError(Code.Unsupported, `Sending with ${option} is not supported yet.`);
  }
}

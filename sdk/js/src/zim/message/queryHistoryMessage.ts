import type { ChatClient } from '../../client.js';
import type { ConversationRef, Message } from '../../domain.js';
import { ChatError, Code } from '../../errors.js';
import type { HistoryPage } from '../../frames.js';
import { invalidParam, peerRef, positiveInteger } from '../check.js';
import { conversationTypeOf, messageOut } from '../convert.js';
import type { Method } from '../row.js';
import type { ZIMMessage, ZIMMessageQueryConfig } from '../types/index.js';

/**
 * A page of history, the oldest message first: with `reverse` the last ones
 * before nextMessage (or the newest of all), else the first ones after it (or
 * the oldest of all).
 */
export const queryHistoryMessage: Method<'queryHistoryMessage'> = async (client, id, type, config) => {
  const conversation = peerRef(id, type);
  if (typeof config !== 'object' || config === null) throw invalidParam('A query needs a config with a count.');
  const wanted = positiveInteger(config.count);
  const selfID = client.userID ?? '';
  const messages = await pages(client, conversation, wanted, config);
  return {
    conversationID: conversation.id,
    conversationType: conversationTypeOf(conversation),
    messageList: messages.map((message) => messageOut(message, selfID)),
  };
};

async function pages(client: ChatClient, conversation: ConversationRef, wanted: number, config: ZIMMessageQueryConfig): Promise<Message[]> {
  const back = config.reverse === true;
  let edge = seqOf(config.nextMessage);
  if (config.nextMessage && edge === 0 && !back) return [];
  let found: Message[] = [];
  while (found.length < wanted) {
    const page = await ask(client, conversation, edge, Math.min(PAGE, wanted - found.length), back);
    found = back ? [...page.messages, ...found] : [...found, ...page.messages];
    if (page.lastSeq === 0 || (back ? page.firstSeq === 1 : page.lastSeq >= page.headSeq)) break;
    edge = back ? page.firstSeq : page.lastSeq;
  }
  return found;
}

// A message that was never accepted has no place: it is newer than all others.
function seqOf(message: ZIMMessage | undefined): number {
  if (!message || (!message.messageID && !message.messageSeq)) return 0;
  const { messageSeq } = message;
  if (typeof messageSeq === 'number' && Number.isSafeInteger(messageSeq) && messageSeq > 0) return messageSeq;
  throw invalidParam('nextMessage must be a message as it was given out, with its messageSeq.');
}

async function ask(client: ChatClient, conversation: ConversationRef, edge: number, size: number, back: boolean): Promise<HistoryPage> {
  try {
    return await client.history({
      conversation,
      afterSeq: back ? 0 : edge,
      beforeSeq: back ? edge : 0,
      count: size,
      newestFirst: back,
    });
  } catch (error) {
    if (error instanceof ChatError && error.code === Code.NoConversation) return EMPTY;
    throw error;
  }
}

// What the wire allows in one question.
const PAGE = 100;

// A conversation that has not begun has an empty history.
const EMPTY: HistoryPage = { messages: [], firstSeq: 0, lastSeq: 0, headSeq: 0, headRev: 0 };

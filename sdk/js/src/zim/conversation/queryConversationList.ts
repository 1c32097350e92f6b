import type { Conversation } from '../../domain.js';
import type { ListRequest } from '../../frames.js';
import { invalidParam, peerRef, positiveInteger } from '../check.js';
import { conversationOut, conversationTypeOf } from '../convert.js';
import { ZIMConversationPinnedFilter } from '../enums/index.js';
import type { Method } from '../row.js';
import type { ZIMConversation, ZIMConversationFilterOption } from '../types/index.js';

/** A page of the conversation list, the latest first; `option` keeps only some. */
export const queryConversationList: Method<'queryConversationList'> = async (client, config, option) => {
  if (typeof config !== 'object' || config === null) throw invalidParam('A query needs a config with a count.');
  const wanted = positiveInteger(config.count);
  const selfID = client.userID ?? '';
  const found: Conversation[] = [];
  let before = startOf(config.nextConversation);
  while (found.length < wanted) {
    const page = await client.list({ count: Math.min(PAGE, wanted - found.length), ...(before && { before }) });
    found.push(...page.conversations.filter((conversation) => keeps(option, conversation)));
    const last = page.conversations.at(-1);
    if (page.complete || !last) break;
    before = { orderKey: last.orderKey, ref: last.ref };
  }
  // While a page was on its way, those before it may have changed, and an event has said so.
  const present = found.map((conversation) => client.conversation(conversation.ref) ?? conversation);
  return { conversationList: present.map((conversation) => conversationOut(conversation, selfID)) };
};

function startOf(next: ZIMConversation | undefined): ListRequest['before'] {
  return next && { orderKey: next.orderKey, ref: peerRef(next.conversationID, next.type) };
}

function keeps(option: Partial<ZIMConversationFilterOption> | undefined, conversation: Conversation): boolean {
  if (!option) return true;
  const { conversationTypes = [], marks = [], isOnlyUnreadConversation = false, pinnedFilter } = option;
  if (conversationTypes.length > 0 && !conversationTypes.includes(conversationTypeOf(conversation.ref))) return false;
  if (isOnlyUnreadConversation && conversation.unread === 0) return false;
  // Marks and pins do not exist yet: no conversation has one.
  return marks.length === 0 && pinnedFilter !== ZIMConversationPinnedFilter.OnlyPinned;
}

const PAGE = 500;

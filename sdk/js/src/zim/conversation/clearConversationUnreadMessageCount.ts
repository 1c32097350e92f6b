import { peerRef } from '../check.js';
import type { Method } from '../row.js';

/** Marks a conversation as read. */
export const clearConversationUnreadMessageCount: Method<'clearConversationUnreadMessageCount'> = async (client, conversationID, conversationType) => {
  await client.clearUnread(peerRef(conversationID, conversationType));
  return { conversationID, conversationType };
};

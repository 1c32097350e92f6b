import { conversationOut } from '../convert.js';
import { ZIMConversationEvent } from '../enums/index.js';
import type { Capability } from '../row.js';

/** Changes of the list. */
export const conversationEvents: NonNullable<Capability['events']> = {
  conversations: ({ emit, selfID }, changes) => {
    const infoList = changes.map(({ event, conversation }) => ({
      event: event === 'added' ? ZIMConversationEvent.Added : ZIMConversationEvent.Updated,
      conversation: conversationOut(conversation, selfID),
    }));
    emit('conversationChanged', { infoList });
  },
  totalUnread: ({ emit }, totalUnreadMessageCount) => {
    emit('conversationTotalUnreadMessageCountUpdated', { totalUnreadMessageCount });
  },
};

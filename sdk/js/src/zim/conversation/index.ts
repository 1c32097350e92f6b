import type { Capability } from '../row.js';
import { clearConversationUnreadMessageCount } from './clearConversationUnreadMessageCount.js';
import { conversationEvents } from './events.js';
import { queryConversationList } from './queryConversationList.js';

/** The conversation list. */
export const conversation: Capability = {
  methods: {
    clearConversationUnreadMessageCount,
    queryConversationList,
  },
  events: conversationEvents,
};

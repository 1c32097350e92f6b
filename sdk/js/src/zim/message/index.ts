import type { Capability } from '../row.js';
import { messageEvents } from './events.js';
import { queryHistoryMessage } from './queryHistoryMessage.js';
import { sendGroupMessage, sendMediaMessage, sendMessage, sendPeerMessage, sendRoomMessage } from './sendMessage.js';

/** Messages. */
export const message: Capability = {
  methods: {
    queryHistoryMessage,
    sendGroupMessage,
    sendMediaMessage,
    sendMessage,
    sendPeerMessage,
    sendRoomMessage,
  },
  events: messageEvents,
};

import type { ConversationKind } from '../../domain.js';
import { messageOut } from '../convert.js';
import type { Capability, EventName } from '../row.js';

/** Messages as they arrive. */
export const messageEvents: NonNullable<Capability['events']> = {
  messages: ({ emit, selfID }, ref, messages) => {
    const messageList = messages.map((message) => messageOut(message, selfID));
    emit(received[ref.kind], { messageList, fromConversationID: ref.id });
  },
};

const received = {
  peer: 'receivePeerMessage',
  room: 'receiveRoomMessage',
  group: 'receiveGroupMessage',
} as const satisfies Record<ConversationKind, EventName>;

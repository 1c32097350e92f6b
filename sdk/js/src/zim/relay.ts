import type { ChatClient } from '../client.js';
import type { StateChange } from '../connection.js';
import type { ConversationRef } from '../domain.js';
import type { EndReason } from '../ending.js';
import { conversationOut, messageOut } from './convert.js';
import { ZIMConnectionEvent, ZIMConnectionState, ZIMConversationEvent } from './enums/index.js';
import type { ZIMEventHandlerOf, ZIMEventOfConnectionStateChangedResult } from './types/index.js';

/** The names of the events. */
export type EventName = keyof ZIMEventHandlerOf<unknown>;

/** The second argument of an event's listener. */
export type Payload<K extends EventName> = Parameters<ZIMEventHandlerOf<unknown>[K]>[1];

/** Calls the app's listener of an event, if there is one. */
export type Emit = <K extends EventName>(event: K, data: Payload<K>) => void;

/** Gives the core's events out as those of the ZIM surface. */
export function relay(client: ChatClient, emit: Emit): void {
  let selfID = '';
  let loggedIn = false;
  client.on('state', (change) => {
    selfID = client.userID ?? selfID;
    emit('connectionStateChanged', stateOut(change));
    // A kick and an expiry are no errors: the state says all.
    if (change.state === 'disconnected' && change.reason === 'refused' && change.error && loggedIn) {
      emit('error', { code: change.error.code, message: change.error.message });
    }
    loggedIn = client.loggedIn;
  });
  client.on('conversations', (changes) => {
    const infoList = changes.map(({ event, conversation }) => ({
      event: event === 'added' ? ZIMConversationEvent.Added : ZIMConversationEvent.Updated,
      conversation: conversationOut(conversation, selfID),
    }));
    emit('conversationChanged', { infoList });
  });
  client.on('totalUnread', (totalUnreadMessageCount) => {
    emit('conversationTotalUnreadMessageCountUpdated', { totalUnreadMessageCount });
  });
  client.on('messages', (ref, messages) => {
    const messageList = messages.map((message) => messageOut(message, selfID));
    emit(receiveEvents[ref.kind], { messageList, fromConversationID: ref.id });
  });
  client.on('tokenExpiring', (second) => emit('tokenWillExpire', { second }));
}

const receiveEvents = {
  peer: 'receivePeerMessage',
  room: 'receiveRoomMessage',
  group: 'receiveGroupMessage',
} as const satisfies Record<ConversationRef['kind'], EventName>;

const endEvents: Record<EndReason, ZIMConnectionEvent> = {
  logout: ZIMConnectionEvent.Success,
  // Not LoginInterrupted: on that, apps log in again at once.
  refused: ZIMConnectionEvent.LoginTimeout,
  kicked: ZIMConnectionEvent.KickedOut,
  tokenExpired: ZIMConnectionEvent.TokenExpired,
};

function stateOut(change: StateChange): ZIMEventOfConnectionStateChangedResult {
  switch (change.state) {
    case 'connecting':
      return { state: ZIMConnectionState.Connecting, event: ZIMConnectionEvent.ActiveLogin, extendedData: '{}' };
    case 'connected':
      return { state: ZIMConnectionState.Connected, event: ZIMConnectionEvent.Success, extendedData: '{}' };
    case 'reconnecting': {
      const { attempt, retryInMs } = change;
      const extendedData = JSON.stringify({ attempt, retryInMs });
      return { state: ZIMConnectionState.Reconnecting, event: ZIMConnectionEvent.LoginInterrupted, extendedData };
    }
    case 'disconnected': {
      const { error, reason } = change;
      const extendedData = error ? JSON.stringify({ code: error.code, message: error.message }) : '{}';
      return { state: ZIMConnectionState.Disconnected, event: endEvents[reason], extendedData };
    }
  }
}

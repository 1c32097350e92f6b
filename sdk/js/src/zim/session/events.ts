import type { StateChange } from '../../connection.js';
import type { EndReason } from '../../ending.js';
import { ZIMConnectionEvent, ZIMConnectionState } from '../enums/index.js';
import type { Capability } from '../row.js';
import type { ZIMEventOfConnectionStateChangedResult } from '../types/index.js';

/** Where the login stands. */
export const sessionEvents: NonNullable<Capability['events']> = {
  state: (scene, change) => {
    scene.emit('connectionStateChanged', stateOut(change));
    // A kick and an expiry are no errors: the state says all.
    if (change.state === 'disconnected' && change.reason === 'refused' && change.error && scene.loggedIn) {
      scene.emit('error', { code: change.error.code, message: change.error.message });
    }
  },
  tokenExpiring: (scene, second) => scene.emit('tokenWillExpire', { second }),
};

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

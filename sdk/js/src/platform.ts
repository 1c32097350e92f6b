import { ChatError, Code } from './errors.js';
import type { WebSocketConstructor } from './socket.js';

interface EventTargetLike {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** The global WebSocket; throws where there is none. */
export function defaultWebSocket(): WebSocketConstructor {
  const found = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (found) return found;
  throw new ChatError(Code.InvalidParam, 'There is no global WebSocket here: give one as the option WebSocket, for instance that of the package ws.');
}

/** The name of the platform that the server is told. */
export function defaultPlatform(): string {
  return typeof document === 'undefined' ? 'node' : 'web';
}

/**
 * Calls back when the network may have changed: the browser is online again,
 * or a page was hidden, perhaps asleep, and is seen again. Gives the function
 * that ends the watch. Does nothing outside browsers.
 */
export function watchNetwork(changed: () => void): () => void {
  const scope = globalThis as Partial<EventTargetLike> & { document?: EventTargetLike & { visibilityState?: string } };
  const shown = (): void => {
    if (scope.document?.visibilityState === 'visible') changed();
  };
  scope.addEventListener?.('online', changed);
  scope.document?.addEventListener('visibilitychange', shown);
  return () => {
    scope.removeEventListener?.('online', changed);
    scope.document?.removeEventListener('visibilitychange', shown);
  };
}

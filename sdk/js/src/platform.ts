import { ChatError, Code } from './errors.js';
import type { WebSocketConstructor } from './socket.js';

interface EventTargetLike {
  addEventListener(type: string, listener: (event?: { persisted?: boolean }) => void): void;
  removeEventListener(type: string, listener: (event?: { persisted?: boolean }) => void): void;
}

/** The global WebSocket; throws where there is none. */
export function defaultWebSocket(): WebSocketConstructor {
  const found = (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
  if (found) return found;
  throw new ChatError(Code.InvalidParam, 'There is no global WebSocket here: give one as the option WebSocket, for instance that of the package ws.');
}

/** The name of the platform, as the server gets it. */
export function defaultPlatform(): string {
  const scope = globalThis as {
    Deno?: unknown;
    Bun?: unknown;
    navigator?: { product?: string };
    process?: { versions?: { node?: string } };
  };
  if (scope.navigator?.product === 'ReactNative') return 'react-native';
  if (typeof document !== 'undefined') return 'web';
  if (scope.Deno) return 'deno';
  if (scope.Bun) return 'bun';
  // What is left, for instance a worker of a page, is a browser's.
  return scope.process?.versions?.node ? 'node' : 'web';
}

/** What watching the network reports. */
export interface NetworkEvents {
  /** It may be back: the browser is online, or a page that perhaps slept is seen again. */
  back(): void;
  /** It may be gone. */
  gone(): void;
}

/** Watches the network and gives the function that ends the watch. Does nothing outside browsers. */
export function watchNetwork(events: NetworkEvents): () => void {
  const scope = globalThis as Partial<EventTargetLike> & { document?: EventTargetLike & { visibilityState?: string } };
  const back = (): void => events.back();
  const gone = (): void => events.gone();
  const shown = (): void => {
    if (scope.document?.visibilityState === 'visible') back();
  };
  // From the back-forward cache: the page was frozen, its connections are dead.
  const restored = (event?: { persisted?: boolean }): void => {
    if (event?.persisted) back();
  };
  const watched = [
    [scope, 'online', back],
    [scope, 'offline', gone],
    [scope, 'pageshow', restored],
    [scope.document, 'visibilitychange', shown],
  ] as const;
  for (const [target, type, listener] of watched) target?.addEventListener?.(type, listener);
  return () => {
    for (const [target, type, listener] of watched) target?.removeEventListener?.(type, listener);
  };
}

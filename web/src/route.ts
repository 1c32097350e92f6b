import { signal } from '@preact/signals';

/** What the address names: the list alone, or a conversation, perhaps with its details. */
export interface Route {
  readonly conversation: string | undefined;
  readonly details: boolean;
}

export const home: Route = { conversation: undefined, details: false };

/** What the address names now. Changes with links, the browser's buttons and `navigate`. */
export const route = signal<Route>(home);

/** Reads a fragment such as `#/c/bob` or `#/c/bob/details`; anything else is the list. */
export function parseRoute(hash: string): Route {
  const match = /^#\/c\/([^/]+)(\/details)?$/.exec(hash);
  if (!match?.[1]) return home;
  try {
    return { conversation: decodeURIComponent(match[1]), details: match[2] !== undefined };
  } catch {
    return home;
  }
}

/** The fragment that `parseRoute` reads back. */
export function toHash({ conversation, details }: Route): string {
  if (conversation === undefined) return '#/';
  return `#/c/${encodeURIComponent(conversation)}${details ? '/details' : ''}`;
}

/** Goes somewhere; the browser's back button returns. `replace` leaves no trace in the history. */
export function navigate(to: Route, replace = false): void {
  const hash = toHash(to);
  if (hash === toHash(route.peek())) return;
  const state = { from: replace ? cameFrom() : toHash(route.peek()) };
  if (replace) history.replaceState(state, '', hash);
  else history.pushState(state, '', hash);
  route.value = to;
}

/** Goes up to where one came from: with the browser's history when that is the step before, else in place. */
export function goBack(to: Route): void {
  if (cameFrom() === toHash(to)) history.back();
  else navigate(to, true);
}

/** Follows the browser's address from now on. */
export function followAddress(): void {
  const read = (): void => {
    route.value = parseRoute(location.hash);
  };
  addEventListener('popstate', read);
  addEventListener('hashchange', read);
  read();
}

function cameFrom(): string | undefined {
  const state: unknown = history.state;
  return typeof state === 'object' && state !== null && 'from' in state && typeof state.from === 'string' ? state.from : undefined;
}

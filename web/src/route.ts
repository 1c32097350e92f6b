import { signal } from '@preact/signals';

/** What the address names: the list alone, or a conversation, perhaps with its details. */
export interface Route {
  readonly conversation: string | undefined;
  readonly details: boolean;
}

/** A dialog over the page. It is a step of the browser's history, so that going back closes it. */
export type DialogName = 'new' | 'settings';

export const home: Route = { conversation: undefined, details: false };

/** What the address names now. Changes with links, the browser's buttons and `navigate`. */
export const route = signal<Route>(home);

/** The dialog that is open. */
export const dialog = signal<DialogName | undefined>(undefined);

/** True from asking the browser to go back until it has, a moment later: a second click meanwhile must not go back twice. */
let goingBack = false;

/** What an entry of the browser's history knows beside its address. */
interface Step {
  /** The fragment one came from. */
  readonly from?: string;
  readonly dialog?: DialogName;
}

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

/** Goes somewhere; the browser's back button returns. From a dialog it takes the dialog's place in the history. `replace` leaves no trace there. */
export function navigate(to: Route, replace = false): void {
  const hash = toHash(to);
  if (hash === toHash(route.peek())) return closeDialog();
  const inPlace = replace || dialog.peek() !== undefined;
  const next: Step = { from: inPlace ? step().from : toHash(route.peek()) };
  if (inPlace) history.replaceState(next, '', hash);
  else history.pushState(next, '', hash);
  read();
}

/** Goes up to where one came from: with the browser's history when that is the step before, else in place. */
export function goBack(to: Route): void {
  if (step().from === toHash(to)) stepBack();
  else navigate(to, true);
}

/** Opens a dialog over what is shown. */
export function openDialog(name: DialogName): void {
  const next: Step = { from: toHash(route.peek()), dialog: name };
  history.pushState(next, '');
  read();
}

/** Closes the dialog, as the browser's back button does. */
export function closeDialog(): void {
  if (dialog.peek() === undefined) return;
  dialog.value = undefined;
  stepBack();
}

/** Leaves everything for the list, with nobody named in the address: the user has signed out. */
export function leave(): void {
  const address = new URL(location.href);
  address.searchParams.delete('user');
  address.hash = toHash(home);
  history.replaceState({}, '', address);
  read();
}

/** Follows the browser's address from now on. */
export function followAddress(): void {
  addEventListener('popstate', read);
  addEventListener('hashchange', read);
  read();
}

function stepBack(): void {
  if (goingBack) return;
  goingBack = true;
  history.back();
}

function read(): void {
  goingBack = false;
  route.value = parseRoute(location.hash);
  dialog.value = step().dialog;
}

function step(): Step {
  const state: unknown = history.state;
  return typeof state === 'object' && state !== null ? (state as Step) : {};
}

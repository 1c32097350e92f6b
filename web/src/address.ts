import { effect, untracked } from '@preact/signals';
import { home, leave, navigate, route } from './route';
import type { Store } from './store/store';

/** The user that the address asks for. */
export function wantedUser(): string | undefined {
  return new URLSearchParams(location.search).get('user') ?? undefined;
}

/** Keeps the address and the store in step: the open conversation, and who is signed in. */
export function bindAddress(store: Store): void {
  effect(() => {
    const { conversation } = route.value;
    const self = store.account.current.value?.userID;
    // Nobody talks to himself: the address was made for somebody else.
    if (conversation !== undefined && conversation === self) untracked(() => navigate(home, true));
    else untracked(() => store.open(conversation));
  });
  let named = false;
  effect(() => {
    const user = store.account.current.value?.userID;
    if (user !== undefined) nameUser(user);
    // With the reason why one was signed out, the conversation stays for the next attempt.
    else if (named && store.account.failure.peek() === undefined) leave();
    named = user !== undefined;
  });
}

/** Puts `?user=` into the address, so that a reload or a bookmark opens the same user. */
function nameUser(user: string): void {
  const address = new URL(location.href);
  if (address.searchParams.get('user') === user) return;
  address.searchParams.set('user', user);
  history.replaceState(history.state, '', address);
}

import { effect, untracked } from '@preact/signals';
import { ZIM } from 'parley-chat/zim';
import { render } from 'preact';
import { devServer } from './devserver';
import { t } from './i18n';
import { followAddress, route } from './route';
import { startSettings } from './settings';
import { Store } from './store/store';
import './styles/index.css';
import { App } from './view/App';
import { StoreContext } from './view/context';

startSettings();
const root = document.getElementById('app');
if (root && location.pathname.endsWith('/cluster')) {
  void import('./cluster/ClusterPage').then(({ ClusterPage }) => render(<ClusterPage />, root));
} else if (root) {
  startChat(root);
}

/** The chat page. */
function startChat(root: HTMLElement): void {
  const store = new Store({
    createChat(appID) {
      const chat = ZIM.create({ appID, server: new URL('.', document.baseURI).href });
      if (!chat) throw new Error('an SDK object exists that was not destroyed');
      return chat;
    },
    dev: devServer,
    tab: sessionStorage,
    wantedUser: new URLSearchParams(location.search).get('user') ?? undefined,
    // The SDK tries at once when the browser reports a network.
    wakeNetwork: () => void dispatchEvent(new Event('online')),
    now: Date.now,
  });

  followAddress();
  followDocument(store);
  effect(() => {
    const { conversation } = route.value;
    untracked(() => store.open(conversation));
  });
  effect(() => nameUserInAddress(store));
  effect(() => {
    const n = store.conversations.totalUnread.value;
    document.title = n > 0 ? t('app.unread', { n }) : t('app.name');
  });
  void store.session.start();

  render(
    <StoreContext.Provider value={store}>
      <App />
    </StoreContext.Provider>,
    root,
  );
}

/** Tells the store whether the page can be seen and the device has a network. */
function followDocument(store: Store): void {
  const look = (): void => {
    store.visible.value = document.visibilityState === 'visible';
    store.connection.deviceOnline.value = navigator.onLine;
  };
  document.addEventListener('visibilitychange', look);
  addEventListener('online', look);
  addEventListener('offline', look);
  look();
}

/** Keeps `?user=` in step, so that a reload or a bookmark opens the same user. */
function nameUserInAddress(store: Store): void {
  const account = store.session.account.value;
  if (!account) return;
  const address = new URL(location.href);
  if (address.searchParams.get('user') === account.userID) return;
  address.searchParams.set('user', account.userID);
  history.replaceState(history.state, '', address);
}

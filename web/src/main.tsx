import { effect } from '@preact/signals';
import { ZIM } from 'parley-chat';
import { render } from 'preact';
import { bindAddress, wantedUser } from './address';
import { devServer } from './devserver';
import { t } from './i18n';
import { followAddress } from './route';
import { startSettings } from './settings';
import { tabStorage } from './storage';
import { Store } from './store/store';
import './styles/index.css';
import { App } from './view/App';
import { StoreContext } from './view/context';
import { ErrorBoundary } from './view/ErrorBoundary';

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
    tab: tabStorage,
    wantedUser: wantedUser(),
    // The SDK tries at once when the browser reports a network.
    wakeNetwork: () => void dispatchEvent(new Event('online')),
    now: Date.now,
  });

  followAddress();
  followDocument(store);
  bindAddress(store);
  effect(() => {
    const n = store.inbox.totalUnread.value;
    document.title = n > 0 ? t('app.unread', { n }) : t('app.name');
  });
  effect(() => {
    if (!store.unsaved.value) return;
    addEventListener('beforeunload', askBeforeLeaving);
    return () => removeEventListener('beforeunload', askBeforeLeaving);
  });
  void store.account.start();

  render(
    <StoreContext.Provider value={store}>
      <ErrorBoundary>
        <App />
      </ErrorBoundary>
    </StoreContext.Provider>,
    root,
  );
}

/** Tells the store whether the page can be seen and the device has a network. */
function followDocument(store: Store): void {
  const look = (): void => {
    store.visible.value = document.visibilityState === 'visible';
    store.banner.deviceOnline.value = navigator.onLine;
  };
  document.addEventListener('visibilitychange', look);
  addEventListener('online', look);
  addEventListener('offline', look);
  look();
}

/** What was written could not be stored: the browser asks whether to leave it. */
function askBeforeLeaving(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

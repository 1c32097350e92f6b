import type { VNode } from 'preact';
import { t } from '../i18n';
import { dialog, openDialog } from '../route';
import { Avatar } from './Avatar';
import { useStore } from './context';
import { ConversationList } from './ConversationList';
import { FirstRun } from './FirstRun';
import { Icon } from './Icon';
import { NewConversation } from './NewConversation';
import { Settings } from './Settings';

/** The list pane: who one is, a new conversation, settings, and the conversations. */
export function Sidebar(): VNode {
  const store = useStore();
  const self = store.account.current.value?.userID ?? '';
  return (
    <nav class="pane list-pane" aria-label={t('list.title')}>
      <header class="pane-head">
        <button
          type="button"
          class="icon-button avatar-button"
          aria-label={t('list.settings')}
          title={t('list.settings')}
          onClick={() => openDialog('settings')}
        >
          <Avatar id={self} name={store.nameOf(self)} size={36} />
        </button>
        <h1 class="pane-title">{t('list.title')}</h1>
        <button type="button" class="icon-button" aria-label={t('list.new')} title={t('list.new')} onClick={() => openDialog('new')}>
          <Icon name="compose" />
        </button>
      </header>
      <ListBody onNew={() => openDialog('new')} />
      {dialog.value === 'new' && <NewConversation />}
      {dialog.value === 'settings' && <Settings />}
    </nav>
  );
}

function ListBody({ onNew }: { readonly onNew: () => void }): VNode {
  const store = useStore();
  const { state, list } = store.inbox;
  if (list.value.length > 0) return <ConversationList />;
  if (state.value === 'loading') return <ListSkeleton />;
  if (state.value === 'error') {
    return (
      <div class="empty">
        <p>{t('list.error')}</p>
        <button type="button" class="button" onClick={() => void store.reload()}>
          {t('chat.retry')}
        </button>
      </div>
    );
  }
  return (
    <div class="empty">
      <p>{t('list.empty')}</p>
      <p class="muted">{t('list.empty.plain')}</p>
      <button type="button" class="button" onClick={onNew}>
        {t('list.new')}
      </button>
      <div class="phone-only">
        <FirstRun />
      </div>
    </div>
  );
}

function ListSkeleton(): VNode {
  return (
    <div class="skeletons" aria-hidden="true">
      {Array.from({ length: 8 }, (_, i) => (
        <div class="conversation" key={i}>
          <span class="avatar skeleton" />
          <span class="conversation-text">
            <span class="skeleton line" style={{ width: `${40 + ((i * 17) % 30)}%` }} />
            <span class="skeleton line" style={{ width: `${55 + ((i * 23) % 40)}%` }} />
          </span>
        </div>
      ))}
    </div>
  );
}

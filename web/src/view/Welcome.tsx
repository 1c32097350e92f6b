import type { VNode } from 'preact';
import { t } from '../i18n';
import { Avatar } from './Avatar';
import { useStore } from './context';
import { FirstRun } from './FirstRun';

/** What stands in place of a conversation while none is chosen; on the first run it shows the way. */
export function Welcome(): VNode {
  const store = useStore();
  const { account, inbox } = store;
  const self = account.current.value?.userID ?? '';
  const first = inbox.state.value === 'ready' && inbox.list.value.length === 0;
  return (
    <div class="welcome">
      <Avatar id={self} name={store.nameOf(self)} size={64} />
      <h2>{t('welcome.title', { name: store.nameOf(self) })}</h2>
      {first ? <FirstRun /> : <p class="muted">{t('welcome.choose')}</p>}
    </div>
  );
}

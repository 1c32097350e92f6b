import type { VNode } from 'preact';
import { t } from '../i18n';
import { useStore } from './context';
import { Avatar } from './Avatar';
import { Dialog } from './Dialog';
import { Preferences } from './Preferences';
import { SecondWindow } from './SecondWindow';

/** Language, appearance, a second window, and the way out. */
export function Settings(): VNode {
  const store = useStore();
  const self = store.account.current.value?.userID ?? '';
  return (
    <Dialog title={t('settings.title')} closeLabel={t('settings.close')}>
      <div class="person">
        <Avatar id={self} name={store.nameOf(self)} size={48} />
        <div class="person-text">
          <strong>
            <bdi>{store.nameOf(self)}</bdi>
          </strong>
          <span class="muted">{self}</span>
        </div>
      </div>
      <Preferences />
      <div class="dialog-actions">
        <SecondWindow />
        <button type="button" class="button" onClick={() => store.signOut()}>
          {t('settings.signout')}
        </button>
      </div>
    </Dialog>
  );
}

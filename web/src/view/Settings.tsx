import type { VNode } from 'preact';
import { t } from '../i18n';
import { useStore } from './context';
import { Avatar } from './Avatar';
import { Dialog } from './Dialog';
import { Preferences } from './Preferences';
import { SecondWindow } from './SecondWindow';

/** Language, appearance, a second window, and the way out. */
export function Settings({ onClose }: { readonly onClose: () => void }): VNode {
  const store = useStore();
  const self = store.session.account.value?.userID ?? '';
  return (
    <Dialog title={t('settings.title')} closeLabel={t('settings.close')} onClose={onClose}>
      <div class="person">
        <Avatar id={self} name={store.nameOf(self)} size={48} />
        <div class="person-text">
          <strong>{store.nameOf(self)}</strong>
          <span class="muted">{self}</span>
        </div>
      </div>
      <Preferences />
      <div class="dialog-actions">
        <SecondWindow />
        <button type="button" class="button" onClick={() => void store.signOut()}>
          {t('settings.signout')}
        </button>
      </div>
    </Dialog>
  );
}

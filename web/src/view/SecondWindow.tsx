import type { VNode } from 'preact';
import { t } from '../i18n';
import { toHash } from '../route';
import { useStore } from './context';
import { Icon } from './Icon';

/** The address that opens the page as another user, in a conversation with `peer` when given. */
export function windowAddress(user: string, peer?: string): string {
  return `?user=${encodeURIComponent(user)}${toHash({ conversation: peer, details: false })}`;
}

/** A link that opens the other side of the conversation; nothing outside of `parley dev`. */
export function SecondWindow({ primary = false }: { readonly primary?: boolean }): VNode | null {
  const store = useStore();
  const self = store.account.current.value?.userID;
  const others = store.account.demoUsers.value?.filter((user) => user.userID !== self) ?? [];
  const other = others.find((user) => user.userID === store.openTimeline.value?.id) ?? others[0];
  if (!other) return null;
  return (
    <a class={primary ? 'button primary' : 'button'} href={windowAddress(other.userID, self)} target="_blank" rel="noopener">
      <Icon name="window" />
      {t('welcome.second', { name: other.userName })}
    </a>
  );
}

import type { VNode } from 'preact';
import { t } from '../i18n';
import { navigate } from '../route';
import { Avatar } from './Avatar';
import { useStore } from './context';
import { SecondWindow } from './SecondWindow';

/** How to try the chat out: the other side in a second window, and whom one may write to. Nothing outside of `parley dev`. */
export function FirstRun(): VNode | null {
  const { account } = useStore();
  const self = account.current.value?.userID;
  const others = account.demoUsers.value?.filter((user) => user.userID !== self).slice(0, 4) ?? [];
  if (others.length === 0) return null;
  return (
    <div class="first-run">
      <p class="muted">{t('welcome.first')}</p>
      <SecondWindow primary />
      <ul class="first-run-people">
        {others.map(({ userID, userName }) => (
          <li key={userID}>
            <button type="button" class="person-button" onClick={() => navigate({ conversation: userID, details: false })}>
              <Avatar id={userID} name={userName} size={32} />
              {t('welcome.write', { name: userName })}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

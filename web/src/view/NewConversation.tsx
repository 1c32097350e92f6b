import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { navigate } from '../route';
import { isUserID } from '../text/userid';
import { Avatar } from './Avatar';
import { useStore } from './context';
import { Dialog } from './Dialog';
import { Field } from './Field';

/** Asks for a user ID and opens the conversation with it; demo users are offered where there are some. */
export function NewConversation(): VNode {
  const { account } = useStore();
  const self = account.current.value?.userID;
  const [userID, setUserID] = useState('');
  const [error, setError] = useState<string | undefined>(undefined);
  const others = account.demoUsers.value?.filter((user) => user.userID !== self) ?? [];

  const start = (id: string): void => navigate({ conversation: id, details: false });
  const submit = (event: Event): void => {
    event.preventDefault();
    const id = userID.trim();
    if (id === self) setError(t('new.self'));
    else if (!isUserID(id)) setError(t('signin.invalidUserID'));
    else start(id);
  };

  return (
    <Dialog title={t('new.title')} closeLabel={t('new.cancel')}>
      <form class="form" onSubmit={submit} noValidate>
        <Field id="peer" label={t('new.userID')} value={userID} error={error} focused onInput={setUserID} />
        <button type="submit" class="button primary">
          {t('new.start')}
        </button>
      </form>
      {others.length > 0 && (
        <section aria-labelledby="suggestions-title">
          <h3 id="suggestions-title">{t('new.suggestions')}</h3>
          <ul class="suggestions">
            {others.map((user) => (
              <li key={user.userID}>
                <button type="button" class="person-button" onClick={() => start(user.userID)}>
                  <Avatar id={user.userID} name={user.userName} size={32} />
                  <bdi>{user.userName}</bdi>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </Dialog>
  );
}

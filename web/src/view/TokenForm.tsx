import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { wantedUser } from '../address';
import { isUserID } from '../text/userid';
import { useStore } from './context';
import { Field } from './Field';

/** The server's app IDs have 32 bits. */
const largestAppID = 2 ** 32 - 1;

/** Signs in with what an application's server hands out: app ID, user ID and token. */
export function TokenForm(): VNode {
  const { account } = useStore();
  const [appID, setAppID] = useState('');
  const [userID, setUserID] = useState(wantedUser() ?? '');
  const [token, setToken] = useState('');
  const [checked, setChecked] = useState(false);
  const appIDIsGood = /^[1-9]\d{0,9}$/.test(appID.trim()) && Number(appID) <= largestAppID;
  const userIDIsGood = isUserID(userID.trim());

  const submit = (event: Event): void => {
    event.preventDefault();
    setChecked(true);
    if (!appIDIsGood || !userIDIsGood || token.trim() === '') return;
    account.signIn({ appID: Number(appID), userID: userID.trim(), userName: '', token: token.trim(), demo: false });
  };

  return (
    <form class="form" onSubmit={submit} noValidate>
      <p class="muted">{t('signin.form.hint')}</p>
      <Field
        id="appid"
        label={t('signin.appID')}
        value={appID}
        inputMode="numeric"
        error={checked && !appIDIsGood ? t('signin.invalidAppID') : undefined}
        onInput={setAppID}
      />
      <Field
        id="userid"
        label={t('signin.userID')}
        value={userID}
        error={checked && !userIDIsGood ? t('signin.invalidUserID') : undefined}
        onInput={setUserID}
      />
      <Field
        id="token"
        label={t('signin.token')}
        value={token}
        error={checked && token.trim() === '' ? t('error.token') : undefined}
        onInput={setToken}
      />
      <button type="submit" class="button primary">
        {t('signin.submit')}
      </button>
    </form>
  );
}

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { Avatar } from './Avatar';
import { useStore } from './context';
import { Icon } from './Icon';
import { Preferences } from './Preferences';
import { reason } from './reason';
import { windowAddress } from './SecondWindow';
import { TokenForm } from './TokenForm';

/** The first page: pick a demo user where there are some, else give a token. */
export function SignIn(): VNode {
  const { account } = useStore();
  const [byToken, setByToken] = useState(false);
  const demo = (account.demoUsers.value?.length ?? 0) > 0;
  const failure = account.failure.value;
  return (
    <main class="signin">
      <div class="signin-card">
        <header class="signin-head">
          <img src="favicon.svg" alt="" width={48} height={48} />
          <h1>{t('signin.title')}</h1>
          <p class="muted">{t('app.tagline')}</p>
        </header>
        {failure !== undefined && (
          <p class="error" role="alert">
            {reason(failure)}
          </p>
        )}
        {account.starting.value ? <Looking /> : demo && !byToken ? <DemoUsers /> : <TokenForm />}
        {demo && !account.starting.value && (
          <button type="button" class="link-button" onClick={() => setByToken(!byToken)}>
            {byToken ? t('signin.back') : t('signin.demo.other')}
          </button>
        )}
        <Preferences />
      </div>
    </main>
  );
}

/** Until it is known whether there are demo users. */
function Looking(): VNode {
  return (
    <div class="demo-users" role="status" aria-label={t('signin.looking')}>
      {Array.from({ length: 6 }, (_, i) => (
        <span key={i} class="skeleton person-skeleton" />
      ))}
    </div>
  );
}

function DemoUsers(): VNode {
  const { account } = useStore();
  return (
    <section aria-labelledby="demo-title">
      <h2 id="demo-title">{t('signin.demo.title')}</h2>
      <p class="muted">{t('signin.demo.hint')}</p>
      <ul class="demo-users">
        {account.demoUsers.value?.map(({ userID, userName }) => (
          <li key={userID}>
            <button
              type="button"
              class="person-button"
              aria-label={t('signin.demo.as', { name: userName })}
              disabled={account.signingIn.value}
              onClick={() => void account.signInAsDemo(userID)}
            >
              <Avatar id={userID} name={userName} size={36} />
              <bdi>{userName}</bdi>
            </button>
            <a
              class="icon-button"
              href={windowAddress(userID)}
              target="_blank"
              rel="noopener"
              aria-label={t('signin.demo.window', { name: userName })}
              title={t('signin.demo.window', { name: userName })}
            >
              <Icon name="window" />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

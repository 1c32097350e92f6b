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
  const { session } = useStore();
  const [byToken, setByToken] = useState(false);
  const demo = (session.demoUsers.value?.length ?? 0) > 0;
  const failure = session.failure.value;
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
        {demo && !byToken ? <DemoUsers /> : <TokenForm />}
        {demo && (
          <button type="button" class="link-button" onClick={() => setByToken(!byToken)}>
            {byToken ? t('signin.back') : t('signin.demo.other')}
          </button>
        )}
        <Preferences />
      </div>
    </main>
  );
}

function DemoUsers(): VNode {
  const { session } = useStore();
  return (
    <section aria-labelledby="demo-title">
      <h2 id="demo-title">{t('signin.demo.title')}</h2>
      <p class="muted">{t('signin.demo.hint')}</p>
      <ul class="demo-users">
        {session.demoUsers.value?.map(({ userID, userName }) => (
          <li key={userID}>
            <button
              type="button"
              class="person-button"
              aria-label={t('signin.demo.as', { name: userName })}
              disabled={session.signingIn.value}
              onClick={() => void session.signInAsDemo(userID)}
            >
              <Avatar id={userID} name={userName} size={36} />
              {userName}
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

import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import type { Trouble } from '../store/banner-state';
import { useStore } from './context';

/** What is wrong with the connection, in plain words, with the one thing to do about it. Nothing while all is well. */
export function Banner(): VNode | null {
  const store = useStore();
  const trouble = store.banner.trouble.value;
  if (!trouble) return null;
  const action = actionOf(trouble);
  return (
    <div class="banner" data-trouble={trouble}>
      {trouble === 'reconnecting' ? <Reconnecting /> : <p>{t(`banner.${trouble}`)}</p>}
      {action !== undefined && (
        <button type="button" class="button small" onClick={() => (trouble === 'reconnecting' ? store.connectNow() : void store.resume())}>
          {action}
        </button>
      )}
    </div>
  );
}

function actionOf(trouble: Trouble): string | undefined {
  switch (trouble) {
    case 'kicked':
    case 'expired':
    case 'disconnected':
      return t(`banner.${trouble}.action`);
    case 'reconnecting':
      return t('banner.retry.action');
    case 'offline':
      return undefined;
  }
}

/** Counts the seconds to the next attempt; during an attempt, those since the connection was lost. */
function Reconnecting(): VNode {
  const { banner } = useStore();
  const lostAt = banner.lostAt.value ?? Date.now();
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const wait = (banner.retryAt.value ?? 0) - now;
  const phrase = wait > 0 ? t('banner.retryIn', { n: Math.ceil(wait / 1000) }) : t('banner.reconnecting', { n: Math.max(0, Math.round((now - lostAt) / 1000)) });
  return <p>{phrase}</p>;
}

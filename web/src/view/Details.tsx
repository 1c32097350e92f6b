import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { formatNumber, t } from '../i18n';
import { fullTime } from '../i18n/dates';
import { goBack } from '../route';
import { Avatar } from './Avatar';
import { useStore } from './context';
import { Icon } from './Icon';
import { useFocusInside } from './useFocusInside';

/** Who the other person is. */
export function Details({ id }: { readonly id: string }): VNode {
  const store = useStore();
  const name = store.nameOf(id);
  const last = store.openTimeline.value?.messages.value.findLast(({ seq }) => seq > 0);
  const pane = useRef<HTMLElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  useFocusInside(pane, title);
  const close = (): void => goBack({ conversation: id, details: false });
  return (
    <section class="pane details-pane" ref={pane} aria-label={t('details.title')} onKeyDown={(event) => event.key === 'Escape' && close()}>
      <header class="pane-head">
        <h1 class="pane-title" tabIndex={-1} ref={title}>
          {t('details.title')}
        </h1>
        <button type="button" class="icon-button" aria-label={t('details.close')} title={t('details.close')} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="details-body">
        <Avatar id={id} name={name} size={80} />
        <strong class="details-name">
          <bdi>{name}</bdi>
        </strong>
        <dl class="facts">
          <dt>{t('details.userID')}</dt>
          <dd>
            <code>{id}</code> <CopyButton text={id} />
          </dd>
          {last && (
            <>
              <dt>{t('details.count')}</dt>
              <dd>{formatNumber(last.seq)}</dd>
              <dt>{t('details.last')}</dt>
              <dd>{fullTime(last.time)}</dd>
            </>
          )}
        </dl>
      </div>
    </section>
  );
}

function CopyButton({ text }: { readonly text: string }): VNode {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <button type="button" class="link-button" onClick={() => void copy().catch(() => setCopied(false))}>
      {copied ? t('details.copied') : t('details.copy')}
    </button>
  );
}

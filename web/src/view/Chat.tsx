import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { goBack, home, navigate, route } from '../route';
import { Avatar } from './Avatar';
import { Composer } from './Composer';
import { useStore } from './context';
import { Icon } from './Icon';
import { MessageList } from './MessageList';

/** The open conversation: its head, its messages, and where one writes. */
export function Chat({ id }: { readonly id: string }): VNode {
  const store = useStore();
  const opened = store.openTimeline.value;
  const timeline = opened?.id === id ? opened : undefined;
  const name = store.nameOf(id);
  return (
    <>
      <ChatHead id={id} name={name} />
      {timeline && (timeline.state.value === 'ready' || timeline.messages.value.length > 0) ? (
        <MessageList timeline={timeline} name={name} />
      ) : timeline?.state.value === 'error' ? (
        <div class="empty fill">
          <p>{t('chat.error')}</p>
          <button type="button" class="button" onClick={() => void store.reload()}>
            {t('chat.retry')}
          </button>
        </div>
      ) : (
        <MessageSkeleton />
      )}
      <Composer id={id} name={name} />
    </>
  );
}

function ChatHead({ id, name }: { readonly id: string; readonly name: string }): VNode {
  const { details } = route.value;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // On a touch screen the composer would bring up the keyboard, so the focus goes to the head.
    if (matchMedia('(pointer: coarse)').matches) title.current?.focus();
  }, [id]);
  const toggleDetails = (): void => (details ? goBack({ conversation: id, details: false }) : navigate({ conversation: id, details: true }));
  return (
    <header class="pane-head">
      <button type="button" class="icon-button back" aria-label={t('chat.back')} title={t('chat.back')} onClick={() => goBack(home)}>
        <Icon name="back" />
      </button>
      <Avatar id={id} name={name} size={36} />
      <h1 class="pane-title" tabIndex={-1} ref={title}>
        <bdi>{name}</bdi>
      </h1>
      <button
        type="button"
        class="icon-button"
        aria-label={t('chat.details')}
        title={t('chat.details')}
        aria-expanded={details}
        onClick={toggleDetails}
      >
        <Icon name="info" />
      </button>
    </header>
  );
}

function MessageSkeleton(): VNode {
  const widths = [46, 62, 30, 54, 38, 58];
  return (
    <div class="log log-skeleton" role="status" aria-label={t('chat.loading')}>
      {widths.map((width, i) => (
        <span key={i} class={`skeleton bubble-skeleton${i % 3 === 1 ? ' own' : ''}`} style={{ width: `${width}%` }} />
      ))}
    </div>
  );
}

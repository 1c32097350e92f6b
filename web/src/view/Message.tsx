import type { VNode } from 'preact';
import { t } from '../i18n';
import { clock, fullTime } from '../i18n/dates';
import type { MessageView } from '../store/message-view';
import { isEmojiOnly } from '../text/graphemes';
import { splitLinks } from '../text/links';
import { Avatar } from './Avatar';
import { useStore } from './context';
import { Icon } from './Icon';
import { reason } from './reason';

interface Props {
  readonly message: MessageView;
  /** First and last of its group. */
  readonly first: boolean;
  readonly last: boolean;
  /** The other person's name. */
  readonly name: string;
}

/** One message with, at the end of its group, the time and how far it has come. */
export function Message({ message, first, last, name }: Props): VNode {
  if (message.kind === 'recalled') return <p class="quiet">{t('chat.recalled')}</p>;
  if (message.kind === 'unsupported') return <p class="quiet">{t('chat.unsupported')}</p>;
  const classes = ['message', message.own ? 'own' : 'other', first ? 'first' : '', last ? 'last' : ''];
  return (
    <div class={classes.filter(Boolean).join(' ')} data-state={message.state} data-seq={message.seq}>
      {!message.own && <span class="message-avatar">{last && <Avatar id={message.sender} name={name} size={28} />}</span>}
      <div class="message-body">
        <div class={message.kind === 'text' && isEmojiOnly(message.text) ? 'bubble emoji' : 'bubble'}>
          <span class="visually-hidden">{message.own ? t('chat.you') : t('chat.says', { name })} </span>
          <span class="said" dir="auto">
            {message.kind === 'text' ? <Text text={message.text} /> : t('chat.custom', { text: message.text })}
          </span>
        </div>
        {(last || message.state !== 'sent') && <Meta message={message} />}
      </div>
    </div>
  );
}

/** The text as text nodes, with links; never as markup. */
function Text({ text }: { readonly text: string }): VNode {
  return (
    <>
      {splitLinks(text).map((piece, i) =>
        piece.href === undefined ? (
          piece.text
        ) : (
          <a key={i} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ),
      )}
    </>
  );
}

function Meta({ message }: { readonly message: MessageView }): VNode {
  return (
    <div class="meta">
      <time dateTime={new Date(message.time).toISOString()} title={fullTime(message.time)}>
        {clock(message.time)}
      </time>
      {message.own && <State message={message} />}
    </div>
  );
}

function State({ message }: { readonly message: MessageView }): VNode {
  const store = useStore();
  switch (message.state) {
    case 'sent':
      return (
        <span class="state">
          <Icon name="sent" size={14} /> {t('message.sent')}
        </span>
      );
    case 'sending':
    case 'queued':
      return (
        <span class="state">
          <Icon name="sending" size={14} /> {t(`message.${message.state}`)}
        </span>
      );
    case 'failed':
      return (
        <span class="state failed">
          <Icon name="failed" size={14} />
          <span>{t('message.failed.because', { reason: reason(message.failure ?? 0) })}</span>
          <Action label={t('message.retry')} act={() => store.retry(message.key)} />
          <Action label={t('message.edit')} act={() => store.edit(message.key)} focus=".composer textarea" />
          <Action label={t('message.delete')} act={() => store.discard(message.key)} />
        </span>
      );
  }
}

interface ActionProps {
  readonly label: string;
  readonly act: () => void;
  /** What has the focus afterwards: the button is gone with the failure. */
  readonly focus?: string;
}

function Action({ label, act, focus = '.log' }: ActionProps): VNode {
  const onClick = (): void => {
    act();
    document.querySelector<HTMLElement>(focus)?.focus({ preventScroll: true });
  };
  return (
    <button type="button" class="link-button" onClick={onClick}>
      {label}
    </button>
  );
}

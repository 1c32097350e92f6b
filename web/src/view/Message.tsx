import type { VNode } from 'preact';
import { t } from '../i18n';
import { clock, fullTime } from '../i18n/dates';
import type { Entry } from '../store/entry';
import { isEmojiOnly } from '../text/graphemes';
import { splitLinks } from '../text/links';
import { Avatar } from './Avatar';
import { useStore } from './context';
import { Icon } from './Icon';
import { reason } from './reason';

interface Props {
  readonly entry: Entry;
  /** First and last of its group. */
  readonly first: boolean;
  readonly last: boolean;
  /** The other person's name. */
  readonly name: string;
}

/** One message with, at the end of its group, the time and how far it has come. */
export function Message({ entry, first, last, name }: Props): VNode {
  if (entry.kind === 'recalled') return <p class="quiet">{t('chat.recalled')}</p>;
  if (entry.kind === 'unsupported') return <p class="quiet">{t('chat.unsupported')}</p>;
  const classes = ['message', entry.own ? 'own' : 'other', first ? 'first' : '', last ? 'last' : ''];
  return (
    <div class={classes.filter(Boolean).join(' ')} data-state={entry.state} data-seq={entry.seq}>
      {!entry.own && <span class="message-avatar">{last && <Avatar id={entry.sender} name={name} size={28} />}</span>}
      <div class="message-body">
        <div class={entry.kind === 'text' && isEmojiOnly(entry.text) ? 'bubble emoji' : 'bubble'}>
          <span class="hidden">{entry.own ? t('chat.you') : t('chat.says', { name })} </span>
          {entry.kind === 'text' ? <Text text={entry.text} /> : t('chat.custom', { text: entry.text })}
        </div>
        {(last || entry.state !== 'sent') && <Meta entry={entry} />}
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

function Meta({ entry }: { readonly entry: Entry }): VNode {
  return (
    <div class="meta">
      <time dateTime={new Date(entry.time).toISOString()} title={fullTime(entry.time)}>
        {clock(entry.time)}
      </time>
      {entry.own && <State entry={entry} />}
    </div>
  );
}

function State({ entry }: { readonly entry: Entry }): VNode {
  const store = useStore();
  switch (entry.state) {
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
          <Icon name="sending" size={14} /> {t(`message.${entry.state}`)}
        </span>
      );
    case 'failed':
      return (
        <span class="state failed">
          <Icon name="failed" size={14} />
          <span>{t('message.failed.because', { reason: reason(entry.failure ?? 0) })}</span>
          <button type="button" class="link-button" onClick={() => store.retry(entry.key)}>
            {t('message.retry')}
          </button>
          <button type="button" class="link-button" onClick={() => store.discard(entry.key)}>
            {t('message.delete')}
          </button>
        </span>
      );
  }
}

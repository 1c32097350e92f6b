import type { VNode } from 'preact';
import { t } from '../i18n';
import { fullTime, listTime } from '../i18n/dates';
import { navigate, toHash } from '../route';
import type { Conversation } from '../store/inbox-list';
import type { MessageView } from '../store/message-view';
import { withoutControls } from '../text/bidi';
import { Avatar } from './Avatar';
import { useStore } from './context';

interface Props {
  readonly conversation: Conversation;
  readonly index: number;
  readonly current: boolean;
  readonly inTabOrder: boolean;
}

/** One line of the conversation list, a link to the conversation. */
export function ConversationItem({ conversation, index, current, inTabOrder }: Props): VNode {
  const store = useStore();
  const { id, last, unread } = conversation;
  const to = { conversation: id, details: false };
  const name = store.nameOf(id);
  const onClick = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a
      class="conversation"
      href={toHash(to)}
      aria-current={current ? 'page' : undefined}
      data-index={index}
      data-id={id}
      tabIndex={inTabOrder ? 0 : -1}
      onClick={onClick}
    >
      <Avatar id={id} name={name} />
      <span class="conversation-text">
        <span class="conversation-line">
          <span class="conversation-name">
            <bdi>{name}</bdi>
          </span>
          {last && (
            <time class="conversation-time" dateTime={new Date(last.time).toISOString()} title={fullTime(last.time)}>
              {listTime(last.time, Date.now())}
            </time>
          )}
        </span>
        <span class="conversation-line">
          <Preview draft={current ? '' : store.drafts.get(id)} last={last} />
          {unread > 0 && (
            <span class="badge">
              <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
              <span class="visually-hidden">{t('list.unread', { n: unread })}</span>
            </span>
          )}
        </span>
      </span>
    </a>
  );
}

function Preview({ draft, last }: { readonly draft: string; readonly last: MessageView | undefined }): VNode {
  if (draft !== '') return <span class="conversation-preview draft">{t('list.draft', { text: draft })}</span>;
  const text = last ? previewOf(last) : '';
  return (
    <span class="conversation-preview">
      <bdi>{last?.own ? t('list.you', { text }) : text}</bdi>
    </span>
  );
}

function previewOf(message: MessageView): string {
  switch (message.kind) {
    case 'text':
      return withoutControls(message.text);
    case 'custom':
      return t('chat.custom', { text: message.text });
    case 'recalled':
      return t('chat.recalled');
    case 'unsupported':
      return t('chat.unsupported');
  }
}

import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { Virtualizer } from 'virtua';
import type { VirtualizerHandle } from 'virtua';
import { t } from '../i18n';
import { route } from '../route';
import { useStore } from './context';
import { ConversationItem } from './ConversationItem';

/** How far from the end the next page is asked for. */
const loadAheadPixels = 800;

/** The conversations, latest first. Arrow keys move between them; only one is in the tab order. */
export function ConversationList(): VNode {
  const store = useStore();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useRef<VirtualizerHandle>(null);
  const list = store.inbox.list.value;
  const open = route.value.conversation;
  const tabStop = Math.max(0, list.findIndex(({ id }) => id === open));

  const onScroll = (offset: number): void => {
    const handle = virtual.current;
    if (handle && handle.scrollSize - offset - handle.viewportSize < loadAheadPixels) void store.loadMoreConversations();
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -list.length, End: list.length }[event.key];
    const from = Number((event.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset['index']);
    if (step === undefined || Number.isNaN(from)) return;
    event.preventDefault();
    const to = Math.min(list.length - 1, Math.max(0, from + step));
    virtual.current?.scrollToIndex(to, { align: 'nearest' });
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus());
  };

  return (
    <div class="list-scroller" ref={scroller} onKeyDown={onKeyDown}>
      <Virtualizer ref={virtual} data={list} as="ul" item="li" itemSize={64} keepMounted={[tabStop]} onScroll={onScroll}>
        {(conversation, index) => (
          <ConversationItem
            key={conversation.id}
            conversation={conversation}
            index={index}
            current={conversation.id === open}
            inTabOrder={index === tabStop}
          />
        )}
      </Virtualizer>
      {store.inbox.moreFailed.value && (
        <p class="list-end">
          {t('list.error')}{' '}
          <button type="button" class="link-button" onClick={() => void store.loadMoreConversations()}>
            {t('chat.retry')}
          </button>
        </p>
      )}
    </div>
  );
}

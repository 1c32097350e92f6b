import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { Virtualizer } from 'virtua';
import { t } from '../i18n';
import { dayCaption } from '../i18n/dates';
import type { Timeline } from '../store/timeline';
import type { Row } from '../timeline/rows';
import { toRows } from '../timeline/rows';
import { useStore } from './context';
import { ErrorBoundary } from './ErrorBoundary';
import { JumpToLatest } from './JumpToLatest';
import { Message } from './Message';
import { useLogScroll } from './useLogScroll';

interface Props {
  readonly timeline: Timeline;
  readonly name: string;
}

/**
 * The messages of a conversation, of which only those near the viewport are in
 * the document. It stays at the end while one reads there, and keeps its place
 * when older messages come in above.
 */
export function MessageList({ timeline, name }: Props): VNode {
  const store = useStore();
  const rows = useComputed(() => toRows(timeline.messages.value, timeline.complete.value, timeline.dividerSeq.value)).value;
  const scroller = useRef<HTMLDivElement>(null);
  const loadOlder = (): void => void store.loadOlder(timeline);
  const scroll = useLogScroll(rows, loadOlder);

  return (
    <div class="log-frame">
      <div class="log" role="log" aria-live="off" aria-label={t('chat.log', { name })} tabIndex={0} ref={scroller}>
        <div class="log-filler" />
        <Virtualizer
          ref={scroll.handle}
          data={rows}
          shift={scroll.shift}
          scrollRef={scroller}
          bufferSize={400}
          onScroll={scroll.onScroll}
          onResize={scroll.onResize}
        >
          {(row) => (
            <ErrorBoundary key={row.key} fallback={<p class="quiet">{t('chat.unsupported')}</p>}>
              {row.kind === 'older' ? <Older failed={timeline.olderFailed.value} onRetry={loadOlder} /> : <RowView row={row} name={name} />}
            </ErrorBoundary>
          )}
        </Virtualizer>
      </div>
      {scroll.away.value && <JumpToLatest unseen={scroll.unseen.value} onJump={scroll.toLatest} />}
    </div>
  );
}

/** Stands above the oldest message here while there are older ones. */
function Older({ failed, onRetry }: { readonly failed: boolean; readonly onRetry: () => void }): VNode {
  if (!failed) return <p class="log-head">{t('chat.older')}</p>;
  return (
    <p class="log-head">
      {t('chat.olderFailed')}{' '}
      <button type="button" class="link-button" onClick={onRetry}>
        {t('chat.retry')}
      </button>
    </p>
  );
}

function RowView({ row, name }: { readonly row: Exclude<Row, { kind: 'older' }>; readonly name: string }): VNode {
  switch (row.kind) {
    case 'start':
      return <p class="log-head">{t('chat.start', { name })}</p>;
    case 'day':
      return <p class="day">{dayCaption(row.time, Date.now())}</p>;
    case 'unread':
      return <p class="unread-divider">{t('chat.unread')}</p>;
    case 'message':
      return <Message message={row.message} first={row.first} last={row.last} name={name} />;
  }
}

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
  const rows = useComputed(() => toRows(timeline.entries.value, timeline.complete.value, timeline.dividerSeq.value)).value;
  const scroller = useRef<HTMLDivElement>(null);
  const scroll = useLogScroll(rows, () => void store.loadOlder(timeline.id));

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
          {(row) => <RowView key={row.key} row={row} name={name} />}
        </Virtualizer>
      </div>
      {scroll.away.value && <JumpToLatest unseen={scroll.unseen.value} onJump={scroll.toLatest} />}
    </div>
  );
}

function RowView({ row, name }: { readonly row: Row; readonly name: string }): VNode {
  switch (row.kind) {
    case 'start':
      return <p class="log-head">{t('chat.start', { name })}</p>;
    case 'older':
      return <p class="log-head">{t('chat.older')}</p>;
    case 'day':
      return <p class="day">{dayCaption(row.time, Date.now())}</p>;
    case 'unread':
      return <p class="unread-divider">{t('chat.unread')}</p>;
    case 'message':
      return <Message entry={row.entry} first={row.first} last={row.last} name={name} />;
  }
}

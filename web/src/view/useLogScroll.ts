import { useComputed, useSignal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useCallback, useLayoutEffect, useRef } from 'preact/hooks';
import type { VirtualizerHandle } from 'virtua';
import type { Row } from '../timeline/rows';
import { cameAbove } from '../timeline/rows';

/** Nearer to the end than this counts as reading the latest message. */
const endPixels = 32;
/** Nearer to the beginning than this, the page before is asked for. */
const loadAheadPixels = 800;

interface LogScroll {
  readonly handle: RefObject<VirtualizerHandle | null>;
  /** True for the one rendering in which rows came in above. */
  readonly shift: boolean;
  /** True while the latest message is out of sight. */
  readonly away: ReadonlySignal<boolean>;
  /** Messages of others that came in meanwhile. */
  readonly unseen: ReadonlySignal<number>;
  onScroll(): void;
  onResize(): void;
  toLatest(): void;
}

/**
 * Where the message list is scrolled to: at its end, following what arrives,
 * or away from it, where it stays. Own messages always lead to the end, the
 * first rendering to the unread divider or the end.
 */
export function useLogScroll(rows: readonly Row[], loadOlder: () => void): LogScroll {
  const handle = useRef<VirtualizerHandle>(null);
  const before = useRef<readonly Row[]>([]);
  const away = useSignal(false);
  const seenSeq = useSignal(0);
  const shownRows = useSignal(rows);
  shownRows.value = rows;

  const shift = cameAbove(before.current, rows);
  const end = rows.length - 1;

  const toEnd = useCallback(() => {
    handle.current?.scrollToIndex(shownRows.peek().length - 1, { align: 'end' });
  }, []);

  useLayoutEffect(() => {
    const previous = before.current;
    before.current = rows;
    const last = rows[end];
    const isNew = last?.key !== previous.at(-1)?.key;
    if (previous.length === 0) scrollFirst(handle.current, rows);
    else if (isNew && last?.kind === 'message' && last.message.own) toEnd();
    else if (isNew && !away.peek()) toEnd();
    if (!away.peek()) seenSeq.value = lastSeq(rows);
  }, [rows]);

  // At the end of a long list nothing older is wanted yet, however near the beginning of what is loaded may be.
  const wantOlder = useCallback(() => {
    const list = handle.current;
    if (!list || list.scrollOffset >= loadAheadPixels) return;
    if (away.peek() || list.scrollSize < 2 * list.viewportSize) loadOlder();
  }, []);

  const onScroll = useCallback(() => {
    const list = handle.current;
    if (!list) return;
    away.value = distanceToEnd(list) > endPixels;
    if (!away.peek()) seenSeq.value = lastSeq(shownRows.peek());
    wantOlder();
  }, []);

  const onResize = useCallback(() => {
    // Only when it is needed: a scroll that is under way for a moment would take the list out of the reader's hand.
    if (!away.peek() && distanceToEnd(handle.current) > 1) toEnd();
    wantOlder();
  }, []);

  const unseen = useComputed(() => countUnseen(shownRows.value, seenSeq.value));
  return { handle, shift, away, unseen, onScroll, onResize, toLatest: toEnd };
}

function distanceToEnd(list: VirtualizerHandle | null): number {
  return list ? list.scrollSize - list.scrollOffset - list.viewportSize : 0;
}

/** The first look at a conversation: the unread messages from their divider on, or the end. */
function scrollFirst(list: VirtualizerHandle | null, rows: readonly Row[]): void {
  const divider = rows.findIndex((row) => row.kind === 'unread');
  if (divider >= 0) list?.scrollToIndex(divider, { align: 'start', offset: -48 });
  else list?.scrollToIndex(rows.length - 1, { align: 'end' });
}

function lastSeq(rows: readonly Row[]): number {
  const row = rows.findLast((one) => one.kind === 'message' && one.message.seq > 0);
  return row?.kind === 'message' ? row.message.seq : 0;
}

function countUnseen(rows: readonly Row[], seen: number): number {
  let count = 0;
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i];
    if (row?.kind !== 'message') continue;
    if (row.message.seq > 0 && row.message.seq <= seen) break;
    if (!row.message.own) count++;
  }
  return count;
}

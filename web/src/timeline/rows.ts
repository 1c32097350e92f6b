import { dayNumber } from '../i18n/dates';
import type { Entry } from '../store/entry';

/** A row of the message list. */
export type Row =
  | { readonly kind: 'start'; readonly key: string }
  | { readonly kind: 'older'; readonly key: string }
  | { readonly kind: 'day'; readonly key: string; readonly time: number }
  | { readonly kind: 'unread'; readonly key: string }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly entry: Entry;
      /** First and last of a group: the same sender within one minute. */
      readonly first: boolean;
      readonly last: boolean;
    };

/**
 * Lays messages out as rows: a head that says whether more is to come, a
 * separator before each day, the unread divider behind `dividerSeq`, and the
 * messages, grouped by sender and minute. The divider ends a group, and stands
 * only where a message of somebody else follows.
 */
export function toRows(entries: readonly Entry[], complete: boolean, dividerSeq: number | undefined): Row[] {
  const rows: Row[] = [complete ? { kind: 'start', key: 'head' } : { kind: 'older', key: 'head' }];
  const divider = dividerBefore(entries, complete, dividerSeq);
  entries.forEach((entry, i) => {
    const before = entries[i - 1];
    const after = entries[i + 1];
    if (!before || dayNumber(before.time) !== dayNumber(entry.time)) {
      rows.push({ kind: 'day', key: `day:${dayNumber(entry.time)}:${entry.key}`, time: entry.time });
    }
    if (i === divider) rows.push({ kind: 'unread', key: 'unread' });
    const first = i === divider || !before || !sameGroup(before, entry);
    const last = i + 1 === divider || !after || !sameGroup(entry, after);
    rows.push({ kind: 'message', key: entry.key, entry, first, last });
  });
  return rows;
}

/**
 * The index of the first message of somebody else behind the mark; -1: no
 * divider, also while the messages around the mark have not been read.
 */
function dividerBefore(entries: readonly Entry[], complete: boolean, dividerSeq: number | undefined): number {
  if (dividerSeq === undefined) return -1;
  if (!complete && (entries[0]?.seq ?? 0) > dividerSeq + 1) return -1;
  return entries.findIndex((entry) => !entry.own && entry.seq > dividerSeq);
}

function sameGroup(a: Entry, b: Entry): boolean {
  return (
    a.sender === b.sender &&
    isSaid(a) &&
    isSaid(b) &&
    a.state !== 'failed' &&
    Math.floor(a.time / 60_000) === Math.floor(b.time / 60_000)
  );
}

function isSaid(entry: Entry): boolean {
  return entry.kind === 'text' || entry.kind === 'custom';
}

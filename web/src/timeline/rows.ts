import { dayAround } from '../i18n/dates';
import type { MessageView } from '../store/message-view';

/** A row of the message list. */
export type Row =
  | { readonly kind: 'start'; readonly key: string }
  | { readonly kind: 'older'; readonly key: string }
  | { readonly kind: 'day'; readonly key: string; readonly time: number }
  | { readonly kind: 'unread'; readonly key: string }
  | {
      readonly kind: 'message';
      readonly key: string;
      readonly message: MessageView;
      /** First and last of a group: the same sender within one minute. */
      readonly first: boolean;
      readonly last: boolean;
    };

/**
 * Lays messages out as rows: a head that says whether more is to come, a
 * separator before each day, the unread divider after `dividerSeq`, and the
 * messages, grouped by sender and minute. The divider ends a group, and stands
 * only where a message of somebody else follows.
 */
export function toRows(messages: readonly MessageView[], complete: boolean, dividerSeq: number | undefined): Row[] {
  const rows: Row[] = [complete ? { kind: 'start', key: 'head' } : { kind: 'older', key: 'head' }];
  const divider = dividerBefore(messages, complete, dividerSeq);
  let day = { start: 0, end: 0 };
  let joins = false;
  messages.forEach((message, i) => {
    const { key, time } = message;
    if (time < day.start || time >= day.end || i === 0) {
      day = dayAround(time);
      rows.push({ kind: 'day', key: `day:${day.start}:${key}`, time });
    }
    if (i === divider) rows.push({ kind: 'unread', key: 'unread' });
    const after = messages[i + 1];
    const joined = after !== undefined && i + 1 !== divider && sameGroup(message, after);
    rows.push({ kind: 'message', key, message, first: !joins, last: !joined });
    joins = joined;
  });
  return rows;
}

/** True when the list still ends as it did, and begins with an earlier message; a divider that appears between them is no such case. */
export function cameAbove(before: readonly Row[], now: readonly Row[]): boolean {
  return before.length > 0 && now.length > before.length && before.at(-1)?.key === now.at(-1)?.key && firstMessage(before) !== firstMessage(now);
}

function firstMessage(rows: readonly Row[]): string | undefined {
  return rows.find(({ kind }) => kind === 'message')?.key;
}

/**
 * The index of the first message of somebody else after the mark; -1: no
 * divider, also while the messages around the mark have not been read.
 */
function dividerBefore(messages: readonly MessageView[], complete: boolean, dividerSeq: number | undefined): number {
  if (dividerSeq === undefined) return -1;
  if (!complete && (messages[0]?.seq ?? 0) > dividerSeq + 1) return -1;
  return messages.findIndex(({ own, seq }) => !own && seq > dividerSeq);
}

function sameGroup(a: MessageView, b: MessageView): boolean {
  return (
    a.sender === b.sender &&
    isSaid(a) &&
    isSaid(b) &&
    a.state !== 'failed' &&
    Math.floor(a.time / 60_000) === Math.floor(b.time / 60_000)
  );
}

function isSaid({ kind }: MessageView): boolean {
  return kind === 'text' || kind === 'custom';
}

import { describe, expect, test } from 'vitest';
import type { MessageView } from '../src/store/message-view';
import { cameAbove, toRows } from '../src/timeline/rows';

const noon = new Date(2026, 5, 15, 12, 0).getTime();
const minute = 60_000;

function said(seq: number, sender: string, time: number, change: Partial<MessageView> = {}): MessageView {
  return { key: `k${seq}`, seq, time, sender, own: sender === 'me', kind: 'text', text: 'x', state: 'sent', ...change };
}

/** Rows as a line: H head, D day, U unread divider, and per message its seq with ( and ) at the ends of groups. */
function drawn(entries: readonly MessageView[], dividerSeq?: number): string {
  return toRows(entries, true, dividerSeq)
    .map((row) => {
      if (row.kind === 'message') return `${row.first ? '(' : ''}${row.message.seq}${row.last ? ')' : ''}`;
      return { start: 'H', older: 'O', day: 'D', unread: 'U' }[row.kind];
    })
    .join(' ');
}

describe('toRows', () => {
  test('groups by sender and minute', () => {
    const entries = [said(1, 'me', noon), said(2, 'me', noon + 59_000), said(3, 'me', noon + minute), said(4, 'bob', noon + minute)];
    expect(drawn(entries)).toBe('H D (1 2) (3) (4)');
  });

  test('separates days', () => {
    const midnight = new Date(2026, 5, 16).getTime();
    expect(drawn([said(1, 'bob', midnight - 1), said(2, 'bob', midnight)])).toBe('H D (1) D (2)');
  });

  test('puts the divider before the first message of somebody else after the mark, and ends the group there', () => {
    const entries = [said(1, 'bob', noon), said(2, 'bob', noon), said(3, 'bob', noon)];
    expect(drawn(entries, 1)).toBe('H D (1) U (2 3)');
    expect(drawn([said(1, 'bob', noon), said(2, 'me', noon)], 1)).toBe('H D (1) (2)');
    expect(drawn(entries, 3)).toBe('H D (1 2 3)');
  });

  test('the divider waits until the messages around its mark are read', () => {
    const entries = [said(8, 'bob', noon), said(9, 'bob', noon)];
    const kinds = (mark: number): string[] => toRows(entries, false, mark).map(({ kind }) => kind);
    expect(kinds(3)).not.toContain('unread');
    expect(kinds(7)).toContain('unread');
  });

  test('a failed message and quiet lines stand alone', () => {
    const entries = [said(1, 'me', noon, { state: 'failed' }), said(2, 'me', noon), said(3, 'me', noon, { kind: 'recalled' })];
    expect(drawn(entries)).toBe('H D (1) (2) (3)');
  });

  test('keys are unique, and those of messages survive an older page', () => {
    const page = [said(3, 'bob', noon), said(4, 'me', noon)];
    const more = [said(1, 'bob', noon), said(2, 'bob', noon), ...page];
    const keys = toRows(more, false, 2).map((row) => row.key);
    expect(new Set(keys).size).toBe(keys.length);
    for (const entry of page) expect(keys).toContain(entry.key);
  });

  test('only older messages come in above, not a divider that appears between those that are there', () => {
    const page = Array.from({ length: 12 }, (_, i) => said(i + 3, 'bob', noon));
    const rows = toRows(page, false, undefined);
    expect(cameAbove(rows, toRows([said(1, 'bob', noon), said(2, 'bob', noon), ...page], true, undefined))).toBe(true);
    expect(cameAbove(rows, toRows(page, false, 2))).toBe(false);
    expect(cameAbove(rows, toRows([...page, said(15, 'bob', noon)], false, undefined))).toBe(false);
    expect(cameAbove([], rows)).toBe(false);
  });
});

import type { ConversationRef, Message } from './domain.js';
import type { HistoryPage, HistoryRequest } from './frames.js';
import { PAGE_BYTES } from './frames.js';
import type { Gap, Stream } from './stream.js';

type AskHistory = (request: HistoryRequest) => Promise<HistoryPage>;

/**
 * Fetches what a stream misses, until it misses nothing; `flush` is called
 * after each page. Rejects when the server cannot be asked, or knows less than
 * it has announced: then try again later.
 */
export async function repair(
  ref: ConversationRef,
  stream: Stream,
  loginTime: number,
  history: AskHistory,
  flush: () => void,
): Promise<void> {
  if (stream.cursor === undefined && stream.gap()) {
    await findStart(ref, stream, loginTime, history);
    flush();
  }
  for (let gap = stream.gap(); gap; gap = stream.gap()) {
    const page = await history({
      conversation: ref,
      afterSeq: gap.after,
      beforeSeq: gap.before,
      count: PAGE,
      newestFirst: false,
      maxBytes: PAGE_BYTES,
    });
    absorb(stream, gap, page);
    flush();
  }
}

/**
 * Finds where this login's part of the conversation begins, by walking back
 * from the oldest held number to the first message that is not younger than
 * the login.
 */
async function findStart(ref: ConversationRef, stream: Stream, loginTime: number, history: AskHistory): Promise<void> {
  const found: Message[] = [];
  let before = stream.lowestHeld();
  let start: number | undefined;
  while (start === undefined) {
    const page = await history({
      conversation: ref,
      afterSeq: 0,
      beforeSeq: before,
      count: START_PAGE,
      newestFirst: true,
      maxBytes: PAGE_BYTES,
    });
    found.push(...page.messages.filter((m) => m.timestamp > loginTime));
    start = startOf(page, before, loginTime);
    before = page.firstSeq;
  }
  stream.cursor ??= start;
  for (const message of found) stream.fill(message.seq, message);
}

// The seq after which the login's part begins, when this page shows it.
function startOf(page: HistoryPage, before: number, loginTime: number): number | undefined {
  if (page.lastSeq === 0) return before > 0 ? before - 1 : page.headSeq;
  const old = page.messages.filter((m) => m.timestamp <= loginTime);
  if (old.length > 0) return Math.max(...old.map((m) => m.seq));
  return page.firstSeq === 1 ? 0 : undefined;
}

function absorb(stream: Stream, gap: Gap, page: HistoryPage): void {
  if (page.lastSeq === 0) return absorbNothing(stream, gap, page);
  if (page.lastSeq <= gap.after) throw new Error('the history page lies before the gap');
  // What lies before the page's first entry is gone by retention.
  stream.skipTo(page.firstSeq - 1);
  for (const message of page.messages) stream.fill(message.seq, message);
  for (let seq = page.firstSeq; seq <= page.lastSeq; seq++) stream.fill(seq, null);
}

// A page that covers nothing: either the server reaches beyond the gap and has
// nothing left of it, or this answer is older than what was announced.
function absorbNothing(stream: Stream, gap: Gap, page: HistoryPage): void {
  const end = gap.before > 0 ? gap.before - 1 : stream.announced();
  if (page.headSeq < end) throw new Error('the history page is older than the gap');
  stream.skipTo(end);
}

const PAGE = 100;
const START_PAGE = 20;

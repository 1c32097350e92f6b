import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { App, pass, peer } from './fake/app.js';
import { FakeServer } from './fake/server.js';

// The total and the counts of the list, in every step what the server would say.

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => vi.useRealTimers());

/** Others' messages that are unread, by the server's logs. */
function truth(): number {
  return server.logs.list('alice', () => '').reduce((sum, entry) => sum + Number(entry.unread), 0);
}

/** 110 conversations: old0 to old9, the oldest, with two unread each lie beyond the first page. */
async function manyConversations(): Promise<App> {
  for (let i = 0; i < 10; i++) for (let n = 0; n < 2; n++) server.post(`old${i}`, 'alice', `o${n}`);
  await pass(10);
  for (let i = 0; i < 100; i++) server.post(`u${i}`, 'alice', 'x');
  await pass(60_000);
  const app = new App(server);
  await app.login('alice');
  expect(app.totals).toEqual([120]);
  return app;
}

function unreadTold(app: App, id: string): number[] {
  return app.changes.filter(({ conversation }) => conversation.ref.id === id).map(({ conversation }) => conversation.unread);
}

describe('a conversation beyond the first page of the list', () => {
  it('is counted once when a message comes: no wrong count is told, and the list is told first', async () => {
    const app = await manyConversations();
    const order: string[] = [];
    app.client.on('conversations', ([change]) => void order.push(`list ${change?.conversation.ref.id}`));
    app.client.on('messages', (ref) => void order.push(`message ${ref.id}`));
    server.post('old3', 'alice', 'new');
    await pass(500);
    expect(app.totals).toEqual([120, 121]);
    expect(unreadTold(app, 'old3')).toEqual([3]);
    expect(order).toEqual(['list old3', 'message old3', 'list old3'].slice(0, order.length));
    expect(app.texts).toEqual(['new']);
  });

  it('gives its messages in order, those that come while its count is being asked for included', async () => {
    const app = await manyConversations();
    for (let n = 0; n < 5; n++) {
      server.post('old1', 'alice', `n${n}`);
      await pass(12);
    }
    await pass(500);
    expect(app.texts).toEqual(['n0', 'n1', 'n2', 'n3', 'n4']);
    expect(app.totals.at(-1)).toBe(truth());
    expect(unreadTold(app, 'old1').at(-1)).toBe(7);
  });

  it('lowers the total when it is read', async () => {
    const app = await manyConversations();
    const cleared = app.client.clearUnread(peer('old0'));
    await pass(200);
    await cleared;
    expect(app.totals).toEqual([120, 118]);
    expect(unreadTold(app, 'old0').at(-1)).toBe(0);
  });

  it('read elsewhere, lowers the total', async () => {
    const app = await manyConversations();
    server.tell('alice', { case: 'unreadChanged', value: { conversation: { kind: 1, id: 'old5' }, readSeq: BigInt(server.logs.clear('alice', 'old5')) } });
    await pass(200);
    expect(app.totals).toEqual([120, 118]);
  });

  it('that got an own message is told with its true count', async () => {
    const app = await manyConversations();
    const sent = app.send('old2', 'mine');
    await pass(200);
    await sent;
    expect(unreadTold(app, 'old2')).toEqual([2]);
    expect(app.totals).toEqual([120]);
    await pass(500);
    server.post('old2', 'alice', 'theirs');
    await pass(500);
    expect(unreadTold(app, 'old2').at(-1)).toBe(3);
    expect(app.totals.at(-1)).toBe(121);
  });

  it('gives its messages although the list cannot be read', async () => {
    const app = await manyConversations();
    server.onRequest = (kind) => (kind === 'listConversations' ? { code: 6000007, message: 'Broken.' } : undefined);
    server.post('old4', 'alice', 'new');
    await pass(500);
    expect(app.texts).toEqual(['new']);
    server.onRequest = undefined;
    const page = app.client.list({ count: 200 });
    await pass(100);
    await page;
    expect(app.totals.at(-1)).toBe(truth());
  });
});

describe('a list reply that was overtaken', () => {
  async function late(request: Parameters<App['client']['list']>[0], meanwhile: (app: App) => void): Promise<App> {
    const app = await manyConversations();
    server.replyDelay = (kind) => (kind === 'listConversations' ? 50 : 0);
    const list = app.client.list(request);
    await pass(5);
    server.replyDelay = () => 0;
    meanwhile(app);
    await pass(500);
    await list;
    return app;
  }

  it('by a mark does not bring the unread messages back', async () => {
    const app = await late({ count: 10 }, (a) => void a.client.clearUnread(peer('u99')));
    expect(app.client.conversation(peer('u99'))?.unread).toBe(0);
    expect(app.totals).toEqual([120, 119]);
  });

  it.each([
    ['the first page', { count: 10 }],
    ['a short page', { count: 1 }],
    ['a later page', { count: 10, before: { orderKey: Number.MAX_SAFE_INTEGER, ref: peer('z') } }],
    ['some entries', { count: 2, only: [peer('u50'), peer('old7')] }],
    ['all', { count: 500 }],
  ])('by messages, a mark and a new conversation counts each once: %s', async (_name, request) => {
    const app = await late(request, (a) => {
      for (const id of ['u50', 'u50', 'old7', 'u3', 'new']) server.post(id, 'alice', 'later');
      void a.client.clearUnread(peer('u10'));
      void a.client.clearUnread(peer('old8'));
    });
    expect(app.totals.at(-1)).toBe(truth());
    const page = app.client.list({ count: 500 });
    await pass(100);
    expect((await page).conversations.reduce((sum, entry) => sum + entry.unread, 0)).toBe(truth());
    expect(app.totals.at(-1)).toBe(truth());
  });
});

describe.each(['nothing is lost', 'pushes and connections are lost'])('when %s', (how) => {
  it.each([1, 2, 3, 142])('the total is the server\'s again as soon as it is quiet, whatever happened in whatever order (seed %d)', async (seed) => {
    let state = seed * 7919;
    const random = (n: number): number => ((state = (state * 1103515245 + 12345) % 2147483648), Math.floor((state / 2147483648) * n));
    const lossy = how !== 'nothing is lost';
    const app = await manyConversations();
    server.replyDelay = () => random(40);
    server.pushFate = () => (lossy && random(20) === 0 ? 'lost' : random(10));
    const someone = (): string => (random(2) ? `u${random(100)}` : `old${random(10)}`);
    for (let step = 0; step < 120; step++) {
      const what = random(12);
      if (what < 5) server.post(someone(), 'alice', `s${step}`);
      else if (what < 7) app.client.clearUnread(peer(someone())).catch(() => undefined);
      else if (what < 8) app.send(someone(), 'mine').catch(() => undefined);
      else if (what < 10) void app.client.list({ count: 1 + random(120) }).catch(() => undefined);
      else if (what === 10) server.tell('alice', { case: 'behind', value: {} });
      else if (lossy && random(4) === 0) server.cut();
      await pass(random(30));
    }
    server.pushFate = () => 0;
    if (lossy) server.cut();
    await pass(5_000);
    expect(app.totals.at(-1)).toBe(truth());
    const page = app.client.list({ count: 500 });
    await pass(200);
    expect((await page).conversations.reduce((sum, entry) => sum + entry.unread, 0)).toBe(truth());
  });
});

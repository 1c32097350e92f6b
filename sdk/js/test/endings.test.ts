import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { App, pass, peer } from './fake/app.js';
import { FakeServer } from './fake/server.js';
import { CONFIG, createZIM, login, text } from './fake/zim.js';
import { Watchdog } from './watchdog.js';

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => vi.useRealTimers());

const ends: Record<string, (app: App) => void> = {
  logout: (app) => app.client.logout(),
  close: (app) => app.client.close(),
  'a kick': () => server.tell('alice', { case: 'kicked', value: { reason: 1 } }),
  'a kick of which only the close came': () => server.cut(4409),
  'the end of the token': () => server.tell('alice', { case: 'kicked', value: { reason: 2 } }),
  'a refused return': () => {
    server.refuseHello = () => ({ code: 6000101, message: 'No such app.' });
    server.cut();
  },
};

const troubles: Record<string, () => void> = {
  'in flight': () => (server.onRequest = () => 'swallow'),
  'waiting to be asked again': () => {
    server.onRequest = () => ({ code: 6000005, message: 'Busy.', retryable: true, retryAfterMs: 9_000 });
  },
  'waiting for the connection': () => {
    server.silent = true;
    server.cut();
    setTimeout(() => (server.silent = false), 50);
  },
};

describe.each(Object.keys(ends))('%s', (end) => {
  it.each(Object.keys(troubles))('settles everything that is %s, and does not hold the event loop', async (trouble) => {
    const app = new App(server);
    await app.login('alice');
    troubles[trouble]?.();
    await pass(40);
    const { client } = app;
    const page = { conversation: peer('bob'), afterSeq: 0, beforeSeq: 0, count: 10, newestFirst: true };
    const asked: Promise<unknown>[] = [app.send('bob', 'x'), client.history(page), client.list({ count: 5 }), client.clearUnread(peer('bob'))];
    // A renewal under way is another token to try: then the end of the first one is none.
    if (end !== 'the end of the token') asked.push(client.renewToken('fresh'));
    const settled = Promise.all(asked.map((promise) => promise.then(() => 'done', (error: { code: number }) => error.code)));
    await pass(5);
    const watchdog = new Watchdog();
    ends[end]?.(app);
    await pass(trouble === 'waiting for the connection' ? 15_000 : 300);
    expect(watchdog.stop()).toBeLessThan(50);
    const codes = await settled;
    if (app.client.state !== 'disconnected') return;
    expect(new Set(codes)).toEqual(new Set([6000104]));
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('after the end', () => {
  it('no listener hears of anything, whatever is still on its way', async () => {
    server.post('bob', 'alice', 'old');
    await pass(60_000);
    const { zim, told } = createZIM(server);
    await login(zim, 'alice');
    zim.on('conversationChanged', () => zim.logout());
    told.length = 0;
    server.post('bob', 'alice', 'x');
    await pass(1_000);
    expect(told.map(({ name }) => name)).toEqual(['connectionStateChanged']);
  });

  it('destroy is silent', async () => {
    const { zim, told } = createZIM(server);
    await login(zim, 'alice');
    told.length = 0;
    zim.destroy();
    await pass(1_000);
    expect(told).toEqual([]);
  });
});

describe('a kick has one shape', () => {
  it.each([
    [1, 4409],
    [2, 4410],
  ])('for reason %i, whether its frame came or its close code %i alone', async (reason, code) => {
    const shapes = [];
    for (const how of ['frame', 'close']) {
      const { zim, told } = createZIM(server);
      await login(zim, 'alice');
      server.onSend = () => 'swallow';
      const send = zim.sendMessage(text('x'), 'bob', 0, CONFIG).then(
        () => 'sent',
        (error: { code: number; message: string }) => [error.code, error.message],
      );
      await pass(5);
      told.length = 0;
      if (how === 'frame') server.tell('alice', { case: 'kicked', value: { reason } });
      else server.cut(code);
      await pass(50);
      shapes.push({ told: [...told], send: await send });
      zim.destroy();
    }
    expect(shapes[0]).toEqual(shapes[1]);
    expect(shapes[0]?.told).toHaveLength(1);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultPlatform } from '../src/platform.js';
import { App, pass, peer } from './fake/app.js';
import { FakeServer } from './fake/server.js';

let server: FakeServer;
let listeners: Map<string, (event?: unknown) => void>;

/** Something happens to the page that the client runs in. */
function happen(type: string, event?: unknown): void {
  listeners.get(type)?.(event);
}

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  listeners = new Map();
  const target = {
    addEventListener: (type: string, run: () => void) => listeners.set(type, run),
    removeEventListener: (type: string) => listeners.delete(type),
  };
  for (const [name, method] of Object.entries(target)) vi.stubGlobal(name, method);
  vi.stubGlobal('document', { ...target, visibilityState: 'visible' });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe.each([
  ['online', undefined],
  ['visibilitychange', undefined],
  ['pageshow', { persisted: true }],
  ['reconnectNow', undefined],
])('%s', (type, event) => {
  let app: App;
  const act = (): void => (type === 'reconnectNow' ? app.client.reconnectNow() : happen(type, event));

  beforeEach(async () => {
    app = new App(server, { random: () => 1 });
    await app.login('alice');
  });

  it('ends the wait for the next attempt', async () => {
    server.down = true;
    server.cut();
    await pass(30_000);
    server.down = false;
    act();
    await pass(10);
    expect(app.client.state).toBe('connected');
  });

  it('drops an attempt that hangs', async () => {
    server.silent = true;
    server.cut();
    await pass(3_000);
    expect(app.client.state).toBe('reconnecting');
    server.silent = false;
    const dialled = server.dialled.length;
    act();
    await pass(10);
    expect(app.client.state).toBe('connected');
    expect(server.dialled).toHaveLength(dialled + 1);
  });

  it('leaves alone an attempt that has just begun', async () => {
    server.cut();
    await pass(252);
    const dialled = server.dialled.length;
    act();
    await pass(10);
    expect(server.dialled).toHaveLength(dialled);
    expect(app.client.state).toBe('connected');
  });

  it('does not wait for that one as long as usual', async () => {
    server.silent = true;
    server.cut();
    await pass(300);
    server.silent = false;
    act();
    await pass(3_600);
    expect(app.client.state).toBe('connected');
  });

  it('shortens the wait for a ping that is out', async () => {
    await pass(9_500);
    server.silent = true;
    await pass(1_000);
    act();
    await pass(3_010);
    expect(app.client.state).toBe('reconnecting');
  });

  it('does not lengthen it', async () => {
    await pass(9_500);
    server.silent = true;
    await pass(1_000);
    for (let i = 0; i < 4; i++) {
      act();
      await pass(1_000);
    }
    expect(app.client.state).toBe('reconnecting');
  });

  it('changes nothing while the link lives', async () => {
    for (let i = 0; i < 100; i++) {
      act();
      await pass(100);
    }
    expect(app.path).toEqual(['connecting', 'connected']);
  });
});

describe('the network', () => {
  it('is doubted when the browser says that it is offline', async () => {
    const app = new App(server);
    await app.login('alice');
    server.silent = true;
    happen('offline');
    await pass(3_010);
    expect(app.client.state).toBe('reconnecting');
  });

  it('is not watched after the login', async () => {
    const app = new App(server);
    await app.login('alice');
    expect([...listeners.keys()].sort()).toEqual(['offline', 'online', 'pageshow', 'visibilitychange']);
    app.client.logout();
    expect(listeners.size).toBe(0);
  });

  it('is not worth a try when a page is shown for the first time', async () => {
    const app = new App(server, { random: () => 1 });
    await app.login('alice');
    server.down = true;
    server.cut();
    await pass(30_000);
    server.dialled.length = 0;
    happen('pageshow', { persisted: false });
    expect(server.dialled).toEqual([]);
  });
});

describe('a slow line', () => {
  it.each([[['http://a']], [['http://a', 'http://b']]])('is not cut while a large page comes (%o)', async (servers) => {
    for (let i = 0; i < 12; i++) server.post('bob', 'alice', 'x'.repeat(30_000));
    await pass(60_000);
    const app = new App(server, { server: servers, requestTimeoutMs: 60_000 });
    await app.login('alice');
    server.bytesPerSecond = 45_000;
    const page = app.client.history({ conversation: peer('bob'), afterSeq: 0, beforeSeq: 0, count: 12, newestFirst: true, maxBytes: 1 << 20 });
    await pass(20_000);
    expect((await page).messages).toHaveLength(12);
    expect(app.path).toEqual(['connecting', 'connected']);
  });

  it('gets small pages, which come in time on a very slow one', async () => {
    for (let i = 0; i < 12; i++) server.post('bob', 'alice', 'x'.repeat(30_000));
    await pass(60_000);
    const app = new App(server, { server: ['http://a', 'http://b'] });
    await app.login('alice');
    server.bytesPerSecond = 10_000;
    let beforeSeq = 0;
    for (let left = 12; left > 0; ) {
      const page = app.client.history({ conversation: peer('bob'), afterSeq: 0, beforeSeq, count: 12, newestFirst: true });
      await pass(12_000);
      const { messages, firstSeq } = await page;
      left -= messages.length;
      beforeSeq = firstSeq;
    }
    expect(app.path).toEqual(['connecting', 'connected']);
  });

  it('is not cut while frames come in, however late the pong is', async () => {
    const app = new App(server, { server: ['http://a', 'http://b'] });
    await app.login('alice');
    server.bytesPerSecond = 20_000;
    for (let i = 0; i < 40; i++) server.post('bob', 'alice', 'x'.repeat(20_000));
    await pass(60_000);
    expect(app.path).toEqual(['connecting', 'connected']);
    expect(app.texts).toHaveLength(40);
  });

  it('that is dead is cut, with replies due too', async () => {
    const app = new App(server, { server: ['http://a', 'http://b'] });
    await app.login('alice');
    server.silent = true;
    app.client.list({ count: 1 }).catch(() => undefined);
    await pass(15_010);
    expect(app.path).toContain('reconnecting');
    app.client.logout();
  });
});

describe('an overloaded server', () => {
  it('is left alone for longer than one that was lost', async () => {
    const app = new App(server, { random: () => 0 });
    await app.login('alice');
    server.cut();
    await pass(10);
    server.cut(4429);
    await pass(10);
    expect(app.states.flatMap((change) => (change.state === 'reconnecting' ? [change.retryInMs] : []))).toEqual([0, 2_000]);
  });
});

describe('the platform', () => {
  it.each([
    ['web', {}],
    ['node', { document: undefined }],
    ['web', { document: undefined, process: undefined, importScripts: () => undefined }],
    ['react-native', { document: undefined, navigator: { product: 'ReactNative' } }],
    ['deno', { document: undefined, Deno: {} }],
    ['bun', { document: undefined, Bun: {} }],
  ])('is %s', (name, globals) => {
    for (const [key, value] of Object.entries(globals)) vi.stubGlobal(key, value);
    const found = defaultPlatform();
    vi.unstubAllGlobals();
    expect(found).toBe(name);
  });
});

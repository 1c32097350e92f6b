import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { App, pass } from './fake/app.js';
import { CLOCK_AHEAD, FakeServer } from './fake/server.js';

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => vi.useRealTimers());

describe('logging in', () => {
  it('goes through connecting to connected and says hello once', async () => {
    const app = new App(server);
    await app.login('alice');
    expect(app.path).toEqual(['connecting', 'connected']);
    expect(server.dialled).toEqual(['ws://fake/ws']);
    expect(server.hellos).toMatchObject([{ protocolVersion: 1, appId: 1, userId: 'alice', resume: false, platform: 'node' }]);
    expect(server.hellos[0]?.deviceId).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });

  it('takes over the clock of the server', async () => {
    const app = new App(server);
    await app.login('alice');
    expect(Math.abs(app.client.serverNow() - (Date.now() + CLOCK_AHEAD))).toBeLessThan(10);
  });

  it('rejects with the code of a final refusal and does not try again', async () => {
    server.refuseHello = () => ({ code: 6000106, message: 'The token is past its time.' });
    const app = new App(server);
    const login = expect(app.client.login({ appID: 1, userID: 'alice', token: 't' })).rejects.toMatchObject({ code: 6000106 });
    await pass(60_000);
    await login;
    expect(app.states.at(-1)).toMatchObject({ state: 'disconnected', reason: 'tokenExpired' });
    expect(server.hellos).toHaveLength(1);
  });

  it('waits and tries again after a refusal that may pass', async () => {
    server.refuseHello = () => ({ code: 6000102, message: 'No leader.', retryable: true, retryAfterMs: 5000 });
    const app = new App(server);
    const login = app.client.login({ appID: 1, userID: 'alice', token: 't' });
    await pass(4000);
    expect(server.hellos).toHaveLength(1);
    server.refuseHello = undefined;
    await pass(2000);
    await login;
    expect(app.client.state).toBe('connected');
  });

  it('stays pending while the server is away, over many attempts, and then goes through', async () => {
    server.down = true;
    const app = new App(server);
    const settled = vi.fn();
    const login = app.client.login({ appID: 1, userID: 'alice', token: 't' }).then(settled);
    await pass(40_000);
    expect(settled).not.toHaveBeenCalled();
    expect(server.dialled.length).toBeGreaterThan(5);
    expect(new Set(app.path)).toEqual(new Set(['connecting', 'reconnecting']));
    server.down = false;
    await pass(10_000);
    await login;
    expect(server.hellos.map((hello) => hello.resume)).toEqual([false]);
  });

  it('tries several servers in turn', async () => {
    server.down = true;
    const app = new App(server, { server: ['https://a', 'https://b/'] });
    const login = expect(app.client.login({ appID: 1, userID: 'alice', token: 't' })).rejects.toMatchObject({ code: 6000104 });
    await pass(2000);
    expect(server.dialled.slice(0, 3)).toEqual(['wss://b/ws', 'wss://a/ws', 'wss://b/ws']);
    app.client.logout();
    await login;
  });

  it('gives up a socket that opens but gets no welcome', async () => {
    server.silent = true;
    const app = new App(server);
    const login = app.client.login({ appID: 1, userID: 'alice', token: 't' });
    await pass(9_000);
    expect(server.dialled).toHaveLength(1);
    await pass(2_000);
    expect(server.dialled).toHaveLength(2);
    server.silent = false;
    await pass(15_000);
    await login;
  });

  it('refuses what is no address of a server', () => {
    for (const bad of ['chat.example.com', 'http://a?x', 'http://a/#b', 'http://', 'ftp://a', '']) {
      expect(() => new App(server, { server: bad })).toThrow(/address of a server/);
    }
  });

  it.each([
    ['http://a/chat', 'ws://a/chat/ws'],
    ['https://a:8443/chat/', 'wss://a:8443/chat/ws'],
    ['HTTPS://a//', 'wss://a/ws'],
  ])('reaches a server below a path: %s', async (address, url) => {
    const app = new App(server, { server: address });
    await app.login('alice');
    expect(server.dialled).toEqual([url]);
  });
});

describe('staying connected', () => {
  it('comes back after a loss, quickly and with resume', async () => {
    const app = new App(server);
    await app.login('alice');
    server.cut();
    await pass(300);
    expect(app.path).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
    expect(server.hellos.map((hello) => hello.resume)).toEqual([false, true]);
    expect(server.hellos[1]?.deviceId).toBe(server.hellos[0]?.deviceId);
  });

  it('spaces its attempts exponentially up to ten seconds', async () => {
    const app = new App(server, { random: () => 1 });
    await app.login('alice');
    server.down = true;
    server.cut();
    await pass(60_000);
    const waits = app.states.flatMap((change) => (change.state === 'reconnecting' ? [change.retryInMs] : []));
    expect(waits.slice(0, 8)).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  it('does not hammer a server that welcomes and drops at once', async () => {
    const app = new App(server, { random: () => 1 });
    await app.login('alice');
    for (let i = 0; i < 4; i++) {
      server.cut();
      await pass(2500);
      expect(app.client.state).toBe('connected');
    }
    const waits = app.states.flatMap((change) => (change.state === 'reconnecting' ? [change.retryInMs] : []));
    expect(waits).toEqual([250, 500, 1000, 2000]);
  });

  it('notices within two heartbeats that the other side went silent', async () => {
    const app = new App(server);
    await app.login('alice');
    server.silent = true;
    await pass(20_100);
    expect(app.path).toContain('reconnecting');
  });

  it('pings once per interval while all is well', async () => {
    const app = new App(server);
    await app.login('alice');
    await pass(55_000);
    expect(server.asked.filter((kind) => kind === 'ping')).toHaveLength(5);
    expect(app.path).toEqual(['connecting', 'connected']);
  });
});

describe('the end of a login', () => {
  it('says goodbye on logout and does not come back', async () => {
    const app = new App(server);
    await app.login('alice');
    app.client.logout();
    await pass(30_000);
    expect(server.asked.at(-1)).toBe('goodbye');
    expect(app.states.at(-1)).toEqual({ state: 'disconnected', reason: 'logout' });
    expect(server.dialled).toHaveLength(1);
    await expect(app.send('bob', 'x')).rejects.toMatchObject({ code: 6000121 });
  });

  it('leaves no timer behind', async () => {
    const app = new App(server);
    await app.login('alice');
    server.onSend = () => 'swallow';
    app.send('bob', 'x').catch(() => undefined);
    app.client.history({ conversation: { kind: 'peer', id: 'bob' }, afterSeq: 0, beforeSeq: 0, count: 1, newestFirst: true }).catch(() => undefined);
    await pass(100);
    server.cut();
    await pass(100);
    app.client.logout();
    await pass(10);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    [1, 'kicked'],
    [2, 'tokenExpired'],
  ])('does not come back after a kicked push of reason %i', async (reason, expected) => {
    const app = new App(server);
    await app.login('alice');
    server.tell('alice', { case: 'kicked', value: { reason } });
    server.cut(4409);
    await pass(30_000);
    expect(app.states.at(-1)).toMatchObject({ state: 'disconnected', reason: expected });
    expect(server.dialled).toHaveLength(1);
  });

  it.each([
    [4409, 'kicked'],
    [4410, 'tokenExpired'],
    [4401, 'refused'],
  ])('understands the close code %i alone', async (code, expected) => {
    const app = new App(server);
    await app.login('alice');
    server.cut(code);
    await pass(30_000);
    expect(app.states.at(-1)).toMatchObject({ state: 'disconnected', reason: expected });
    expect(server.dialled).toHaveLength(1);
  });

  it('ends when the return is refused, with the reason of the refusal', async () => {
    const app = new App(server);
    await app.login('alice');
    server.refuseHello = () => ({ code: 6000122, message: 'Another device.' });
    server.cut();
    await pass(1000);
    expect(app.states.at(-1)).toMatchObject({ state: 'disconnected', reason: 'kicked', error: { code: 6000122 } });
  });

  it('can log in again, also as somebody else', async () => {
    const app = new App(server);
    await app.login('alice');
    app.client.logout();
    await app.login('bob');
    expect(server.hellos.map((hello) => [hello.userId, hello.resume])).toEqual([
      ['alice', false],
      ['bob', false],
    ]);
    expect(server.hellos[0]?.deviceId).not.toBe(server.hellos[1]?.deviceId);
  });
});

describe('tokens', () => {
  it('renews, and uses the new token from then on', async () => {
    const app = new App(server);
    await app.login('alice');
    const both = Promise.all([app.client.renewToken('fresh'), app.client.renewToken('fresh')]);
    await pass(10);
    await both;
    expect(server.asked.filter((kind) => kind === 'renewToken')).toHaveLength(1);
    server.cut();
    await pass(300);
    expect(server.hellos.at(-1)?.token).toBe('fresh');
  });

  it('takes a token while the connection is away', async () => {
    const app = new App(server);
    await app.login('alice');
    server.cut();
    await pass(2);
    const renewed = app.client.renewToken('fresh');
    await pass(500);
    await renewed;
    expect(server.hellos.at(-1)?.token).toBe('fresh');
  });

  it('fetches a token when the present one has expired while away', async () => {
    const getToken = vi.fn(async () => 'fetched');
    const app = new App(server, { getToken });
    await app.login('alice');
    server.refuseHello = ({ token }) => (token === 'fetched' ? undefined : { code: 6000106, message: 'Expired.' });
    server.cut();
    await pass(1000);
    expect(app.client.state).toBe('connected');
    expect(getToken).toHaveBeenCalledOnce();
  });

  it('fetches a token by itself when it is told how', async () => {
    const getToken = vi.fn(async () => 'fetched');
    const app = new App(server, { getToken });
    await app.login('alice');
    server.tell('alice', { case: 'tokenExpiring', value: { seconds: 30 } });
    await pass(20);
    expect(getToken).toHaveBeenCalledOnce();
    expect(server.asked).toContain('renewToken');
  });
});

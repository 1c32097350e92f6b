import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GetToken } from '../src/provider.js';
import { App, pass } from './fake/app.js';
import { FakeServer } from './fake/server.js';
import { createZIM, login, TOKEN, user } from './fake/zim.js';

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => vi.useRealTimers());

/** The server takes no other tokens from now on. */
function takeOnly(...good: string[]): void {
  server.refuseHello = ({ token }) => (good.includes(token) ? undefined : { code: 6000106, message: 'Expired.' });
}

const answers: Record<string, () => GetToken> = {
  'a promise': () => async () => 'fetched',
  'a string': () => () => 'fetched',
  'an exception, then a token': () => vi.fn<GetToken>(() => 'fetched').mockImplementationOnce(() => {
    throw new Error('no storage');
  }),
  'two rejections, then a token': () => vi.fn<GetToken>(async () => 'fetched').mockRejectedValueOnce(new Error('offline')).mockRejectedValueOnce(new Error('offline')),
  'nothing for ever, then a token': () => vi.fn<GetToken>(async () => 'fetched').mockReturnValueOnce(new Promise(() => undefined)),
  'undefined, then a token': () => vi.fn<GetToken>(async () => 'fetched').mockReturnValueOnce(undefined as never),
  'the old token, then a new one': () => vi.fn<GetToken>(async () => 'fetched').mockResolvedValueOnce('token of alice'),
};

describe.each(Object.keys(answers))('a provider that gives %s', (name) => {
  let app: App;

  beforeEach(async () => {
    app = new App(server, { getToken: (answers[name] as () => GetToken)() });
    await app.login('alice');
    takeOnly('fetched');
  });

  it('brings a login back whose token expired while away', async () => {
    server.cut();
    await pass(20_000);
    expect(app.client.state).toBe('connected');
    expect(app.path).not.toContain('disconnected');
  });

  it('keeps a login whose token expires while connected', async () => {
    server.tell('alice', { case: 'kicked', value: { reason: 2 } });
    await pass(20_000);
    expect(app.client.state).toBe('connected');
    expect(app.path).not.toContain('disconnected');
  });

  it('renews in time when the server announces the end', async () => {
    server.onRequest = (kind) => (kind === 'renewToken' && app.client.state !== 'connected' ? 'swallow' : undefined);
    server.tell('alice', { case: 'tokenExpiring', value: { seconds: 30 } });
    await pass(25_000);
    expect(server.asked).toContain('renewToken');
    expect(app.path).toEqual(['connecting', 'connected']);
  });
});

describe('a provider', () => {
  it('ends the login by the code 6000101', async () => {
    const app = new App(server, { getToken: () => Promise.reject(Object.assign(new Error('Signed out.'), { code: 6000101 })) });
    await app.login('alice');
    takeOnly();
    server.cut();
    await pass(1_000);
    expect(app.states.at(-1)).toMatchObject({ state: 'disconnected', reason: 'refused', error: { code: 6000101, message: 'Signed out.' } });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is asked more and more seldom while its tokens are refused, and never gives up', async () => {
    const getToken = vi.fn(async () => 'stale');
    const app = new App(server, { getToken });
    await app.login('alice');
    takeOnly();
    server.cut();
    await pass(600_000);
    expect(app.client.state).toBe('reconnecting');
    expect(getToken.mock.calls.length).toBeGreaterThan(20);
    expect(getToken.mock.calls.length).toBeLessThan(100);
  });

  it.each([6000101, 6000103])('is asked again when what it gives for an expired token is refused with %i', async (code) => {
    const getToken = vi.fn<GetToken>().mockResolvedValueOnce('bad').mockResolvedValueOnce('bad').mockResolvedValue('fetched');
    const app = new App(server, { getToken });
    await app.login('alice');
    takeOnly('fetched');
    const { refuseHello } = server;
    server.refuseHello = (hello) => (hello.token === 'bad' ? { code, message: 'Not a token.' } : refuseHello?.(hello));
    server.cut();
    await pass(20_000);
    expect(app.client.state).toBe('connected');
    expect(app.path).not.toContain('disconnected');
    expect(getToken).toHaveBeenCalledTimes(3);
  });

  it('is asked at once when the network is back', async () => {
    const getToken = vi.fn<GetToken>().mockRejectedValueOnce(new Error('offline')).mockResolvedValue('fetched');
    const app = new App(server, { getToken, random: () => 1 });
    await app.login('alice');
    takeOnly('fetched');
    server.cut();
    await pass(300);
    app.client.reconnectNow();
    await pass(10);
    expect(app.client.state).toBe('connected');
  });

  it('is an option of ZIM.create too', async () => {
    const { zim, told } = createZIM(server, { getToken: () => 'fetched' });
    await login(zim, 'alice');
    takeOnly('fetched');
    server.cut();
    await pass(1_000);
    expect(server.hellos.at(-1)?.token).toBe('fetched');
    expect(told.at(-1)).toMatchObject({ name: 'connectionStateChanged', data: { state: 2 } });
    zim.destroy();
  });

  it('is not waited for when the login ends', async () => {
    const app = new App(server, { getToken: () => new Promise(() => undefined) });
    const entered = app.client.login({ appID: 1, userID: 'alice', token: 'old' });
    const refused = expect(entered).rejects.toMatchObject({ code: 6000104 });
    takeOnly();
    await pass(1_000);
    app.client.logout();
    await refused;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a renewal', () => {
  it('that is under way when the token expires keeps the login', async () => {
    const app = new App(server);
    await app.login('alice');
    server.onRequest = (kind) => (kind === 'renewToken' ? 'swallow' : undefined);
    const renewed = app.client.renewToken('fresh');
    await pass(10);
    takeOnly('fresh');
    server.onRequest = undefined;
    server.tell('alice', { case: 'kicked', value: { reason: 2 } });
    await pass(1_000);
    await renewed;
    expect(app.client.state).toBe('connected');
    expect(server.hellos.at(-1)?.token).toBe('fresh');
  });

  it('with a bad token while away rejects, and the good one stays', async () => {
    const app = new App(server);
    await app.login('alice');
    const refusal = { code: 6000101, message: 'The token is for another user.' };
    server.refuseHello = ({ token }) => (token === 'bad' ? refusal : undefined);
    server.onRequest = (kind) => (kind === 'renewToken' ? refusal : undefined);
    server.cut();
    await pass(2);
    const renewed = expect(app.client.renewToken('bad')).rejects.toMatchObject(refusal);
    await pass(1_000);
    await renewed;
    expect(app.client.state).toBe('connected');
    server.cut();
    await pass(1_000);
    expect(server.hellos.at(-1)?.token).toBe('token of alice');
    expect(app.client.state).toBe('connected');
  });

  it('with a token that is too long to be carried rejects, and the good one stays', async () => {
    const app = new App(server);
    await app.login('alice');
    const renewed = expect(app.client.renewToken('x'.repeat(200_000))).rejects.toMatchObject({ code: 6000001 });
    await pass(10);
    await renewed;
    server.cut();
    await pass(1_000);
    expect(app.client.state).toBe('connected');
    expect(server.hellos.at(-1)?.token).toBe('token of alice');
  });

  it('by a second login of the same user is one', async () => {
    const { zim } = createZIM(server);
    await login(zim, 'alice');
    takeOnly(`${TOKEN}fresh`);
    server.cut();
    await pass(2);
    const second = zim.login(user('alice'), `${TOKEN}fresh`);
    await pass(1_000);
    await second;
    expect(server.hellos.at(-1)?.token).toBe(`${TOKEN}fresh`);
    zim.destroy();
  });

  it('by a second login counts while the first one is still connecting', async () => {
    const { zim } = createZIM(server);
    takeOnly(`${TOKEN}fresh`);
    server.down = true;
    const both = [zim.login(user('alice'), TOKEN)];
    await pass(1_000);
    both.push(zim.login(user('alice'), `${TOKEN}fresh`));
    server.down = false;
    await pass(10_000);
    await Promise.all(both);
    zim.destroy();
  });
});

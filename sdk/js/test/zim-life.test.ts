import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ZIM } from '../src/zim/index.js';
import { ZIMConversationType } from '../src/zim/enums/index.js';
import { pass } from './fake/app.js';
import { FakeServer } from './fake/server.js';
import { CONFIG, createZIM, login, text, TOKEN, user } from './fake/zim.js';
import type { Told } from './fake/zim.js';

let server: FakeServer;
let zim: ZIM;
let told: Told[];

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  ({ zim, told } = createZIM(server));
});

afterEach(() => {
  zim.destroy();
  vi.useRealTimers();
});

function states(): unknown[] {
  const changes = told.filter(({ name }) => name === 'connectionStateChanged').map(({ data }) => data as { state: number; event: number });
  return changes.map(({ state, event }) => [state, event]);
}

// What works without a login, and what is not for apps.
const APART = 'login logout on off destroy setLogConfig uploadLog callExperimentalAPI updateUserOfflinePushRule updateUserBadge'
  .concat(' constructor start newClient emit needAlive needLogin')
  .split(' ');

/** Every call that needs a login, with arguments that are wrong in other ways too. */
function calls(z: ZIM): [string, () => Promise<unknown>][] {
  const anything = null as never;
  return [
    ['renewToken', () => z.renewToken(anything)],
    ['sendMessage', () => z.sendMessage(anything, anything, anything, anything)],
    ['queryHistoryMessage', () => z.queryHistoryMessage(anything, anything, anything)],
    ['queryConversationList', () => z.queryConversationList(anything)],
    ['clearConversationUnreadMessageCount', () => z.clearConversationUnreadMessageCount(anything, anything)],
  ];
}

describe('create and destroy', () => {
  it('makes one instance at a time', () => {
    expect(ZIM.create(5)).toBeNull();
    expect(ZIM.getInstance()).toBe(zim);
    zim.destroy();
    const next = ZIM.create(5);
    expect(next).not.toBeNull();
    expect(next).not.toBe(zim);
    next?.destroy();
  });

  it.each([[{}], [undefined], [0], [-1], [1.5], [2 ** 32], ['1']])('throws 6000003 for the app ID %o', (bad) => {
    zim.destroy();
    const attempt = (): unknown => ZIM.create(bad as never);
    expect(attempt).toThrow(expect.objectContaining({ code: 6000003 }));
    expect(attempt).toThrow(/"code":6000003,"message":"Invalid AppID\."/);
  });

  it('refuses everything after destroy, and still gives the instance out', async () => {
    zim.destroy();
    expect(ZIM.getInstance()).toBe(zim);
    for (const [, call] of calls(zim)) await expect(call()).rejects.toMatchObject({ code: 6000002, message: 'The SDK is not initialized.' });
    await expect(zim.login(user('alice'), TOKEN)).rejects.toMatchObject({ code: 6000002 });
    expect(() => zim.logout()).not.toThrow();
  });

  it('refuses everything before the login, whatever the arguments', async () => {
    for (const [name, call] of calls(zim)) {
      await expect(call()).rejects.toMatchObject({ code: 6000121, message: `API.${name}: Not logged with call.` });
    }
  });

  it('refuses every other method before the login, and those that are not built after it', async () => {
    const methods = Object.getOwnPropertyNames(ZIM.prototype).filter((name) => !APART.includes(name));
    const call = async (name: string): Promise<unknown> => (Reflect.get(zim, name) as () => unknown).call(zim);
    expect(methods.length).toBe(145 + 4 - 5 - 10);
    for (const name of methods) await expect(call(name), name).rejects.toMatchObject({ code: 6000121, message: `API.${name}: Not logged with call.` });
    await login(zim, 'alice');
    await expect(call('muteGroup')).rejects.toMatchObject({ code: 6000013, message: 'muteGroup is not supported yet.' });
    expect(() => zim.beginRoomAttributesBatchOperation('r', { isForce: false, isDeleteAfterOwnerLeft: false, isUpdateOwner: false })).toThrow('not supported');
    await expect(zim.updateUserBadge(1)).resolves.toBeUndefined();
  });

  it('destroy ends the connection', async () => {
    await login(zim, 'alice');
    zim.destroy();
    await pass(10);
    expect(server.conns.size).toBe(0);
    expect(server.asked.at(-1)).toBe('goodbye');
  });
});

describe('tokens', () => {
  it.each([[''], ['garbage'], ['04'], ['04garbage'], ['a.b.c'], [42], [undefined], [null]])('%o is 6000103 before any network', async (bad) => {
    await expect(zim.login(user('alice'), bad as never)).rejects.toMatchObject({ code: 6000103 });
    expect(server.dialled).toEqual([]);
  });

  it('no arguments at all are 6000103', async () => {
    await expect((zim.login as () => Promise<void>)()).rejects.toMatchObject({ code: 6000103 });
  });

  it('another version is 6000107', async () => {
    await expect(zim.login(user('alice'), `03${'A'.repeat(80)}`)).rejects.toMatchObject({ code: 6000107 });
  });

  it.each([[TOKEN], [`04${'AAAA'.repeat(20)}`], [`04${'AAAA'.repeat(20)}AAA=`]])('%s has a good form', async (token) => {
    const done = zim.login(user('alice'), token);
    await pass(20);
    await done;
    expect(server.hellos[0]?.token).toBe(token);
  });

  it('takes the newer form of login', async () => {
    const done = zim.login('alice', { userName: 'Alice', token: TOKEN, isOfflineLogin: false, customStatus: '', customStatusDuration: 0 });
    await pass(20);
    await done;
    expect(server.hellos[0]).toMatchObject({ userId: 'alice', userName: 'Alice', token: TOKEN });
  });

  it('announces the end of a token and takes a new one', async () => {
    await login(zim, 'alice');
    server.tell('alice', { case: 'tokenExpiring', value: { seconds: 30 } });
    await pass(5);
    expect(told).toContainEqual({ name: 'tokenWillExpire', data: { second: 30 } });
    const renewed = zim.renewToken(TOKEN);
    await pass(5);
    expect(await renewed).toEqual({ token: TOKEN });
    await expect(zim.renewToken('garbage')).rejects.toMatchObject({ code: 6000103 });
  });
});

describe('login', () => {
  it('tells Connecting/ActiveLogin and Connected/Success', async () => {
    await login(zim, 'alice');
    expect(states()).toEqual([
      [1, 1],
      [2, 0],
    ]);
  });

  it('a second one of the same user shares the first, of another user is 6000111', async () => {
    server.down = true;
    const settled = vi.fn();
    const both = [zim.login(user('alice'), TOKEN).then(settled), zim.login(user('alice'), TOKEN).then(settled)];
    await expect(zim.login(user('bob'), TOKEN)).rejects.toMatchObject({ code: 6000111, message: 'User has already logged in.' });
    await pass(40_000);
    expect(settled).not.toHaveBeenCalled();
    expect(new Set(states().map(String))).toEqual(new Set(['1,1', '3,3']));
    server.down = false;
    await pass(11_000);
    await Promise.all(both);
    expect(server.hellos).toHaveLength(1);
  });

  it('rejects with the code of the refusal and can be tried again', async () => {
    server.refuseHello = () => ({ code: 6000101, message: 'The token is for another user.' });
    const refused = expect(zim.login(user('alice'), TOKEN)).rejects.toMatchObject({ code: 6000101 });
    await pass(10);
    await refused;
    expect(states().at(-1)).toEqual([0, 2]);
    server.refuseHello = undefined;
    await login(zim, 'bob');
    expect(states().at(-1)).toEqual([2, 0]);
  });

  it('is rejected with 6000104 by a logout', async () => {
    server.down = true;
    const refused = expect(zim.login(user('alice'), TOKEN)).rejects.toMatchObject({ code: 6000104 });
    await pass(1000);
    zim.logout();
    await refused;
    expect(states().at(-1)).toEqual([0, 0]);
    const tried = server.dialled.length;
    await pass(30_000);
    expect(server.dialled).toHaveLength(tried);
  });

  it('says what is missing where there is no WebSocket and no server', async () => {
    zim.destroy();
    const bare = ZIM.create(1) as ZIM;
    await expect(bare.login(user('alice'), TOKEN)).rejects.toMatchObject({ code: 6000001, message: /PARLEY_SERVER/ });
    vi.stubGlobal('PARLEY_SERVER', 'http://fake');
    vi.stubGlobal('WebSocket', undefined);
    try {
      await expect(bare.login(user('alice'), TOKEN)).rejects.toMatchObject({ message: /WebSocket/ });
      vi.stubGlobal('WebSocket', server.WebSocket);
      await login(bare, 'alice');
    } finally {
      vi.unstubAllGlobals();
      bare.destroy();
    }
  });

  it('uses the origin of the page when nothing else is given', async () => {
    zim.destroy();
    vi.stubGlobal('location', { origin: 'https://chat.example.com' });
    try {
      const bare = ZIM.create({ appID: 1, WebSocket: server.WebSocket }) as ZIM;
      await login(bare, 'alice');
      expect(server.dialled).toEqual(['wss://chat.example.com/ws']);
      bare.destroy();
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe('the end of a login', () => {
  it('logout tells Disconnected/Success, and calls are refused from then on', async () => {
    await login(zim, 'alice');
    zim.logout();
    expect(states().at(-1)).toEqual([0, 0]);
    for (const [, call] of calls(zim)) await expect(call()).rejects.toMatchObject({ code: 6000121 });
  });

  it.each([
    [1, 4],
    [2, 5],
  ])('a kick of reason %i is Disconnected with event %i, without a retry', async (reason, event) => {
    await login(zim, 'alice');
    server.tell('alice', { case: 'kicked', value: { reason } });
    await pass(30_000);
    expect(states().at(-1)).toEqual([0, event]);
    expect(server.dialled).toHaveLength(1);
    await expect(zim.sendMessage(text('x'), 'bob', ZIMConversationType.Peer, CONFIG)).rejects.toMatchObject({ code: 6000121 });
  });

  it('a loss is Reconnecting/LoginInterrupted with the wait, then Connected/Success', async () => {
    await login(zim, 'alice');
    server.cut();
    await pass(1000);
    expect(states().slice(2)).toEqual([
      [3, 3],
      [2, 0],
    ]);
    const lost = told.filter(({ name }) => name === 'connectionStateChanged')[2]?.data as { extendedData: string };
    expect(JSON.parse(lost.extendedData)).toEqual({ attempt: 1, retryInMs: expect.any(Number) });
  });
});

describe('listeners', () => {
  it('there is one per event: the last one set, with the instance first', async () => {
    const first = vi.fn();
    const second = vi.fn();
    zim.on('connectionStateChanged', first);
    zim.on('connectionStateChanged', second);
    await login(zim, 'alice');
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledWith(zim, { state: 1, event: 1, extendedData: '{}' });
    zim.off('connectionStateChanged');
    second.mockClear();
    zim.logout();
    expect(second).not.toHaveBeenCalled();
  });

  it('accepts events that are not built yet', () => {
    expect(() => zim.on('roomStateChanged' as never, (() => undefined) as never)).not.toThrow();
  });
});

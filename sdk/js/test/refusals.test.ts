import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChatClient } from '../src/client.js';
import { Timer } from '../src/timer.js';
import { ZIMConversationType } from '../src/zim/enums/index.js';
import type { ZIMMessage } from '../src/zim/index.js';
import { ZIM } from '../src/zim/index.js';
import { App, pass } from './fake/app.js';
import { FakeServer } from './fake/server.js';
import { CONFIG, createZIM, login, text } from './fake/zim.js';

// What an app asks for is done, or refused with a code: never ignored, never a TypeError.

const Peer = ZIMConversationType.Peer;
const DAY = 86_400_000;

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => {
  ZIM.getInstance()?.destroy();
  vi.useRealTimers();
});

async function entered(): Promise<ZIM> {
  const { zim } = createZIM(server);
  await login(zim, 'alice');
  return zim;
}

async function settle<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  await pass(20);
  return promise;
}

describe('a time longer than the platform\'s timers', () => {
  it.each([30 * DAY, 2 ** 31, Infinity])('%d ms as resend window: messages go, and wait', async (resendWindowMs) => {
    const app = new App(server, { resendWindowMs });
    await app.login('alice');
    server.ackFate = () => 20;
    const sent = app.send('bob', 'x');
    await pass(50);
    expect((await sent).seq).toBe(1);
    server.down = true;
    server.cut();
    let state = 'waiting';
    app.send('bob', 'y').then(() => (state = 'sent'), () => (state = 'failed'));
    await pass(60_000);
    expect(state).toBe('waiting');
    server.down = false;
    await pass(11_000);
    expect(state).toBe('sent');
    app.client.close();
  });

  it('is kept to the millisecond, and Infinity never ends', () => {
    const ran: string[] = [];
    const [month, never] = [new Timer(), new Timer()];
    month.start(30 * DAY, () => ran.push('month'));
    never.start(Infinity, () => ran.push('never'));
    vi.advanceTimersByTime(30 * DAY - 1);
    expect(ran).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ran).toEqual(['month']);
    vi.advanceTimersByTime(400 * DAY);
    expect(ran).toEqual(['month']);
    never.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([NaN, -1, '30000', null])('%s as resend window or request timeout is refused', (value) => {
    for (const option of ['resendWindowMs', 'requestTimeoutMs']) {
      expect(() => new ChatClient({ server: 'http://fake', [option]: value as number })).toThrow(expect.objectContaining({ code: 6000001 }));
    }
  });
});

describe('text', () => {
  it.each(['\ufeffreport', '\ufeff\ufeffx', 'a\ufeffb'])('%j arrives as written', async (message) => {
    const zim = await entered();
    await settle(zim.sendMessage({ ...text(message), extendedData: message }, 'bob', Peer, CONFIG));
    const { messageList } = await settle(zim.queryHistoryMessage('bob', Peer, { count: 1, reverse: true, mode: 0 }));
    expect(messageList).toMatchObject([{ message, extendedData: message }]);
  });

  it.each(['cut \ud83d', '\ude00 cut', '\ude00\ud83d', '😀\ud83d'])('%j, which UTF-8 cannot carry, is the same on both sides', async (message) => {
    const zim = await entered();
    const given = { type: 200, message, searchedContent: message.slice(0, 3), extendedData: message, subType: 1 } as ZIMMessage;
    const { message: sent } = await settle(zim.sendMessage(given, 'bob', Peer, CONFIG));
    const { messageList } = await settle(zim.queryHistoryMessage('bob', Peer, { count: 1, reverse: true, mode: 0 }));
    const { message: shown, extendedData, searchedContent } = sent as ZIMMessage & Record<string, unknown>;
    expect(messageList).toMatchObject([{ message: shown, extendedData, searchedContent }]);
    expect([shown, extendedData]).toEqual([message.replace(/\p{Surrogate}/gu, '\ufffd'), message.replace(/\p{Surrogate}/gu, '\ufffd')]);
  });
});

describe('what the server would not take', () => {
  it.each([
    ['searchedContent too long', { type: 200, message: 'x', subType: 0, searchedContent: 'x'.repeat(11) }, {}, 6000001],
    ['too many mentions', { ...text('x'), mentionedUserIDs: ['a', 'b', 'c', 'd'] }, {}, 6000001],
    ['hasReceipt', text('x'), { hasReceipt: true }, 6000013],
    ['disableUnreadMessageCount', text('x'), { disableUnreadMessageCount: true }, 6000013],
    ['hasReceipt of a command', { type: 2, message: new Uint8Array([1]) }, { hasReceipt: true }, 6000013],
  ])('%s is refused at once', async (_name, message, options, code) => {
    const zim = await entered();
    await expect(zim.sendMessage(message as ZIMMessage, 'bob', Peer, { ...CONFIG, ...options })).rejects.toMatchObject({ code });
    expect(server.sends).toEqual([]);
  });

  it('options that say no are none', async () => {
    const zim = await entered();
    await settle(zim.sendMessage(text('x'), 'bob', Peer, { ...CONFIG, hasReceipt: false, disableUnreadMessageCount: false }));
    expect(server.sends).toHaveLength(1);
  });
});

describe('paging from a message', () => {
  it.each([
    ['without its messageSeq', { type: 1, messageID: 'alice-bob-3', orderKey: 5 }],
    ['with a messageSeq that is none', { type: 1, messageID: 'alice-bob-3', messageSeq: 'x' }],
    ['with a negative one', { type: 1, messageSeq: -3 }],
  ])('%s is refused, and does not begin again at the newest', async (_name, nextMessage) => {
    const zim = await entered();
    const page = zim.queryHistoryMessage('bob', Peer, { count: 2, reverse: true, mode: 0, nextMessage: nextMessage as never });
    await expect(page).rejects.toMatchObject({ code: 6000001 });
  });
});

describe('the names of the reference', () => {
  const source = readFileSync(new URL(import.meta.resolve('zego-zim-web/entity/ZIM.d.ts')), 'utf8');
  const names = [...source.matchAll(/^ {4}(?:abstract )?(\w+)\(/gm)].map((match) => match[1] as string);
  const builtIn = new Set(['constructor', 'on', 'off', 'login', 'logout', 'destroy']);
  const accepted = ['setLogConfig', 'uploadLog', 'callExperimentalAPI', 'updateUserOfflinePushRule', 'updateUserBadge'];
  const methodOf = (zim: ZIM, name: string): ((...args: unknown[]) => Promise<unknown>) =>
    (zim as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]?.bind(zim) as never;
  const call = async (zim: ZIM, name: string): Promise<unknown> => methodOf(zim, name)({}, {}, {}, {});

  it('all exist, as methods of an instance or of the class', () => {
    const { zim } = createZIM(server);
    expect(new Set(names).size).toBeGreaterThan(130);
    expect(names.filter((name) => typeof methodOf(zim, name) !== 'function')).toEqual([]);
    for (const name of ['setAdvancedConfig', 'setGeofencingConfig']) expect(ZIM).toHaveProperty(name);
  });

  it('reject with a code, with a login and without', async () => {
    const { zim } = createZIM(server);
    const asked = [...new Set(names)].filter((name) => !builtIn.has(name) && !accepted.includes(name));
    for (const name of asked) await expect(call(zim, name), name).rejects.toMatchObject({ code: 6000121 });
    await login(zim, 'alice');
    for (const name of asked) await expect(call(zim, name), name).rejects.toMatchObject({ code: expect.any(Number) as number });
    for (const name of ['createGroup', 'joinRoom', 'callInvite', 'addFriend']) await expect(call(zim, name)).rejects.toMatchObject({ code: 6000013 });
    expect(() => methodOf(zim, 'beginRoomAttributesBatchOperation')('r', {})).toThrow(expect.objectContaining({ code: 6000013 }));
    zim.destroy();
    for (const name of asked) await expect(call(zim, name), name).rejects.toMatchObject({ code: 6000002 });
  });

  it('of the vendor\'s own service are accepted without effect', async () => {
    const zim = await entered();
    for (const name of accepted) await call(zim, name);
    await expect(methodOf(zim, 'updateUserOfflinePushRule')({ a: 1 })).resolves.toEqual({ offlinePushRule: { a: 1 } });
  });

  it('of older versions refuse what is not built', async () => {
    const zim = await entered();
    await expect(zim.sendGroupMessage(text('x'), 'g', CONFIG)).rejects.toMatchObject({ code: 6000013 });
    await expect(zim.sendRoomMessage(text('x'), 'r', CONFIG)).rejects.toMatchObject({ code: 6000013 });
    await expect(zim.sendMediaMessage({ type: 11 }, 'bob', Peer, CONFIG, () => undefined)).rejects.toMatchObject({ code: 6000013 });
    expect(server.sends).toEqual([]);
  });
});

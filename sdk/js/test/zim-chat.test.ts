import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ZIM } from '../src/zim/index.js';
import { ZIMConversationType, ZIMMessageType } from '../src/zim/enums/index.js';
import type { ZIMMessage } from '../src/zim/types/index.js';
import { pass } from './fake/app.js';
import { contentOf, FakeServer } from './fake/server.js';
import type { Told } from './fake/zim.js';
import { CONFIG, createZIM, login, text } from './fake/zim.js';

const Peer = ZIMConversationType.Peer;

let server: FakeServer;
let zim: ZIM;
let told: Told[];

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  server.names.set('bob', 'Bob');
  ({ zim, told } = createZIM(server));
});

afterEach(() => {
  zim.destroy();
  vi.useRealTimers();
});

function data(name: string): unknown[] {
  return told.filter((event) => event.name === name).map((event) => event.data);
}

/** Waits for a promise while time passes. */
async function settle<T>(promise: Promise<T>, ms = 20): Promise<T> {
  promise.catch(() => undefined);
  await pass(ms);
  return promise;
}

describe('sendMessage', () => {
  it('updates the object that it was given, and gives it back', async () => {
    await login(zim, 'alice');
    const message = Object.assign(text('hello'), { messageID: '1700000000000', extendedData: 'x' });
    const attached: ZIMMessage[] = [];
    const onMessageAttached = (m: ZIMMessage): void => {
      expect(m).toMatchObject({ sentStatus: 0, direction: 0, senderUserID: 'alice', conversationID: 'bob', conversationType: 0, messageID: '' });
      expect(m.localMessageID).toMatch(/^[0-9a-f]{32}$/);
      attached.push(m);
    };
    const sending = zim.sendMessage(message, 'bob', Peer, CONFIG, { onMessageAttached });
    expect(attached).toEqual([message]);
    expect(server.sends).toEqual([]);
    const local = { ...message };
    const result = await settle(sending);
    expect(result.message).toBe(message);
    expect(attached[0]).toBe(message);
    expect(message).toMatchObject({ messageID: 'alice-bob-1', messageSeq: 1, sentStatus: 1, extendedData: 'x', message: 'hello' });
    expect(message.localMessageID).toBe(local.localMessageID);
    expect(message.orderKey).toBeGreaterThan(0);
    expect(Math.abs((message.timestamp ?? 0) - (local.timestamp ?? 0))).toBeLessThan(50);
  });

  it.each([
    ['blank text', text(' \n\t'), 'bob', Peer, 6000001],
    ['no text', { type: ZIMMessageType.Text }, 'bob', Peer, 6000001],
    ['too long', text('x'.repeat(101)), 'bob', Peer, 6000001],
    ['oneself', text('x'), 'alice', Peer, 6000001],
    ['an empty target', text('x'), '', Peer, 6000001],
    ['no message', null, 'bob', Peer, 6000001],
    ['an unknown type', { type: 77 }, 'bob', Peer, 6000001],
    ['a type in digits', { type: '1', message: 'x' }, 'bob', Peer, 6000001],
    ['the name of a type', { type: 'Text', message: 'x' }, 'bob', Peer, 6000001],
    ['an unknown conversation type', text('x'), 'bob', 9, 6000001],
    ['a bad subType', { type: 200, message: 'x', subType: 201 }, 'bob', Peer, 6000001],
    ['an empty command', { type: 2, message: new Uint8Array() }, 'bob', Peer, 6000001],
    ['extendedData too long', { ...text('x'), extendedData: 'x'.repeat(21) }, 'bob', Peer, 6000001],
    ['a room', text('x'), 'room', ZIMConversationType.Room, 6000013],
    ['a group', text('x'), 'group', ZIMConversationType.Group, 6000013],
    ['an image', { type: 11 }, 'bob', Peer, 6000013],
    ['a barrage', { type: 20, message: 'x' }, 'bob', Peer, 6000013],
  ])('refuses %s', async (_name, message, to, type, code) => {
    await login(zim, 'alice');
    await expect(zim.sendMessage(message as never, to, type, CONFIG)).rejects.toMatchObject({ code });
    expect(server.sends).toEqual([]);
  });

  it('sends commands and custom messages, and the other side gets them', async () => {
    await login(zim, 'alice');
    const custom = { type: ZIMMessageType.Custom, message: '{"a":1}', subType: 7, searchedContent: 'a' } as const;
    await settle(zim.sendMessage(custom, 'bob', Peer, { priority: 3 }));
    const command = { type: ZIMMessageType.Command, message: new Uint8Array([1, 2, 255]) } as const;
    const sent = await settle(zim.sendMessage(command, 'bob', Peer, CONFIG));
    expect(sent.message).toMatchObject({ sentStatus: 1, messageSeq: 0 });
    expect(server.sends).toMatchObject([{ type: 200 }, { type: 2 }]);
    expect(contentOf(server.sends[0])).toMatchObject({ subType: 7, priority: 3, searchedContent: 'a' });
    server.post('bob', 'alice', 'ring', 2);
    await pass(10);
    expect(data('receivePeerMessage')).toMatchObject([{ messageList: [{ type: 2, message: new Uint8Array([114, 105, 110, 103]) }] }]);
  });

  it('marks a refused message as failed', async () => {
    await login(zim, 'alice');
    server.onSend = () => ({ code: 6000204, message: 'No such user.' });
    const message = text('x');
    await expect(settle(zim.sendMessage(message, 'nobody', Peer, CONFIG))).rejects.toMatchObject({ code: 6000204 });
    expect(message).toMatchObject({ sentStatus: 2, messageID: '' });
  });

  it('a message that failed without a known outcome is recognised when it is sent again', async () => {
    zim.destroy();
    ({ zim, told } = createZIM(server));
    await login(zim, 'alice');
    server.ackFate = () => 'cut';
    server.down = false;
    const message = text('once');
    const sending = zim.sendMessage(message, 'bob', Peer, CONFIG);
    sending.catch(() => undefined);
    await pass(3);
    server.down = true;
    await pass(301_000);
    await expect(sending).rejects.toMatchObject({ code: 6000104 });
    expect(message.sentStatus).toBe(2);
    server.down = false;
    server.ackFate = () => 0;
    await pass(11_000);
    const other = await settle(zim.sendMessage({ ...message, message: 'other' } as ZIMMessage, 'bob', Peer, CONFIG));
    expect(other.message.messageSeq).toBe(2);
    const again = await settle(zim.sendMessage({ ...message }, 'bob', Peer, { ...CONFIG, isRetrySend: true }));
    expect(again.message.messageSeq).toBe(1);
    expect(server.logs.between('alice', 'bob')).toHaveLength(2);
  });

  it('has the older name too', async () => {
    await login(zim, 'alice');
    const sent = await settle(zim.sendPeerMessage(text('x'), 'bob', CONFIG));
    expect(sent.message.conversationID).toBe('bob');
  });
});

describe('the conversation list', () => {
  it('tells of a new conversation before its first message, then its name', async () => {
    await login(zim, 'alice');
    told.length = 0;
    server.post('bob', 'alice', 'hi');
    await pass(100);
    expect(told.map(({ name }) => name)).toEqual([
      'conversationChanged',
      'conversationTotalUnreadMessageCountUpdated',
      'receivePeerMessage',
      'conversationChanged',
    ]);
    expect(data('conversationChanged')).toMatchObject([
      { infoList: [{ event: 0, conversation: { conversationID: 'bob', type: 0, unreadMessageCount: 1, lastMessage: { message: 'hi' } } }] },
      { infoList: [{ event: 1, conversation: { conversationID: 'bob', conversationName: 'Bob', unreadMessageCount: 1 } }] },
    ]);
    expect(data('receivePeerMessage')).toMatchObject([
      { fromConversationID: 'bob', messageList: [{ message: 'hi', direction: 1, senderUserID: 'bob', conversationID: 'bob', sentStatus: 1, messageSeq: 1 }] },
    ]);
  });

  it('tells of an own message that was accepted, without counting it', async () => {
    await login(zim, 'alice');
    told.length = 0;
    await settle(zim.sendMessage(text('mine'), 'bob', Peer, CONFIG), 100);
    expect(data('conversationChanged')[0]).toMatchObject({ infoList: [{ event: 0, conversation: { unreadMessageCount: 0, lastMessage: { message: 'mine' } } }] });
    expect(data('conversationTotalUnreadMessageCountUpdated')).toEqual([]);
  });

  it('clearing tells the entry and the total, and counts on from there', async () => {
    server.post('bob', 'alice', 'one');
    server.post('bob', 'alice', 'two');
    server.post('carol', 'alice', 'three');
    await pass(60_000);
    await login(zim, 'alice');
    expect(data('conversationTotalUnreadMessageCountUpdated')).toEqual([{ totalUnreadMessageCount: 3 }]);
    told.length = 0;
    const result = await settle(zim.clearConversationUnreadMessageCount('bob', Peer));
    expect(result).toEqual({ conversationID: 'bob', conversationType: Peer });
    expect(data('conversationChanged')).toMatchObject([{ infoList: [{ event: 1, conversation: { conversationID: 'bob', unreadMessageCount: 0, readMessageSeq: 2 } }] }]);
    expect(data('conversationTotalUnreadMessageCountUpdated')).toEqual([{ totalUnreadMessageCount: 1 }]);
    server.post('bob', 'alice', 'four');
    await pass(10);
    expect(data('conversationTotalUnreadMessageCountUpdated').at(-1)).toEqual({ totalUnreadMessageCount: 2 });
  });

  it('counts what was missed while away once', async () => {
    server.post('bob', 'alice', 'old');
    await pass(60_000);
    await login(zim, 'alice');
    server.down = true;
    server.cut();
    await pass(10);
    for (const word of ['one', 'two', 'three']) server.post('bob', 'alice', word);
    server.down = false;
    await pass(11_000);
    expect(data('receivePeerMessage')).toMatchObject([{ messageList: [{ message: 'one' }, { message: 'two' }, { message: 'three' }] }]);
    expect(data('conversationChanged').at(-1)).toMatchObject({ infoList: [{ conversation: { unreadMessageCount: 4 } }] });
    expect(data('conversationTotalUnreadMessageCountUpdated').at(-1)).toEqual({ totalUnreadMessageCount: 4 });
  });

  it('takes marks of the other devices', async () => {
    await login(zim, 'alice');
    server.post('bob', 'alice', 'one');
    server.post('bob', 'alice', 'two');
    await pass(100);
    server.tell('alice', { case: 'unreadChanged', value: { conversation: { kind: 1, id: 'bob' }, readSeq: 1n } });
    await pass(10);
    expect(data('conversationChanged').at(-1)).toMatchObject({ infoList: [{ conversation: { unreadMessageCount: 1, readMessageSeq: 1 } }] });
  });

  it('is given out in pages, the latest first', async () => {
    for (const user of ['u1', 'u2', 'u3', 'u4', 'u5']) {
      server.post(user, 'alice', 'x');
      await pass(10);
    }
    await login(zim, 'alice');
    const first = await settle(zim.queryConversationList({ count: 2 }));
    expect(first.conversationList.map((c) => c.conversationID)).toEqual(['u5', 'u4']);
    const nextConversation = first.conversationList[1];
    const rest = await settle(zim.queryConversationList({ count: 10, ...(nextConversation && { nextConversation }) }));
    expect(rest.conversationList.map((c) => c.conversationID)).toEqual(['u3', 'u2', 'u1']);
    await settle(zim.clearConversationUnreadMessageCount('u3', Peer));
    const option = { conversationTypes: [Peer], marks: [], isOnlyUnreadConversation: true, pinnedFilter: 0 };
    const unread = await settle(zim.queryConversationList({ count: 4 }, option));
    expect(unread.conversationList.map((c) => c.conversationID)).toEqual(['u5', 'u4', 'u2', 'u1']);
    await expect(zim.queryConversationList({ count: 0 })).rejects.toMatchObject({ code: 6000001 });
  });

  it('is given out as events have left it, also when they came between its pages', async () => {
    for (let i = 0; i < 600; i++) {
      if (i % 100 === 0) await pass(1);
      server.post(`u${i}`, 'alice', 'x');
    }
    await pass(60_000);
    await login(zim, 'alice');
    server.replyFate = () => 200;
    const listing = zim.queryConversationList({ count: 600 });
    await pass(300);
    server.post('u599', 'alice', 'more');
    const { conversationList } = await settle(listing, 500);
    expect(conversationList).toHaveLength(600);
    expect(conversationList.find((c) => c.conversationID === 'u599')?.unreadMessageCount).toBe(2);
    expect(data('conversationTotalUnreadMessageCountUpdated').at(-1)).toEqual({ totalUnreadMessageCount: 601 });
  });
});

describe('queryHistoryMessage', () => {
  async function query(config: object): Promise<ZIMMessage[]> {
    return (await settle(zim.queryHistoryMessage('bob', Peer, config as never))).messageList;
  }

  const words = (list: ZIMMessage[]): unknown[] => list.map((m) => (m as { message?: unknown }).message);

  beforeEach(async () => {
    for (let i = 1; i <= 230; i++) server.post(i % 2 ? 'bob' : 'alice', i % 2 ? 'alice' : 'bob', `m${i}`);
    await login(zim, 'alice');
  });

  it('pages backwards from the newest, each page ascending', async () => {
    const newest = await query({ count: 3, reverse: true });
    expect(words(newest)).toEqual(['m228', 'm229', 'm230']);
    expect(words(await query({ count: 2, reverse: true, nextMessage: newest[0] }))).toEqual(['m226', 'm227']);
  });

  it('pages forwards from the oldest', async () => {
    const oldest = await query({ count: 2, reverse: false });
    expect(words(oldest)).toEqual(['m1', 'm2']);
    expect(words(await query({ count: 2, reverse: false, nextMessage: oldest[1] }))).toEqual(['m3', 'm4']);
  });

  it('gives more than one page of the wire at once, and no more than there is', async () => {
    expect(words(await query({ count: 150, reverse: true }))).toEqual(Array.from({ length: 150 }, (_, i) => `m${81 + i}`));
    expect(await query({ count: 1000, reverse: true })).toHaveLength(230);
    expect(await query({ count: 1000, reverse: false })).toHaveLength(230);
  });

  it('tells own messages from received ones', async () => {
    const [own, theirs] = await query({ count: 2, reverse: false, nextMessage: { type: 1, messageSeq: 1 } });
    expect(own).toMatchObject({ direction: 0, senderUserID: 'alice', conversationID: 'bob' });
    expect(theirs).toMatchObject({ direction: 1, senderUserID: 'bob', conversationID: 'bob' });
  });

  it('is empty for a conversation that has not begun', async () => {
    const result = await settle(zim.queryHistoryMessage('nobody', Peer, { count: 10, reverse: true, mode: 0 }));
    expect(result).toEqual({ conversationID: 'nobody', conversationType: Peer, messageList: [] });
  });

  it('is refused for rooms and groups, and without a count', async () => {
    await expect(zim.queryHistoryMessage('r', ZIMConversationType.Room, { count: 1, reverse: true, mode: 0 })).rejects.toMatchObject({ code: 6000013 });
    await expect(zim.queryHistoryMessage('bob', Peer, {} as never)).rejects.toMatchObject({ code: 6000001 });
  });

  it('waits for the connection and answers over a reconnect', async () => {
    server.cut();
    await pass(2);
    expect(await settle(zim.queryHistoryMessage('bob', Peer, { count: 1, reverse: true, mode: 0 }), 500)).toMatchObject({ messageList: [{ message: 'm230' }] });
  });

  it('gives up with a network error when the server stays away', async () => {
    server.down = true;
    server.cut();
    await pass(2);
    await expect(settle(zim.queryHistoryMessage('bob', Peer, { count: 1, reverse: true, mode: 0 }), 16_000)).rejects.toMatchObject({ code: 6000104 });
  });
});

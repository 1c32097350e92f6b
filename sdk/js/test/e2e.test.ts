import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ChatClient } from '../src/client.js';
import type { Message } from '../src/domain.js';
import { ZIMConversationType } from '../src/zim/enums/index.js';
import type { ZIMMessage } from '../src/zim/index.js';
import { ZIM } from '../src/zim/index.js';
import { peer, textOf } from './fake/app.js';
import { bin, Program } from './real/program.js';
import { CONFIG, text } from './fake/zim.js';

const LOGIN = { userName: '', isOfflineLogin: false, customStatus: '', customStatusDuration: 0 };

describe.skipIf(!bin)('with the real server', { timeout: 60_000 }, () => {
  const server = new Program();
  const clients: ChatClient[] = [];

  beforeAll(() => server.start(), 60_000);
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(() => server.remove());

  async function enter(userID: string): Promise<{ client: ChatClient; got: Message[] }> {
    const client = new ChatClient({ server: server.url, WebSocket });
    clients.push(client);
    const got: Message[] = [];
    client.on('messages', (_ref, messages) => got.push(...messages));
    await client.login({ userID, ...(await server.ticket(userID)) });
    return { client, got };
  }

  const say = (client: ChatClient, to: string, text: string): Promise<Message> =>
    client.send({ conversation: peer(to), type: 1, body: new TextEncoder().encode(text) });

  it('carries messages both ways, in order, and keeps history, list and unread', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob');
    const sent = await Promise.all(Array.from({ length: 50 }, (_, i) => say(alice.client, 'bob', `m${i}`)));
    expect(sent.map((m) => m.seq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    await vi.waitUntil(() => bob.got.length >= 50, { timeout: 5000 });
    expect(bob.got.map(textOf)).toEqual(sent.map(textOf));
    const page = await bob.client.history({ conversation: peer('alice'), afterSeq: 0, beforeSeq: 0, count: 10, newestFirst: true });
    expect(page.messages.map(textOf)).toEqual(sent.slice(40).map(textOf));
    expect(page).toMatchObject({ firstSeq: 41, lastSeq: 50, headSeq: 50 });
    const list = await bob.client.list({ count: 10 });
    expect(list.conversations).toMatchObject([{ ref: peer('alice'), name: 'Alice', unread: 50, headSeq: 50 }]);
    await bob.client.clearUnread(peer('alice'));
    expect(bob.client.conversation(peer('alice'))).toMatchObject({ unread: 0, readSeq: 50 });
    expect(await bob.client.list({ count: 10 })).toMatchObject({ totalUnread: 0 });
    await say(bob.client, 'alice', 'back');
    await vi.waitUntil(() => alice.got.length === 1, { timeout: 5000 });
    expect(alice.got).toMatchObject([{ senderID: 'bob', seq: 51 }]);
  });

  it('refuses what is not allowed with the right code', async () => {
    const { client } = await enter('alice');
    await expect(say(client, 'nobody-there', 'x')).rejects.toMatchObject({ code: 6000204 });
    await expect(say(client, 'alice', 'x')).rejects.toMatchObject({ code: 6000001 });
    await expect(say(client, 'bob', '  ')).rejects.toMatchObject({ code: 6000001 });
    await expect(say(client, 'bob', 'x'.repeat(40_000))).rejects.toMatchObject({ code: 6000001 });
    const other = new ChatClient({ server: server.url, WebSocket });
    clients.push(other);
    const { appID, token } = await server.ticket('bob');
    await expect(other.login({ appID, token, userID: 'carol' })).rejects.toMatchObject({ code: 6000101 });
    await expect(other.login({ appID, token: 'garbage', userID: 'bob' })).rejects.toMatchObject({ code: 6000103 });
  });

  it('a login on another device ends the older one', async () => {
    const first = await enter('dave');
    const ended = new Promise((resolve) => first.client.on('state', (change) => change.state === 'disconnected' && resolve(change)));
    await enter('dave');
    expect(await ended).toMatchObject({ state: 'disconnected', reason: 'kicked' });
  });

  it('stores a message once, sent again by another instance after a new login, from another tab and after a reload', async () => {
    await enter('frank');
    ZIM.getInstance()?.destroy();
    const first = ZIM.create({ appID: 1, server: server.url, WebSocket }) as ZIM;
    const { token } = await server.ticket('erin');
    await first.login('erin', { ...LOGIN, token });
    const message: ZIMMessage = text('once');
    const sending = first.sendMessage(message, 'frank', ZIMConversationType.Peer, CONFIG);
    const kept = JSON.stringify(message);
    await sending;
    first.destroy();
    // As if the answer had been lost: what was kept says that it is being sent.
    for (const how of ['a reload', 'another tab']) {
      const zim = ZIM.create({ appID: 1, server: server.url, WebSocket }) as ZIM;
      await zim.login('erin', { ...LOGIN, token });
      const { message: again } = await zim.sendMessage(JSON.parse(kept) as ZIMMessage, 'frank', ZIMConversationType.Peer, CONFIG);
      expect([how, again.messageID]).toEqual([how, message.messageID]);
      zim.destroy();
    }
    const other = await enter('erin');
    const clientMessageID = message.localMessageID as string;
    const draft = { conversation: peer('frank'), type: 1, body: new TextEncoder().encode('once'), clientMessageID };
    expect((await Promise.all([other.client.send(draft), other.client.send(draft)])).map((m) => m.seq)).toEqual([1, 1]);
    await expect(other.client.send({ ...draft, body: new Uint8Array([65]) })).rejects.toMatchObject({ code: 6009002 });
    const page = await other.client.history({ conversation: peer('frank'), afterSeq: 0, beforeSeq: 0, count: 10, newestFirst: true });
    expect(page.messages.map((m) => [textOf(m), m.clientMessageID])).toEqual([['once', clientMessageID]]);
  });

  it('delivers everything once and in order over kills of the server', async () => {
    const carol = await enter('carol');
    const dave = await enter('dave');
    const sends: Promise<Message>[] = [];
    for (let i = 0; i < 60; i++) {
      sends.push(say(carol.client, 'dave', `k${i}`));
      if (i % 20 === 10) {
        await sends[i - 5];
        await server.kill();
        sends.push(say(carol.client, 'dave', `down${i}`));
        await server.start();
      }
    }
    const sent = await Promise.all(sends);
    expect(sent.map((m) => m.seq)).toEqual(sent.map((_, i) => i + 1));
    await vi.waitUntil(() => dave.got.length >= sent.length, { timeout: 20_000 });
    expect(dave.got.map(textOf)).toEqual(sent.map(textOf));
    const page = await carol.client.history({ conversation: peer('dave'), afterSeq: 0, beforeSeq: 0, count: 100, newestFirst: false });
    expect(page.messages.map(textOf)).toEqual(sent.map(textOf));
  });
});

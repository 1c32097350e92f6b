import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as pb from '../src/gen/wire/wire_pb.js';
import { fromHex } from '../src/hex.js';
import { isMessageID, issuedAtOf, newMessageID } from '../src/messageid.js';
import { ZIMConversationType } from '../src/zim/enums/index.js';
import type { ZIM, ZIMMessage } from '../src/zim/index.js';
import { App, pass, peer } from './fake/app.js';
import { contentOf, FakeServer } from './fake/server.js';
import { CONFIG, createZIM, login, text } from './fake/zim.js';

// One message stays one message, whoever sends it again, how often, and when.

const Peer = ZIMConversationType.Peer;

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => vi.useRealTimers());

function stored(a = 'alice', b = 'bob'): string[] {
  return server.logs.between(a, b).map((m) => new TextDecoder().decode(contentOf(m).body));
}

async function settle<T>(promise: Promise<T>, ms = 50): Promise<T> {
  promise.catch(() => undefined);
  await pass(ms);
  return promise;
}

/** Sends a message that the server stores without the app learning of it. */
async function failUnknown(zim: ZIM, message: ZIMMessage): Promise<void> {
  server.ackFate = () => 'cut';
  const sending = zim.sendMessage(message, 'bob', Peer, CONFIG);
  sending.catch(() => undefined);
  await pass(3);
  server.down = true;
  await pass(301_000);
  await expect(sending).rejects.toMatchObject({ code: 6000104 });
  server.down = false;
  server.ackFate = () => 0;
  await pass(11_000);
}

describe('a client message id', () => {
  it('carries the time of the first attempt', () => {
    const at = Date.UTC(2026, 10, 30);
    const id = newMessageID(at);
    expect(isMessageID(id)).toBe(true);
    expect(issuedAtOf(id)).toBe(at);
    expect(newMessageID(at)).not.toBe(id);
  });

  it('sent through the core with the same content is one message, at once, later and in a new login', async () => {
    const app = new App(server);
    await app.login('alice');
    const clientMessageID = app.client.newMessageID();
    const draft = { conversation: peer('bob'), type: 1, body: new TextEncoder().encode('once'), clientMessageID };
    const both = [app.client.send(draft), app.client.send({ ...draft, body: draft.body.slice() })];
    const later = app.send('bob', 'later');
    await pass(50);
    expect((await Promise.all([...both, later])).map((m) => m.seq)).toEqual([1, 1, 2]);
    expect((await settle(app.client.send(draft))).seq).toBe(1);
    app.client.logout();
    await app.login('alice');
    expect((await settle(app.client.send(draft))).seq).toBe(1);
    expect(stored()).toEqual(['once', 'later']);
    expect(new Set(server.sends.filter((s) => contentOf(s).body.length === 4).map((s) => Number(s.issuedAtMs)))).toEqual(new Set([issuedAtOf(clientMessageID)]));
  });

  it('under which another content is seen while it is under way is not taken for sent', async () => {
    const app = new App(server);
    await app.login('alice');
    const clientMessageID = app.client.newMessageID();
    server.onSend = () => 'swallow';
    const outcome = vi.fn();
    app.client.send({ conversation: peer('bob'), type: 1, body: new Uint8Array([65]), clientMessageID }).then(outcome, outcome);
    await pass(5);
    const content = toBinary(pb.ContentSchema, create(pb.ContentSchema, { body: new TextEncoder().encode('once') }));
    const { message } = server.logs.append('alice', { conversation: { id: 'bob' }, type: 1, content, clientMessageId: fromHex(clientMessageID) }, server.now());
    server.tell('alice', { case: 'message', value: message });
    await pass(2_000);
    expect(app.received.map((m) => m.seq)).toEqual([1]);
    expect(outcome).not.toHaveBeenCalled();
    app.client.close();
  });

  it('is refused when it has another form, and while another message with it is under way', async () => {
    const app = new App(server);
    await app.login('alice');
    const draft = { conversation: peer('bob'), type: 1, body: new Uint8Array([65]), clientMessageID: app.client.newMessageID() };
    await expect(app.client.send({ ...draft, clientMessageID: 'mine' })).rejects.toMatchObject({ code: 6000001 });
    const first = app.client.send(draft);
    await expect(app.client.send({ ...draft, body: new Uint8Array([66]) })).rejects.toMatchObject({ code: 6009002 });
    const elsewhere = app.client.send({ ...draft, conversation: peer('carol') });
    await pass(50);
    expect([(await first).seq, (await elsewhere).seq]).toEqual([1, 1]);
  });
});

describe('a message object that is sent again', () => {
  it('twice at once, after it has failed, blocks nothing and is stored once', async () => {
    const { zim } = createZIM(server);
    await login(zim, 'alice');
    const message = text('double click');
    await failUnknown(zim, message);
    const clicks = [zim.sendMessage(message, 'bob', Peer, CONFIG), zim.sendMessage(message, 'bob', Peer, CONFIG)];
    const other = zim.sendMessage(text('another'), 'bob', Peer, CONFIG);
    await pass(50);
    expect((await Promise.all([...clicks, other])).map((r) => r.message.messageSeq)).toEqual([1, 1, 2]);
    expect(message.sentStatus).toBe(1);
    expect(stored()).toEqual(['double click', 'another']);
    zim.destroy();
  });

  it.each(['the same object', 'what storage has kept'])('by a new instance, as %s, is stored once', async (form) => {
    let { zim } = createZIM(server);
    await login(zim, 'alice');
    const message = text('once');
    server.ackFate = () => 'cut';
    zim.sendMessage(message, 'bob', Peer, CONFIG).catch(() => undefined);
    await pass(3);
    const kept = form === 'the same object' ? message : (JSON.parse(JSON.stringify(message)) as ZIMMessage);
    zim.destroy();
    server.ackFate = () => 0;
    ({ zim } = createZIM(server));
    await login(zim, 'alice');
    const again = await settle(zim.sendMessage(kept, 'bob', Peer, { ...CONFIG, isRetrySend: true }));
    expect(again.message).toMatchObject({ messageSeq: 1, sentStatus: 1 });
    expect(stored()).toEqual(['once']);
    zim.destroy();
  });

  it.each([6000122, 6000106])('after the login has ended with %d is stored once', async (code) => {
    const { zim } = createZIM(server);
    await login(zim, 'alice');
    server.ackFate = () => 'cut';
    server.refuseHello = (hello) => (hello.resume ? { code, message: 'Over.' } : undefined);
    const message = text('once');
    const sending = zim.sendMessage(message, 'bob', Peer, CONFIG);
    await expect(settle(sending, 2000)).rejects.toMatchObject({ code: 6000104 });
    server.ackFate = () => 0;
    await login(zim, 'alice');
    await settle(zim.sendMessage(message, 'bob', Peer, CONFIG));
    expect(stored()).toEqual(['once']);
    zim.destroy();
  });

  it('with another text under the id of one that was stored is another message', async () => {
    const { zim } = createZIM(server);
    await login(zim, 'alice');
    const message = text('first');
    await failUnknown(zim, message);
    const before = message.localMessageID;
    message.message = 'second';
    await settle(zim.sendMessage(message, 'bob', Peer, CONFIG));
    expect(stored()).toEqual(['first', 'second']);
    expect(message.localMessageID).not.toBe(before);
    zim.destroy();
  });

  it('used as a template, with the first text still under way, is another message', async () => {
    const { zim } = createZIM(server);
    await login(zim, 'alice');
    const template = text('a');
    const first = zim.sendMessage(template, 'bob', Peer, CONFIG);
    template.message = 'b';
    await settle(Promise.all([first, zim.sendMessage(template, 'bob', Peer, CONFIG)]));
    expect(stored()).toEqual(['a', 'b']);
    zim.destroy();
  });

  it('once it was sent is a new message; so is one with an id of the app, or for another conversation', async () => {
    const { zim } = createZIM(server);
    await login(zim, 'alice');
    const message = text('again');
    await settle(zim.sendMessage(message, 'bob', Peer, CONFIG));
    await settle(zim.sendMessage(message, 'bob', Peer, CONFIG));
    await settle(zim.sendMessage({ ...text('own id'), localMessageID: 'f'.repeat(32) }, 'bob', Peer, CONFIG));
    expect(stored()).toEqual(['again', 'again', 'own id']);
    await settle(zim.sendMessage({ ...message, sentStatus: 2 }, 'carol', Peer, CONFIG));
    expect(stored('alice', 'carol')).toEqual(['again']);
    zim.destroy();
  });

  it('as a command goes out each time', async () => {
    const { zim } = createZIM(server);
    await login(zim, 'alice');
    const typing = { type: 2, message: new Uint8Array([1]) } as ZIMMessage;
    await settle(Promise.all([zim.sendMessage(typing, 'bob', Peer, CONFIG), zim.sendMessage(typing, 'bob', Peer, CONFIG)]));
    expect(server.sends).toHaveLength(2);
    zim.destroy();
  });
});

describe('a message object that the app freezes', () => {
  it.each(['before', 'in onMessageAttached'])('%s is sent, and the result holds what the object cannot', async (when) => {
    const { zim } = createZIM(server);
    await login(zim, 'alice');
    const message = when === 'before' ? Object.freeze(text('x')) : text('x');
    const sending = zim.sendMessage(message, 'bob', Peer, Object.freeze({ ...CONFIG }), { onMessageAttached: (m) => void Object.freeze(m) });
    const { message: sent } = await settle(sending);
    expect(sent).toMatchObject({ message: 'x', messageSeq: 1, sentStatus: 1, messageID: 'alice-bob-1' });
    zim.destroy();
  });

  it.each(['before', 'in onMessageAttached'])('%s and that has failed is stored once when it is sent again', async (when) => {
    const { zim } = createZIM(server);
    await login(zim, 'alice');
    const message = when === 'before' ? Object.freeze(text('x')) : text('x');
    server.ackFate = () => 'cut';
    const sending = zim.sendMessage(message, 'bob', Peer, CONFIG, { onMessageAttached: (m) => void Object.freeze(m) });
    sending.catch(() => undefined);
    await pass(3);
    zim.logout();
    await pass(3);
    server.ackFate = () => 0;
    await login(zim, 'alice');
    const again = await settle(zim.sendMessage(message, 'bob', Peer, CONFIG));
    expect(again.message).toMatchObject({ messageSeq: 1, sentStatus: 1 });
    expect(stored()).toEqual(['x']);
    // Sent at last: a further call is another message.
    await settle(zim.sendMessage(message, 'bob', Peer, CONFIG));
    expect(stored()).toHaveLength(2);
    zim.destroy();
  });
});

it('two messages of one millisecond stand in the order in which they were sent', async () => {
  const { zim } = createZIM(server);
  await login(zim, 'alice');
  const messages = ['a', 'b', 'c'].map(text);
  const sending = messages.map((message) => zim.sendMessage(message, 'bob', Peer, CONFIG));
  const keys = messages.map((message) => message.orderKey as number);
  expect(keys).toEqual([...new Set(keys)].sort((a, b) => a - b));
  await settle(Promise.all(sending));
  zim.destroy();
});

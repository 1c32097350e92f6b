import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { App, pass } from './fake/app.js';
import { FakeServer } from './fake/server.js';

let server: FakeServer;
let alice: App;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  alice = new App(server);
});

afterEach(() => vi.useRealTimers());

/** Posts from bob to alice, so long ago that a login does not count it as new. */
async function postOld(...texts: string[]): Promise<void> {
  for (const text of texts) server.post('bob', 'alice', text);
  await pass(60_000);
}

describe('receiving', () => {
  it('gives out pushes in order', async () => {
    await alice.login('alice');
    for (const text of ['a', 'b', 'c']) server.post('bob', 'alice', text);
    await pass(10);
    expect(alice.texts).toEqual(['a', 'b', 'c']);
  });

  it('does not give out what was there before the login', async () => {
    await postOld('old');
    await alice.login('alice');
    server.post('bob', 'alice', 'new');
    await pass(1000);
    expect(alice.texts).toEqual(['new']);
  });

  it('skips a push of a newer server', async () => {
    await alice.login('alice');
    for (const conn of server.conns) conn.peer.send(new Uint8Array([0xba, 0x25, 0x01, 0x00]), 0); // field 599
    await pass(5);
    server.post('bob', 'alice', 'after it');
    await pass(10);
    expect(alice.texts).toEqual(['after it']);
    expect(server.hellos).toHaveLength(1);
  });

  it('fetches a lost push before the next one is given out', async () => {
    await postOld('old');
    await alice.login('alice');
    let lost = 2;
    server.pushFate = () => (lost-- > 0 ? 'lost' : 0);
    for (const text of ['a', 'b', 'c']) server.post('bob', 'alice', text);
    await pass(10);
    expect(alice.texts).toEqual(['a', 'b', 'c']);
    expect(server.asked.filter((kind) => kind === 'queryMessages')).toHaveLength(1);
  });

  it('finds the beginning of a conversation that it has not seen', async () => {
    for (let i = 0; i < 30; i++) server.post('bob', 'alice', `old ${i}`);
    await pass(3_000);
    await alice.login('alice');
    let lost = 25;
    server.pushFate = () => (lost-- > 0 ? 'lost' : 0);
    const texts = Array.from({ length: 26 }, (_, i) => `new ${i}`);
    for (const text of texts) server.post('bob', 'alice', text);
    await pass(1000);
    expect(alice.texts).toEqual(texts);
  });

  it('waits a little when an answer overtakes a push, and fetches nothing', async () => {
    await postOld('old');
    await alice.login('alice');
    server.pushFate = () => 100;
    server.post('bob', 'alice', 'theirs');
    const mine = alice.send('bob', 'mine');
    await pass(50);
    await mine;
    expect(alice.texts).toEqual([]);
    await pass(500);
    expect(alice.texts).toEqual(['theirs']);
    expect(server.asked).not.toContain('queryMessages');
  });

  it('fetches what an answer has overtaken when the push does not come', async () => {
    await postOld('old');
    await alice.login('alice');
    server.pushFate = () => 'lost';
    server.post('bob', 'alice', 'theirs');
    const mine = alice.send('bob', 'mine');
    await pass(1000);
    await mine;
    expect(alice.texts).toEqual(['theirs']);
  });

  it('waits for its own answer when a push overtakes it', async () => {
    await postOld('old');
    await alice.login('alice');
    server.ackFate = () => 100;
    const mine = alice.send('bob', 'mine');
    await pass(5);
    server.post('bob', 'alice', 'theirs');
    await pass(50);
    expect(alice.texts).toEqual([]);
    await pass(500);
    await mine;
    expect(alice.texts).toEqual(['theirs']);
    expect(server.asked).not.toContain('queryMessages');
  });

  it('gives out a repeated push once', async () => {
    await alice.login('alice');
    const message = server.post('bob', 'alice', 'once');
    server.tell('alice', { case: 'message', value: message });
    await pass(10);
    expect(alice.texts).toEqual(['once']);
  });

  it('gives out command messages as they come, without a place in the order', async () => {
    await alice.login('alice');
    server.post('bob', 'alice', 'ring', 2);
    await pass(10);
    expect(alice.received).toMatchObject([{ type: 2, seq: 0 }]);
    expect(alice.changes).toEqual([]);
  });

  it('gives out own messages of another device', async () => {
    await alice.login('alice');
    server.post('alice', 'bob', 'from my phone');
    await pass(10);
    expect(alice.received).toMatchObject([{ senderID: 'alice', conversation: { kind: 'peer', id: 'bob' } }]);
  });
});

describe('after a loss', () => {
  it('gives out what was missed, in order and once, also of new conversations', async () => {
    await postOld('old');
    await alice.login('alice');
    server.post('bob', 'alice', 'b1');
    await pass(10);
    server.down = true;
    server.cut();
    await pass(5_000);
    for (let i = 2; i <= 250; i++) server.post('bob', 'alice', `b${i}`);
    server.post('carol', 'alice', 'c1');
    server.post('carol', 'alice', 'c2');
    server.down = false;
    await pass(15_000);
    server.post('bob', 'alice', 'b251');
    await pass(100);
    const from = (user: string): string[] => alice.texts.filter((_, i) => alice.received[i]?.senderID === user);
    expect(from('bob')).toEqual(Array.from({ length: 251 }, (_, i) => `b${i + 1}`));
    expect(from('carol')).toEqual(['c1', 'c2']);
  });

  it('asks only for what changed since a while before the loss', async () => {
    await postOld('old');
    await pass(3_600_000);
    await alice.login('alice');
    server.cut();
    await pass(1000);
    expect(server.asked.filter((kind) => kind === 'listConversations')).toHaveLength(2);
    expect(server.asked).not.toContain('queryMessages');
  });

  it('pulls what was dropped when told that it is behind', async () => {
    await postOld('old');
    await alice.login('alice');
    server.pushFate = () => 'lost';
    server.post('bob', 'alice', 'dropped 1');
    server.post('bob', 'alice', 'dropped 2');
    server.post('carol', 'alice', 'dropped 3');
    await pass(10);
    expect(alice.texts).toEqual([]);
    server.tell('alice', { case: 'behind', value: {} });
    await pass(100);
    expect(alice.texts).toEqual(['dropped 1', 'dropped 2', 'dropped 3']);
  });

  it('catches up later when the server could not answer at first', async () => {
    await postOld('old');
    await alice.login('alice');
    server.down = true;
    server.cut();
    await pass(100);
    server.post('bob', 'alice', 'missed');
    const { list } = server.logs;
    let failures = 2;
    server.logs.list = (...args): ReturnType<typeof list> => {
      if (failures-- > 0) throw new Error('not now');
      return list.apply(server.logs, args);
    };
    server.down = false;
    await pass(30_000);
    expect(alice.texts).toEqual(['missed']);
  });

  it('looks back as far again when the connection breaks while catching up', async () => {
    await postOld('old');
    await alice.login('alice');
    server.down = true;
    server.cut();
    await pass(100);
    server.post('bob', 'alice', 'missed');
    await pass(400_000);
    server.down = false;
    const { handle } = server as unknown as { handle: (...args: unknown[]) => void };
    let cuts = 1;
    Object.assign(server, {
      handle: (...args: [unknown, number, { case: string }]) => {
        if (args[2].case === 'listConversations' && cuts-- > 0) server.cut();
        else handle.apply(server, args);
      },
    });
    await pass(30_000);
    expect(alice.texts).toEqual(['missed']);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ChatClient } from '../src/client.js';
import type { Message } from '../src/domain.js';
import { peer, textOf } from './fake/app.js';
import { bin, Cluster, Program } from './real/program.js';
import { Proxy } from './real/proxy.js';
import { Watchdog } from './watchdog.js';

/** A client, and what it reports. */
interface Member {
  readonly client: ChatClient;
  readonly got: Message[];
  readonly path: string[];
}

const clients: ChatClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function enter(node: Program, userID: string, server: string | string[], options = {}): Promise<Member> {
  const client = new ChatClient({ server, WebSocket, random: () => 0, ...options });
  clients.push(client);
  const member: Member = { client, got: [], path: [] };
  client.on('messages', (_ref, messages) => member.got.push(...messages));
  client.on('state', ({ state }) => member.path.push(state));
  await client.login({ userID, ...(await node.ticket(userID)) });
  return member;
}

function say({ client }: Member, to: string, text: string): Promise<Message> {
  return client.send({ conversation: peer(to), type: 1, body: new TextEncoder().encode(text) });
}

describe.skipIf(!bin)('behind a bad network', { timeout: 60_000 }, () => {
  let node: Program;
  let proxy: Proxy;
  let other: Proxy;

  beforeAll(async () => {
    node = await new Program().start();
  }, 60_000);
  afterAll(() => node.remove());
  beforeEach(async () => {
    [proxy, other] = await Promise.all([Proxy.before(node.url), Proxy.before(node.url)]);
  });
  afterEach(() => Promise.all([proxy.close(), other.close()]));

  it.each(['logout', 'close'] as const)('%s settles all questions under way at once and does not hold the event loop', async (end) => {
    const alice = await enter(node, 'alice', proxy.url);
    proxy.down.stalled = true;
    const page = { conversation: peer('bob'), afterSeq: 0, beforeSeq: 0, count: 50, newestFirst: true };
    const asked = Array.from({ length: 250 }, () => alice.client.history(page).then(() => 'page', (error: { code: number }) => error.code));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const watchdog = new Watchdog();
    alice.client[end]();
    expect(new Set(await Promise.all(asked))).toEqual(new Set([6000104]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(watchdog.stop()).toBeLessThan(50);
  });

  it('a slow line is not cut while pages of history come', async () => {
    const [dave, erin] = await Promise.all([enter(node, 'dave', node.url), enter(node, 'erin', [proxy.url, other.url], { requestTimeoutMs: 60_000 })]);
    for (let i = 0; i < 15; i++) await say(dave, 'erin', 'x'.repeat(30_000));
    await vi.waitUntil(() => erin.got.length === 15);
    proxy.down.bytesPerSecond = other.down.bytesPerSecond = 45_000;
    for (let beforeSeq = 0; beforeSeq !== 1; ) {
      const page = await erin.client.history({ conversation: peer('dave'), afterSeq: 0, beforeSeq, count: 15, newestFirst: true });
      beforeSeq = page.firstSeq;
    }
    expect(erin.path).toEqual(['connecting', 'connected']);
  });

  it('messages whose answers are lost are stored once and in order', async () => {
    const [carol, bob] = await Promise.all([enter(node, 'carol', proxy.url), enter(node, 'bob', node.url)]);
    const texts: string[] = [];
    const sent: Promise<Message>[] = [];
    for (let round = 0; round < 5; round++) {
      proxy.down.stalled = true;
      for (let i = 0; i < 5; i++) {
        texts.push(`${round}.${i}`);
        sent.push(say(carol, 'bob', `${round}.${i}`));
      }
      await vi.waitUntil(() => bob.got.length > round * 5);
      proxy.down.stalled = false;
      // Some of the answers arrive, the last one in half.
      proxy.down.bytesUntilCut = 20 + round * 37;
      await vi.waitUntil(() => carol.client.state === 'connected' && bob.got.length === texts.length, { timeout: 20_000 });
    }
    expect((await Promise.all(sent)).map(textOf)).toEqual(texts);
    expect(bob.got.map(textOf)).toEqual(texts);
    expect(bob.got.map((m) => m.seq)).toEqual(texts.map((_, i) => i + 1));
  });

  it('a message that is cut off on its way out is sent again', async () => {
    const [frank, bob] = await Promise.all([enter(node, 'frank', proxy.url), enter(node, 'bob', node.url)]);
    proxy.up.bytesUntilCut = 10_000;
    const sent = await say(frank, 'bob', 'y'.repeat(30_000));
    await vi.waitUntil(() => bob.got.length === 1);
    expect(sent.seq).toBe(1);
    expect(frank.path).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
  });
});

describe.skipIf(!bin)('a cluster', { timeout: 120_000 }, () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start(3);
  }, 120_000);
  afterAll(() => cluster.remove());

  it('stops one of its nodes without any client seeing it', async () => {
    const [first, second] = cluster.nodes as [Program, Program];
    const members: Member[] = [];
    for (let i = 0; i < MEMBERS; i++) {
      // All begin with the node that will go, and move at moments of their own.
      let begun = false;
      const random = (): number => (begun ? Math.random() : ((begun = true), 0));
      members.push(await enter(second, `user${i}`, cluster.urls, { random }));
    }
    // A cluster that has just been founded moves its shards: a login may have waited.
    for (const { path } of members) path.length = 0;
    const asking = members.map(async ({ client }, i) => {
      for (let n = 0; n < 30; n++) await client.send({ conversation: peer(`user${(i + 1) % MEMBERS}`), type: 1, body: new TextEncoder().encode(String(n)) });
    });
    await first.stop();
    await Promise.all(asking);
    await vi.waitUntil(() => members.every(({ got }) => got.length === 30), { timeout: 30_000 });
    for (const { got, path } of members) {
      expect(path).toEqual([]);
      expect(got.map(textOf)).toEqual(got.map((_, n) => String(n)));
    }
  });
});

const MEMBERS = Number(process.env['PARLEY_MEMBERS'] ?? 12);

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { App, pass } from './fake/app.js';
import type { Conn } from './fake/server.js';
import { FakeServer } from './fake/server.js';

/** A small generator of numbers from 0 to 1 that a seed repeats (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/**
 * Pushes are lost, delayed past answers and past each other's conversations;
 * answers come late or are cut off; the connection breaks. The order of pushes
 * within a conversation is kept, as the contract promises.
 */
function disturb(server: FakeServer, random: () => number): void {
  const lateness = new Map<Conn, Map<string, number>>();
  server.pushFate = (message, conn) => {
    if (random() < 0.15) {
      setTimeout(() => server.tell(conn.user, { case: 'behind', value: {} }), random() * 500);
      return 'lost';
    }
    const key = [message.senderId, message.targetId].sort().join('|');
    const times = lateness.get(conn) ?? new Map<string, number>();
    lateness.set(conn, times);
    const at = Math.max(times.get(key) ?? 0, Date.now() + Math.floor(random() * 400));
    times.set(key, at);
    return at - Date.now();
  };
  server.ackFate = () => (random() < 0.05 ? 'cut' : Math.floor(random() * 300));
  server.onSend = () => (random() < 0.1 ? { code: 6000005, message: 'Busy.', retryable: true } : undefined);
}

async function run(seed: number): Promise<{ server: FakeServer; apps: Map<string, App> }> {
  const random = seeded(seed);
  const server = new FakeServer();
  for (const old of ['alice', 'bob']) server.post('carol', old, 'from before');
  await pass(random() < 0.5 ? 60_000 : 1_000);
  const apps = new Map(['alice', 'bob', 'carol'].map((user) => [user, new App(server, { random })]));
  for (const [user, app] of apps) await app.login(user);
  disturb(server, random);
  const users = [...apps.keys()];
  const sends: Promise<unknown>[] = [];
  for (let i = 0; i < 80; i++) {
    const from = users[Math.floor(random() * 3)] as string;
    const to = users.filter((user) => user !== from)[Math.floor(random() * 2)] as string;
    sends.push((apps.get(from) as App).send(to, `${from} ${i}`));
    if (random() < 0.06) server.cut();
    if (random() < 0.03) {
      server.down = true;
      setTimeout(() => (server.down = false), random() * 8000);
      server.cut();
    }
    await pass(Math.floor(random() * 300));
  }
  server.pushFate = () => 0;
  server.ackFate = () => 0;
  server.onSend = undefined;
  server.down = false;
  await pass(60_000);
  await Promise.all(sends);
  return { server, apps };
}

describe('under random trouble', () => {
  it.each(Array.from({ length: 40 }, (_, i) => i + 1))('every message arrives once and in order (seed %i)', async (seed) => {
    const { server, apps } = await run(seed);
    for (const [user, app] of apps) {
      for (const other of apps.keys()) {
        if (other === user) continue;
        const expected = server.logs.between(user, other).filter((m) => m.senderId === other && !isOld(m.body)).map((m) => Number(m.seq));
        const got = app.received.filter((m) => m.conversation.id === other && m.senderID === other).map((m) => m.seq);
        expect(got, `${user} hears ${other}`).toEqual(expected);
      }
      expect(app.received.filter((m) => m.senderID === user), `${user} is not told of own messages`).toEqual([]);
    }
    expect(countOf(server, apps)).toBe(80 + 2);
    for (const [a, b] of pairs(apps)) {
      for (const sender of [a, b]) expect(numbersOf(server, a, b, sender), `${sender} writes in order`).toEqual(sortedNumbersOf(server, a, b, sender));
    }
  });
});

function isOld(body: Uint8Array): boolean {
  return new TextDecoder().decode(body) === 'from before';
}

function pairs(apps: Map<string, App>): [string, string][] {
  const users = [...apps.keys()];
  return users.flatMap((a, i) => users.slice(i + 1).map((b): [string, string] => [a, b]));
}

function countOf(server: FakeServer, apps: Map<string, App>): number {
  return pairs(apps).reduce((sum, [a, b]) => sum + server.logs.between(a, b).length, 0);
}

/** The numbers that a sender gave to its messages, in the order of the log. */
function numbersOf(server: FakeServer, a: string, b: string, sender: string): number[] {
  const own = server.logs.between(a, b).filter((m) => m.senderId === sender && !isOld(m.body));
  return own.map((m) => Number(new TextDecoder().decode(m.body).split(' ')[1]));
}

function sortedNumbersOf(server: FakeServer, a: string, b: string, sender: string): number[] {
  return numbersOf(server, a, b, sender).sort((x, y) => x - y);
}

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Message } from '../src/domain.js';
import { App, pass, peer } from './fake/app.js';
import type { Conn } from './fake/server.js';
import { contentOf, FakeServer } from './fake/server.js';
import { Watchdog } from './watchdog.js';

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

/**
 * One user at this device through many logins: each is a client of its own. What
 * was not known to be stored is sent again by its next login, under its id.
 */
class Person {
  app: App;
  readonly received: Message[] = [];
  private readonly letters = new Map<string, { to: string; clientMessageID: string }>();
  private away = false;

  constructor(
    private readonly server: FakeServer,
    readonly user: string,
    private readonly random: () => number,
  ) {
    this.app = this.fresh();
  }

  /** Whether everything that this person wrote is known to be stored. */
  get done(): boolean {
    return this.letters.size === 0;
  }

  write(to: string, text: string): void {
    this.letters.set(text, { to, clientMessageID: this.app.client.newMessageID() });
    if (this.app.client.loggedIn) this.post(text);
  }

  /** Ends the login in one of the ways that there are, and comes back a moment later. */
  leave(): void {
    if (this.away || !this.app.client.loggedIn) return;
    this.away = true;
    const roll = this.random();
    if (roll < 0.3) this.app.client.logout();
    else if (roll < 0.6) this.app.client.close();
    else if (roll < 0.8) this.server.cut(4410, this.user);
    else this.server.tell(this.user, { case: 'kicked', value: { reason: 1 } });
    setTimeout(() => this.back(), this.random() * 1000);
  }

  async enter(): Promise<void> {
    const { client } = this.app;
    const entered = client.login({ appID: 1, userID: this.user, token: 't' });
    await entered;
    for (const text of this.letters.keys()) this.post(text);
  }

  /** Asks this and that; nobody waits for the answer. */
  ask(other: string): void {
    const { client } = this.app;
    const page = { conversation: peer(other), afterSeq: 0, beforeSeq: 0, count: 5, newestFirst: true };
    for (const asked of [client.history(page), client.list({ count: 5 }), client.clearUnread(peer(other))]) asked.catch(() => undefined);
    if (this.random() < 0.3) client.renewToken('t2').catch(() => undefined);
    if (this.random() < 0.3) client.reconnectNow();
  }

  private post(text: string): void {
    const { to, clientMessageID } = this.letters.get(text) as { to: string; clientMessageID: string };
    const sent = this.app.client.send({ conversation: peer(to), type: 1, body: new TextEncoder().encode(text), clientMessageID });
    sent.then(
      () => this.letters.delete(text),
      () => undefined,
    );
  }

  // The old client may still be there, when a kick was lost with its link.
  private back(): void {
    this.app.client.close();
    this.app = this.fresh();
    this.away = false;
    this.enter().catch(() => this.leave());
  }

  private fresh(): App {
    const app = new App(this.server, { random: this.random });
    app.client.on('messages', (_ref, messages) => this.received.push(...messages));
    return app;
  }
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
  calm(server);
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
        const expected = server.logs.between(user, other).filter((m) => m.senderId === other && !isOld(contentOf(m).body)).map((m) => Number(m.seq));
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

describe('over random ends of logins', () => {
  it.each(Array.from({ length: 20 }, (_, i) => i + 1))('everything is stored once, nothing arrives twice, no event loop is held (seed %i)', async (seed) => {
    const random = seeded(seed);
    const server = new FakeServer();
    server.replaces = random() < 0.5 ? 'before' : 'after';
    const people = ['alice', 'bob', 'carol'].map((user) => new Person(server, user, random));
    const watchdog = new Watchdog();
    for (const person of people) void person.enter();
    await pass(50);
    disturb(server, random);
    server.replyFate = () => Math.floor(random() * 200);
    for (let i = 0; i < 80; i++) {
      const person = people[Math.floor(random() * 3)] as Person;
      const other = (people.filter((one) => one !== person)[Math.floor(random() * 2)] as Person).user;
      person.write(other, `${person.user} ${i}`);
      if (random() < 0.3 && person.app.client.loggedIn) person.ask(other);
      if (random() < 0.08) person.leave();
      if (random() < 0.06) server.cut();
      if (random() < 0.05) server.tell(person.user, { case: 'reconnect', value: { afterMs: Math.floor(random() * 500) } });
      if (random() < 0.05) {
        server.bytesPerSecond = 500;
        setTimeout(() => (server.bytesPerSecond = Infinity), random() * 5000);
      }
      await pass(Math.floor(random() * 300));
    }
    calm(server);
    await pass(60_000);
    expect(watchdog.stop()).toBeLessThan(50);
    for (const { user, received, done, app } of people) {
      expect([user, done, app.client.state]).toEqual([user, true, 'connected']);
      const keys = received.map((m) => `${m.conversation.id} ${m.seq}`);
      expect(new Set(keys).size, `${user} is told of nothing twice`).toBe(keys.length);
    }
    const stored = pairsOf(people.map(({ user }) => user)).flatMap(([a, b]) => server.logs.between(a, b).map((m) => new TextDecoder().decode(contentOf(m).body)));
    expect(new Set(stored).size).toBe(stored.length);
    expect(stored).toHaveLength(80);
    for (const { app } of people) app.client.close();
    await pass(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** No more trouble. */
function calm(server: FakeServer): void {
  server.pushFate = () => 0;
  server.ackFate = () => 0;
  server.replyFate = () => 0;
  server.onSend = undefined;
  server.down = false;
}

function isOld(body: Uint8Array): boolean {
  return new TextDecoder().decode(body) === 'from before';
}

function pairs(apps: Map<string, App>): [string, string][] {
  return pairsOf([...apps.keys()]);
}

function pairsOf(users: string[]): [string, string][] {
  return users.flatMap((a, i) => users.slice(i + 1).map((b): [string, string] => [a, b]));
}

function countOf(server: FakeServer, apps: Map<string, App>): number {
  return pairs(apps).reduce((sum, [a, b]) => sum + server.logs.between(a, b).length, 0);
}

/** The numbers that a sender gave to its messages, in the order of the log. */
function numbersOf(server: FakeServer, a: string, b: string, sender: string): number[] {
  const own = server.logs.between(a, b).filter((m) => m.senderId === sender && !isOld(contentOf(m).body));
  return own.map((m) => Number(new TextDecoder().decode(contentOf(m).body).split(' ')[1]));
}

function sortedNumbersOf(server: FakeServer, a: string, b: string, sender: string): number[] {
  return numbersOf(server, a, b, sender).sort((x, y) => x - y);
}

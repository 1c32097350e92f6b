import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { App, pass, peer } from './fake/app.js';
import type { WebSocketConstructor } from '../src/socket.js';
import { contentOf, FakeServer } from './fake/server.js';

let server: FakeServer;
const three = ['http://a', 'http://b', 'http://c'];

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => vi.useRealTimers());

describe('several servers', () => {
  it('begins with any of them', async () => {
    for (const [random, first] of [[0, 'ws://a/ws'], [0.5, 'ws://b/ws'], [0.99, 'ws://c/ws']] as const) {
      const app = new App(server, { server: three, random: () => random });
      await app.login('alice');
      expect(server.dialled.at(-1)).toBe(first);
      app.client.close();
    }
  });

  it('is with the next one a moment after the present one died', async () => {
    const app = new App(server, { server: three, random: () => 0 });
    await app.login('alice');
    server.cut();
    await pass(110);
    expect(server.dialled).toEqual(['ws://a/ws', 'ws://b/ws']);
    expect(app.client.state).toBe('connected');
    expect(server.hellos.map((hello) => hello.resume)).toEqual([false, true]);
  });

  it('goes once around quickly, then waits longer and longer', async () => {
    const app = new App(server, { server: three, random: () => 0.99 });
    await app.login('alice');
    server.down = true;
    server.cut();
    await pass(400);
    expect(server.dialled).toEqual(['ws://c/ws', 'ws://a/ws', 'ws://b/ws', 'ws://c/ws']);
    server.dialled.length = 0;
    await pass(20_000);
    expect(server.dialled.length).toBeLessThan(10);
  });

  it('gives up a server that hangs, before its own time would', async () => {
    const app = new App(server, { server: three, random: () => 0 });
    await app.login('alice');
    server.silent = true;
    await pass(8_000 + 50);
    expect(app.path.at(-1)).toBe('reconnecting');
    server.silent = false;
    await pass(2_500);
    expect(app.client.state).toBe('connected');
  });
});

describe('one server that tells of others', () => {
  it('is left for one of them when it dies', async () => {
    server.servers = ['http://fake', 'http://b', 'not an origin'];
    const app = new App(server);
    await app.login('alice');
    server.cut();
    await pass(110);
    expect(server.dialled).toEqual(['ws://fake/ws', 'ws://b/ws']);
    expect(app.client.state).toBe('connected');
  });
});

describe('addresses that a page may not use', () => {
  /** As browsers do on a page of https:. */
  function secureOnly(): WebSocketConstructor {
    const Real = server.WebSocket;
    return class {
      constructor(url: string, protocol: string) {
        if (url.startsWith('ws:')) throw new DOMException('An insecure connection.', 'SecurityError');
        return new Real(url, protocol) as never;
      }
    } as never;
  }

  it('are not learned', async () => {
    server.servers = ['https://a', 'http://10.0.0.2:8080', 'https://b/chat'];
    const app = new App(server, { server: 'https://a', WebSocket: secureOnly() });
    await app.login('alice');
    server.cut();
    await pass(500);
    expect(server.dialled).toEqual(['wss://a/ws', 'wss://b/chat/ws']);
    expect(app.client.state).toBe('connected');
  });

  it('are skipped while there is another one', async () => {
    const app = new App(server, { server: ['http://x', 'http://y', 'https://a'], WebSocket: secureOnly(), random: () => 0 });
    await app.login('alice');
    expect(server.dialled).toEqual(['wss://a/ws']);
    server.tell('alice', { case: 'reconnect', value: { afterMs: 0 } });
    await pass(1_000);
    expect(app.path).toEqual(['connecting', 'connected']);
  });

  it('end the login when there is no other one', async () => {
    const app = new App(server, { server: ['http://x', 'http://y'], WebSocket: secureOnly() });
    await expect(app.client.login({ appID: 1, userID: 'alice', token: 't' })).rejects.toMatchObject({ code: 6000001 });
    expect(app.states.at(-1)).toMatchObject({ state: 'disconnected', reason: 'refused' });
  });
});

describe.each(['before', 'after'] as const)('a node that is going away, its link ended %s the next one is welcomed', (replaces) => {
  beforeEach(() => {
    server.replaces = replaces;
  });

  it('is left without anybody noticing', async () => {
    const app = new App(server, { server: three, random: () => 0.4 });
    await app.login('alice');
    const path = [...app.path];
    server.tell('alice', { case: 'reconnect', value: { afterMs: 1000 } });
    await pass(350);
    expect(server.dialled).toHaveLength(1);
    await pass(100);
    expect(server.dialled).toHaveLength(2);
    expect(server.hellos[1]).toMatchObject({ resume: true, deviceId: server.hellos[0]?.deviceId });
    expect(app.path).toEqual(path);
    // What is said to the new link arrives, and once.
    server.post('bob', 'alice', 'still there?');
    await pass(500);
    expect(app.texts).toEqual(['still there?']);
    await pass(6_000);
    expect(server.conns.size).toBe(1);
    expect(app.path).toEqual(path);
  });

  it('keeps the order of what is sent meanwhile, each once', async () => {
    const app = new App(server, { server: three, random: () => 0.4 });
    await app.login('alice');
    await new App(server).login('bob');
    const sent: Array<Promise<unknown>> = [];
    for (let i = 0; i < 20; i++) sent.push(app.send('bob', String(i)));
    server.tell('alice', { case: 'reconnect', value: { afterMs: 20 } });
    for (let i = 20; i < 40; i++) {
      sent.push(app.send('bob', String(i)));
      await pass(2);
    }
    await pass(10_000);
    await Promise.all(sent);
    expect(server.sends.map((send) => new TextDecoder().decode(contentOf(send).body))).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
  });

  it('answers what was asked meanwhile', async () => {
    const app = new App(server, { server: three, random: () => 0.4 });
    await app.login('alice');
    const asked: Array<Promise<unknown>> = [];
    server.tell('alice', { case: 'reconnect', value: { afterMs: 20 } });
    for (let i = 0; i < 30; i++) {
      asked.push(app.client.list({ count: 1 }), app.client.history({ conversation: peer('bob'), afterSeq: 0, beforeSeq: 0, count: 1, newestFirst: true }));
      await pass(1);
    }
    await pass(1_000);
    await Promise.all(asked);
    expect(app.path).toEqual(['connecting', 'connected']);
  });

  it('is left for the next server when the first one does not let us in', async () => {
    const app = new App(server, { server: three, random: () => 0.4 });
    await app.login('alice');
    server.refuseHello = () => (server.dialled.length === 2 ? { code: 6000102, message: 'Stopping.', retryable: true } : undefined);
    server.tell('alice', { case: 'reconnect', value: { afterMs: 100 } });
    await pass(500);
    expect(server.dialled).toEqual(['ws://b/ws', 'ws://c/ws', 'ws://a/ws']);
    expect(server.conns.size).toBe(1);
    expect(app.path).toEqual(['connecting', 'connected']);
  });

  it('is left at once when it ends before its time', async () => {
    const app = new App(server, { server: three, random: () => 0.4 });
    await app.login('alice');
    server.tell('alice', { case: 'reconnect', value: { afterMs: 10_000 } });
    await pass(10);
    server.cut(1001);
    await pass(100);
    expect(app.path).toEqual(['connecting', 'connected']);
    expect(server.conns.size).toBe(1);
  });

  it('is lost when no successor lets us in either', async () => {
    const app = new App(server, { server: three, random: () => 0.4 });
    await app.login('alice');
    server.tell('alice', { case: 'reconnect', value: { afterMs: 10_000 } });
    await pass(10);
    server.down = true;
    server.cut(1001);
    await pass(100);
    expect(app.client.state).toBe('reconnecting');
    server.down = false;
    await pass(5_000);
    expect(app.client.state).toBe('connected');
  });

  it('is stayed with when no other server lets us in, until it ends', async () => {
    const app = new App(server, { server: three, random: () => 0.4 });
    await app.login('alice');
    server.down = true;
    server.tell('alice', { case: 'reconnect', value: { afterMs: 100 } });
    await pass(5_000);
    expect(app.client.state).toBe('connected');
    server.down = false;
    server.cut();
    await pass(500);
    expect(app.client.state).toBe('connected');
  });
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { App, pass, peer } from './fake/app.js';
import { FakeServer } from './fake/server.js';

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => vi.useRealTimers());

/** Lists are not to be had until the given function is called. */
function failLists(): () => void {
  server.onRequest = (kind) => (kind === 'listConversations' ? { code: 6000007, message: 'Not now.' } : undefined);
  return () => (server.onRequest = undefined);
}

function lists(): number {
  return server.asked.filter((kind) => kind === 'listConversations').length;
}

it('a round that failed is made again once, also when a reconnect comes before that', async () => {
  const app = new App(server);
  await app.login('alice');
  const mend = failLists();
  server.cut();
  await pass(500);
  mend();
  server.cut();
  await pass(500);
  const asked = lists();
  await pass(60_000);
  expect(lists()).toBe(asked);
  expect(vi.getTimerCount()).toBe(1); // the heartbeat's
  expect(app.client.state).toBe('connected');
});

it('a round that failed is made again by itself', async () => {
  const app = new App(server);
  await app.login('alice');
  const mend = failLists();
  server.cut();
  await pass(2);
  server.post('bob', 'alice', 'while away');
  await pass(500);
  mend();
  await pass(4_000);
  expect(app.texts).toEqual(['while away']);
});

it('the first page of the list is asked for until it comes', async () => {
  server.post('bob', 'alice', 'old');
  await pass(60_000);
  const mend = failLists();
  const app = new App(server);
  await app.login('alice');
  await pass(10_000);
  expect(app.client.conversation(peer('bob'))).toBeUndefined();
  mend();
  await pass(3_100);
  expect(app.client.conversation(peer('bob'))).toMatchObject({ unread: 1 });
  expect(app.totals).toEqual([1]);
  const asked = lists();
  await pass(60_000);
  expect(lists()).toBe(asked);
});

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { App, pass, peer, textOf } from './fake/app.js';
import { contentOf, FakeServer } from './fake/server.js';

let server: FakeServer;
let app: App;

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  app = new App(server);
  await app.login('alice');
});

afterEach(() => vi.useRealTimers());

/** The server cannot take a message with this text. */
function cannotTake(text: string, code = 1009): void {
  server.onSend = (send, conn) => {
    if (new TextDecoder().decode(contentOf(send).body) !== text) return undefined;
    conn.peer.close(code);
    return 'swallow';
  };
}

it('a request above the limit is refused before it is sent, and its neighbours do not notice', async () => {
  const good = app.send('carol', 'innocent');
  const body = new TextEncoder().encode('x');
  const big = app.client.send({ conversation: peer('bob'), type: 1, body, searchedContent: 'x'.repeat(70_000) });
  const refused = expect(big).rejects.toMatchObject({ code: 6000001, message: expect.stringContaining('65536') });
  await pass(100);
  await refused;
  await good;
  expect(app.path).toEqual(['connecting', 'connected']);
  expect(server.sends).toHaveLength(1);
});

it('a hello above the limit is refused at once', async () => {
  const other = new App(server);
  await expect(other.client.login({ appID: 1, userID: 'dave', token: 'x'.repeat(20_000) })).rejects.toMatchObject({ code: 6000001 });
  expect(vi.getTimerCount()).toBe(2); // of the other client: its heartbeat, and that it is stable
});

it.each([[1002], [1003], [1007], [1009], [4400]])('after the close %i only the culprit is refused, and everything else is stored once', async (code) => {
  cannotTake('culprit', code);
  server.ackFate = () => 40;
  const texts = ['a', 'b', 'culprit', 'c', 'd'];
  const sent = texts.map((text, i) => app.send(`user${i}`, text).then(textOf, (error: { code: number }) => error.code));
  const lists = Array.from({ length: 5 }, () => app.client.list({ count: 1 }));
  await pass(20_000);
  expect(await Promise.all(sent)).toEqual(['a', 'b', 6009004, 'c', 'd']);
  await Promise.all(lists);
  for (const [i, text] of texts.entries()) expect(server.logs.between('alice', `user${i}`)).toHaveLength(text === 'culprit' ? 0 : 1);
  expect(app.client.state).toBe('connected');
});

it('two culprits are both found', async () => {
  server.onSend = (send, conn) => {
    if (!new TextDecoder().decode(contentOf(send).body).startsWith('bad')) return undefined;
    conn.peer.close(4400);
    return 'swallow';
  };
  const sent = ['bad 1', 'good 1', 'bad 2', 'good 2'].map((text, i) => app.send(`user${i}`, text).then(textOf, (error: { code: number }) => error.code));
  await pass(60_000);
  expect(await Promise.all(sent)).toEqual([6009004, 'good 1', 6009004, 'good 2']);
});

it('asks several at once again, when everything was answered', async () => {
  cannotTake('culprit');
  app.send('bob', 'culprit').catch(() => undefined);
  await pass(5_000);
  let most = 0;
  let now = 0;
  server.onRequest = () => {
    most = Math.max(most, ++now);
    setTimeout(() => now--, 1);
    return undefined;
  };
  await Promise.all([...Array.from({ length: 10 }, () => app.client.list({ count: 1 })), pass(100)]);
  expect(most).toBeGreaterThan(5);
});

it('a hello that the server cannot take ends the login', async () => {
  const strict = new FakeServer();
  const { received } = strict;
  strict.received = (end, data) => (strict.hellos.length === 0 ? end.close(4400) : received.call(strict, end, data));
  const other = new App(strict);
  const refused = expect(other.client.login({ appID: 1, userID: 'dave', token: 't' })).rejects.toMatchObject({ code: 6009004 });
  await pass(10_000);
  await refused;
  expect(strict.dialled).toHaveLength(3);
});

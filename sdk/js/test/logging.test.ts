import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LogEntry } from '../src/log.js';
import { ZIMConversationType } from '../src/zim/enums/index.js';
import { App, pass, peer } from './fake/app.js';
import { FakeServer } from './fake/server.js';
import { CONFIG, createZIM, login, text, TOKEN } from './fake/zim.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it('the core logs states, requests and pushes, but neither tokens nor messages', async () => {
  const entries: LogEntry[] = [];
  const server = new FakeServer();
  const { client } = new App(server, { log: (entry) => entries.push(entry) });
  const entered = client.login({ appID: 1, userID: 'alice', token: TOKEN });
  await pass(20);
  await entered;
  const sent = client.send({ conversation: peer('bob'), type: 1, body: new TextEncoder().encode('a secret') });
  await pass(20);
  await sent;
  server.post('bob', 'alice', 'another secret');
  await pass(20);
  client.logout();
  expect(entries.filter(({ event }) => event === 'state').map(({ level, details }) => [level, details['state']])).toEqual([
    ['info', 'connecting'],
    ['info', 'connected'],
    ['info', 'disconnected'],
  ]);
  expect(entries).toContainEqual({ level: 'debug', event: 'request', details: { kind: 'sendMessage', ms: expect.any(Number) as number, code: 0 } });
  expect(entries).toContainEqual({ level: 'debug', event: 'push', details: { kind: 'message' } });
  expect(JSON.stringify(entries)).not.toMatch(/secret|eyJ/);
});

it('setLogConfig chooses what goes to the console: nothing before it is called', async () => {
  const said = (['debug', 'info', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level).mockImplementation(() => undefined));
  const counts = (): boolean[] => said.map(({ mock }) => mock.calls.length > 0);
  const { zim } = createZIM(new FakeServer());
  await login(zim, 'alice');
  expect(counts()).toEqual([false, false, false, false]);
  zim.setLogConfig({ logLevel: 'info' });
  zim.logout();
  expect(counts()).toEqual([false, true, false, false]);
  zim.setLogConfig({ logLevel: 'debug' });
  await login(zim, 'alice');
  const sent = zim.sendMessage(text('a secret'), 'bob', ZIMConversationType.Peer, CONFIG);
  await pass(20);
  await sent;
  expect(counts()).toEqual([true, true, false, false]);
  expect(JSON.stringify(said.map(({ mock }) => mock.calls))).not.toMatch(/secret|eyJ/);
  zim.destroy();
});

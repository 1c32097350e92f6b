import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { WebSocket as ServerSocket } from 'ws';
import { WebSocket, WebSocketServer } from 'ws';
import { ChatClient } from '../src/client.js';
import type { Message } from '../src/domain.js';
import { SUBPROTOCOL } from '../src/socket.js';
import { ZIM } from '../src/zim/index.js';
import { ZIMConversationType } from '../src/zim/enums/index.js';
import { peer, textOf } from './fake/app.js';
import { FakeServer } from './fake/server.js';
import type { Peer } from './fake/socket.js';
import { CONFIG, text, TOKEN, user } from './fake/zim.js';

// Node 20 has no WebSocket of its own: the class of the package ws is given,
// and talks over real sockets to the fake server.
let fake: FakeServer;
let http: Server;
let wss: WebSocketServer;
let sockets: Set<Socket>;
let url: string;
let protocols: string[];

beforeEach(async () => {
  fake = new FakeServer();
  protocols = [];
  sockets = new Set();
  http = createServer().on('connection', (socket) => sockets.add(socket));
  wss = new WebSocketServer({ server: http, path: '/ws' });
  wss.on('connection', join);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});

afterEach(async () => {
  const closed = new Promise((resolve) => http.close(resolve));
  for (const socket of sockets) socket.destroy();
  await closed;
});

function join(socket: ServerSocket): void {
  protocols.push(socket.protocol);
  const end: Peer = { send: (data) => socket.send(data), close: (code) => (code === 1006 ? socket.terminate() : socket.close(code)) };
  fake.opened(end);
  socket.on('message', (data: Buffer) => fake.received(end, new Uint8Array(data)));
  socket.on('close', () => fake.closed(end));
}

it('works over sockets of the package ws, and comes back after a cut', async () => {
  const client = new ChatClient({ server: url, WebSocket });
  const got: Message[] = [];
  client.on('messages', (_ref, messages) => got.push(...messages));
  await client.login({ appID: 1, userID: 'alice', token: 't' });
  const sent = await client.send({ conversation: peer('bob'), type: 1, body: new TextEncoder().encode('héllo 你好') });
  expect(textOf(sent)).toBe('héllo 你好');
  client.on('state', ({ state }) => state === 'reconnecting' && fake.post('bob', 'alice', 'answer'));
  fake.cut();
  await vi.waitUntil(() => got.length > 0, { timeout: 5000 });
  expect(got.map(textOf)).toEqual(['answer']);
  client.close();
  await vi.waitUntil(() => fake.conns.size === 0);
  expect(protocols).toEqual([SUBPROTOCOL, SUBPROTOCOL]);
});

it('is accepted by ZIM.create too', async () => {
  ZIM.getInstance()?.destroy();
  const zim = ZIM.create({ appID: 1, server: [url], WebSocket }) as ZIM;
  await zim.login(user('alice'), TOKEN);
  const { message } = await zim.sendMessage(text('hi'), 'bob', ZIMConversationType.Peer, CONFIG);
  expect(message).toMatchObject({ sentStatus: 1, messageSeq: 1 });
  zim.destroy();
});

it('treats a text frame as the end of the connection', async () => {
  const client = new ChatClient({ server: url, WebSocket });
  const states: string[] = [];
  client.on('state', (change) => states.push(change.state));
  await client.login({ appID: 1, userID: 'alice', token: 't' });
  for (const socket of wss.clients) socket.send('not a frame');
  await vi.waitUntil(() => states.at(-1) === 'connected' && states.length === 4, { timeout: 5000 });
  expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
  client.close();
});

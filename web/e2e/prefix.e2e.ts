import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server as HTTPServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bubble, launchBrowser, newContext, openAs, own, say } from './browser';
import { Server } from './server';

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
});

test.each(['/chat', '/company/chat'])('two people talk at %s/, which a proxy strips', async (prefix) => {
  const server = await Server.start();
  const proxy = await startProxy(server.port, prefix);
  const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}`;
  const contexts = [await newContext(browser), await newContext(browser)] as const;
  try {
    const alice = await openAs(contexts[0], base, 'alice', 'bob');
    const bob = await openAs(contexts[1], base, 'bob', 'alice');
    const missing: string[] = [];
    alice.on('response', (response) => {
      if (response.status() >= 400) missing.push(response.url());
    });
    await alice.reload();
    await say(alice, 'over the proxy');
    await own(alice, 'over the proxy', 'sent').waitFor();
    await bubble(bob, 'over the proxy').waitFor();
    expect(missing).toEqual([]);
    expect(alice.url()).toBe(`${base}/?user=alice#/c/bob`);
  } finally {
    for (const context of contexts) await context.close();
    proxy.closeAllConnections();
    proxy.close();
    await server.close();
  }
});

/** Has the server on a port under a path of its own origin, and nothing else. */
async function startProxy(port: number, prefix: string): Promise<HTTPServer> {
  const pathOf = ({ url = '' }: IncomingMessage): string | undefined => (url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : undefined);
  const proxy = createServer((asked, answer) => {
    const path = pathOf(asked);
    if (path === undefined) return void answer.writeHead(404).end();
    const onward = request({ host: '127.0.0.1', port, path, method: asked.method, headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  proxy.on('upgrade', (asked: IncomingMessage, socket, head: Buffer) => {
    const path = pathOf(asked);
    if (path === undefined) return socket.destroy();
    const upstream = connect(port, '127.0.0.1', () => {
      const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      upstream.write(`GET ${path} HTTP/1.1\r\n${headers.join('')}\r\n`);
      upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    for (const end of [socket, upstream]) end.on('error', () => [socket, upstream].forEach((one) => one.destroy()));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return proxy;
}

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server as HTTPServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser, newContext } from './browser';
import { repository } from './paths';
import { Server } from './server';

/** Where the tutorial says that its server is. */
const toldOrigin = 'http://127.0.0.1:8080';

let server: Server;
let browser: Browser;
let files: HTTPServer;

beforeEach(async () => {
  server = await Server.start();
  browser = await launchBrowser();
});
afterEach(async () => {
  files.close();
  files.closeAllConnections();
  await browser.close();
  await server.close();
});

describe.each(['tutorial.md', 'tutorial.zh-CN.md'])('%s', (name) => {
  test('does what it says, as it is written', async () => {
    const blocks = await codeBlocks(name);
    files = await serve({ '/': blocks('html').join('\n'), '/chat.js': blocks('js').join('\n') });
    const commands = blocks('bash').join('\n').trim().split('\n');
    const [alicesToken, bobsToken] = await Promise.all(commands.map(tokenFrom));
    const origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;

    const alice = await open(origin);
    const bob = await open(origin);
    await submit(alice, 'login', { userID: 'alice', token: alicesToken ?? '' });
    await line(alice, 'logged in as alice');
    await line(alice, 'connection: Connected');
    await submit(bob, 'login', { userID: 'bob', token: bobsToken ?? '' });
    await line(bob, 'logged in as bob');

    await submit(alice, 'send', { to: 'bob', text: 'Hello Bob' });
    await line(alice, 'sending: Hello Bob');
    await line(alice, 'sent number 1: Hello Bob');
    await line(bob, 'alice: Hello Bob');
    await submit(bob, 'send', { to: 'alice', text: '你好' });
    await line(alice, 'bob: 你好');
    await submit(bob, 'send', { to: 'nobody', text: 'Hello?' });
    await bob.locator('#log li', { hasText: 'refused 6000204' }).waitFor();

    await server.kill();
    await bob.locator('#log li', { hasText: 'connection: Reconnecting' }).first().waitFor();
    await submit(bob, 'send', { to: 'alice', text: 'written while it was down' });
    await server.restart();
    await line(alice, 'bob: written while it was down');
    await line(bob, 'sent number 3: written while it was down');

    await submit(alice, 'renew', { token: (await server.token('alice')).token });
    await line(alice, 'the token is renewed');
    await alice.locator('#logout').click();
    await line(alice, 'logged out');
    await submit(alice, 'send', { to: 'bob', text: 'too late' });
    await alice.locator('#log li', { hasText: 'refused 6000002' }).waitFor();
    expect(await alice.locator('#log li', { hasText: 'written while it was down' }).count()).toBe(1);
  });

  test('tells a token that ends', async () => {
    const blocks = await codeBlocks(name);
    files = await serve({ '/': blocks('html').join('\n'), '/chat.js': blocks('js').join('\n') });
    const page = await open(`http://127.0.0.1:${(files.address() as AddressInfo).port}`);
    await submit(page, 'login', { userID: 'alice', token: (await server.token('alice', 33)).token });
    await page.locator('#log li', { hasText: /the token ends in \d+ seconds/ }).waitFor();
  });
});

test('both languages show the same code', async () => {
  const [english, chinese] = await Promise.all([codeBlocks('tutorial.md'), codeBlocks('tutorial.zh-CN.md')]);
  files = await serve({});
  const bare = (code: readonly string[]): string => code.join('\n').replace(/^\s*\/\/.*$/gm, '');
  for (const language of ['js', 'bash', 'sh']) expect(bare(chinese(language))).toBe(bare(english(language)));
});

/** The code blocks of a page of the documentation by their language, with this run's server in place of the told one. */
async function codeBlocks(name: string): Promise<(language: string) => string[]> {
  const text = await readFile(join(repository, 'docs', name), 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  return (wanted) => {
    const found = blocks.filter(([, language]) => language === wanted).map(([, , code]) => code ?? '');
    if (found.length === 0) throw new Error(`${name} has no ${wanted} block`);
    return found.map((code) => code.replaceAll(toldOrigin, server.origin));
  };
}

/** Runs a command of the tutorial that asks for a token. */
async function tokenFrom(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-c', command], { timeout: 10_000 });
  const answer = JSON.parse(stdout) as { appID: number; token: string };
  expect(answer.appID).toBe(1);
  return answer.token;
}

/** A web server for static files, on an origin that is not the chat server's. */
async function serve(pages: Readonly<Record<string, string>>): Promise<HTTPServer> {
  const made = createServer((request, response) => {
    const page = pages[request.url ?? ''];
    const type = request.url?.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.writeHead(page === undefined ? 404 : 200, { 'Content-Type': `${type}; charset=utf-8` }).end(page);
  });
  made.listen(0, '127.0.0.1');
  await once(made, 'listening');
  return made;
}

async function open(address: string): Promise<Page> {
  const page = await (await newContext(browser)).newPage();
  await page.goto(address);
  return page;
}

async function submit(page: Page, form: string, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.locator(`#${form} [name=${name}]`).fill(value);
  await page.locator(`#${form} button`).click();
}

async function line(page: Page, text: string): Promise<void> {
  await page.locator('#log').getByText(text, { exact: true }).first().waitFor();
}

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bubble, composer, launchBrowser, newContext, openAs, own, said, say } from './browser';
import { Server } from './server';

let server: Server;
let browser: Browser;
const contexts: BrowserContext[] = [];

async function context(): Promise<BrowserContext> {
  const made = await newContext(browser);
  contexts.push(made);
  return made;
}

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  server = await Server.start();
});
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((one) => one.close()));
  await server.close();
});

test('what was written while the server was away survives leaving the page, in its order', async () => {
  const alice = await openAs(await context(), server.origin, 'alice', 'bob');
  await say(alice, 'before');
  await own(alice, 'before', 'sent').waitFor();
  await server.kill();
  await alice.locator('.banner').waitFor();
  const texts = Array.from({ length: 11 }, (_, i) => `written offline ${i + 1}`);
  for (const text of texts) await say(alice, text);
  await composer(alice).fill('a draft');
  await alice.goto('about:blank');

  await server.restart();
  await alice.goto(`${server.origin}/?user=alice#/c/bob`);
  await own(alice, 'written offline 11', 'sent').waitFor();
  expect(await said(alice)).toEqual(['before', ...texts]);
  expect(await composer(alice).inputValue()).toBe('a draft');
  const bob = await openAs(await context(), server.origin, 'bob', 'alice');
  await bubble(bob, 'written offline 11').waitFor();
  expect(await said(bob)).toEqual(['before', ...texts]);
});

test('a message that was stored but not acknowledged before a reload is stored once', async () => {
  const page = await (await context()).newPage();
  let deaf = false;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const upstream = socket.connectToServer();
    upstream.onMessage((frame) => {
      if (!deaf) socket.send(frame);
    });
  });
  await page.goto(`${server.origin}/?user=alice#/c/bob`);
  await say(page, 'heard');
  await own(page, 'heard', 'sent').waitFor();
  const bob = await openAs(await context(), server.origin, 'bob', 'alice');
  deaf = true;
  await say(page, 'once');
  await bubble(bob, 'once').waitFor();
  await own(page, 'once', 'sending').waitFor();
  deaf = false;
  await page.reload();
  await own(page, 'once', 'sent').waitFor();
  await say(page, 'after');
  await bubble(bob, 'after').waitFor();
  for (const one of [page, bob]) expect(await said(one)).toEqual(['heard', 'once', 'after']);
  await page.reload();
  await own(page, 'after', 'sent').waitFor();
  expect(await said(page)).toEqual(['heard', 'once', 'after']);
});

/** A page on which the scripts of the page find storage in this state. */
async function withStorage(state: 'blocked' | 'full'): Promise<Page> {
  const made = await context();
  await made.addInitScript((how) => {
    const refuse = (name: string) => (): never => {
      throw new DOMException(how, name);
    };
    if (how === 'full') Storage.prototype.setItem = refuse('QuotaExceededError');
    else for (const kind of ['localStorage', 'sessionStorage']) Object.defineProperty(globalThis, kind, { get: refuse('SecurityError') });
  }, state);
  return openAs(made, server.origin, 'alice', 'bob');
}

test.each(['blocked', 'full'] as const)('with storage that is %s one writes and sends; leaving something behind is asked about first', async (state) => {
  const page = await withStorage(state);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await say(page, 'works');
  await own(page, 'works', 'sent').waitFor();
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('Dark').check();
  await page.keyboard.press('Escape');
  // The browser has gone back by then; on its way it would break the reload off.
  await page.waitForFunction(() => !history.state?.dialog);

  let asked = 0;
  page.on('dialog', (dialog) => {
    asked++;
    void dialog.accept();
  });
  await page.reload();
  await composer(page).waitFor();
  expect(asked).toBe(0);
  await composer(page).fill('only here');
  await page.reload();
  expect(asked).toBe(1);
  expect(errors).toEqual([]);
});

test('Retry pressed twice sends once', async () => {
  const alice = await openAs(await context(), server.origin, 'alice', 'newcomer');
  await say(alice, 'first');
  await own(alice, 'first', 'failed').waitFor();
  await server.token('newcomer');
  await own(alice, 'first', 'failed').getByRole('button', { name: 'Retry' }).dblclick();
  await own(alice, 'first', 'sent').waitFor();
  await say(alice, 'second');
  await own(alice, 'second', 'sent').waitFor();
  await alice.reload();
  await own(alice, 'second', 'sent').waitFor();
  expect(await said(alice)).toEqual(['first', 'second']);
});

test('a failed message is taken back into the composer, where the focus goes too', async () => {
  const alice = await openAs(await context(), server.origin, 'alice', 'nobody');
  await say(alice, 'Hello?');
  await own(alice, 'Hello?', 'failed').getByRole('button', { name: 'Edit' }).click();
  await bubble(alice, 'Hello?').waitFor({ state: 'detached' });
  expect(await composer(alice).inputValue()).toBe('Hello?');
  expect(await composer(alice).evaluate((element) => element === document.activeElement)).toBe(true);
});

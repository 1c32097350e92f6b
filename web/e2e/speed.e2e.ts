import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bubble, launchBrowser, listed, newContext, openAs } from './browser';
import { Server } from './server';

// The figures are printed for people to judge: a loaded machine must not fail
// the run. What is asserted is what does not depend on the machine.
const longConversation = 2_000;

let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = await Server.start();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

test('the first load stays within its budget, and the next one asks for the page alone', async () => {
  const context = await newContext(browser);
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send('Network.enable');
  const bytes = new Map<string, number>();
  const addresses = new Map<string, string>();
  network.on('Network.responseReceived', ({ requestId, response }) => addresses.set(requestId, response.url));
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const address = addresses.get(requestId);
    // What comes from a cache of the browser has no length.
    if (address?.startsWith(server.origin) && encodedDataLength > 0) bytes.set(address, encodedDataLength);
  });
  await page.goto(`${server.origin}/?user=alice`, { waitUntil: 'networkidle' });
  const sum = (files: readonly [string, number][]): number => files.reduce((total, [, size]) => total + size, 0);
  const first = [...bytes];
  const sdk = first.filter(([address]) => /assets\/sdk-/.test(address));
  report('first load as served', `${(sum(first) / 1024).toFixed(1)} KB in ${first.length} answers (budget 75)`);
  report('of these, without the SDK and its codec', `${((sum(first) - sum(sdk)) / 1024).toFixed(1)} KB (goal 60)`);
  expect(sum(first)).toBeLessThan(75 * 1024);
  expect(sum(first) - sum(sdk)).toBeLessThan(60 * 1024);

  bytes.clear();
  await page.reload({ waitUntil: 'networkidle' });
  report('the second load', `${(sum([...bytes]) / 1024).toFixed(1)} KB`);
  expect([...bytes.keys()].filter((address) => address.includes('/assets/'))).toEqual([]);
  await context.close();
});

test('a long conversation opens at its end, few messages are in the document, and older pages keep the place', async () => {
  const context = await newContext(browser);
  await timed(context);
  await fill(context);
  const page = await openAs(context, server.origin, 'alice', 'bob');
  await bubble(page, `message ${longConversation}`).waitFor();
  report('first message visible after the socket opened', `${await firstMessage(page)} ms (budget 300)`);

  await page.evaluate(() => (location.hash = '#/c/carol'));
  await page.getByRole('heading', { name: 'Carol' }).waitFor();
  const opening = await page.evaluate(openAgain);
  report(`reopening a conversation of ${longConversation} messages`, `${opening} ms (budget 100)`);
  await bubble(page, `message ${longConversation}`).waitFor();
  expect(await page.locator('.message').count()).toBeLessThan(120);

  const jumps = await page.evaluate(watchAnchor);
  report('largest jump of a message while older pages came in', `${jumps.toFixed(1)} px`);
  expect(jumps).toBeLessThan(4);

  await page.locator('.jump').click();
  await bubble(page, `message ${longConversation}`).waitFor();
  await page.locator('.jump').waitFor({ state: 'detached' });
  await listed(page, 'bob').waitFor();
  await context.close();
});

function report(what: string, figure: string): void {
  process.stdout.write(`speed: ${what}: ${figure}\n`);
}

/** Notes, in every page, when the socket opened and when the first message could be seen. */
async function timed(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const times: { open?: number; message?: number } = {};
    Object.assign(globalThis, { times });
    globalThis.WebSocket = class extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        this.addEventListener('open', () => (times.open ??= performance.now()));
      }
    };
    const look = (): void => {
      const seen = document.querySelector('.message .bubble')?.getBoundingClientRect();
      if (seen && seen.height > 0) times.message = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

async function firstMessage(page: Page): Promise<number> {
  const handle = await page.waitForFunction(() => {
    const { times } = globalThis as unknown as { times: { open?: number; message?: number } };
    return times.open !== undefined && times.message !== undefined ? times.message - times.open : undefined;
  });
  return Math.round((await handle.jsonValue()) ?? 0);
}

/** Sends a long conversation through the public SDK, from a page of the server. */
async function fill(context: BrowserContext): Promise<void> {
  const page = await context.newPage();
  await server.token('alice');
  const { appID, token } = await server.token('bob');
  await page.goto(`${server.origin}/healthz`);
  await page.addScriptTag({ url: '/sdk/zim.iife.js' });
  await page.evaluate(
    async ({ appID, token, count }) => {
      const { ZIM } = globalThis as unknown as typeof import('parley-chat');
      const zim = ZIM.create({ appID });
      if (!zim) throw new Error('ZIM.create gave nothing');
      await zim.login('bob', { userName: 'Bob', token, isOfflineLogin: false, customStatus: '', customStatusDuration: 0 });
      for (let from = 1; from <= count; from += 20) {
        const batch = Array.from({ length: Math.min(20, count - from + 1) }, (_, i) => {
          const message = { type: 1, message: `message ${from + i}` };
          return zim.sendMessage(message, 'alice', 0, { priority: 1 });
        });
        await Promise.all(batch);
      }
      zim.destroy();
    },
    { appID, token, count: longConversation },
  );
  await page.close();
}

/** Opens the conversation from the list; gives the milliseconds until its last message stands on the screen. */
function openAgain(): Promise<number> {
  return new Promise((resolve) => {
    const begun = performance.now();
    const look = (): void => {
      const log = document.querySelector('.log')?.getBoundingClientRect();
      const last = [...document.querySelectorAll('.message')].at(-1)?.getBoundingClientRect();
      if (log && last && last.height > 0 && last.bottom <= log.bottom + 1) resolve(Math.round(performance.now() - begun));
      else requestAnimationFrame(look);
    };
    document.querySelector<HTMLElement>('.conversation[data-id="bob"]')?.click();
    requestAnimationFrame(look);
  });
}

/**
 * Scrolls up to where an older page is asked for, stays there while it comes
 * in, and gives by how many pixels the message in the middle moved at most.
 */
async function watchAnchor(): Promise<number> {
  const log = document.querySelector<HTMLElement>('.log');
  if (!log) throw new Error('no message list');
  const frame = (): Promise<unknown> => new Promise((done) => requestAnimationFrame(done));
  // The list holds a place that it was told to show until its rows have been measured.
  const rest = async (): Promise<void> => {
    let since = performance.now();
    let seen = '';
    while (performance.now() - since < 300) {
      const now = `${log.scrollTop}/${log.scrollHeight}`;
      if (now !== seen) since = performance.now();
      seen = now;
      await frame();
    }
  };
  let worst = 0;
  for (let round = 0; round < 3; round++) {
    log.scrollTo({ top: 1000 });
    await rest();
    log.scrollBy({ top: -300 });
    const middle = log.getBoundingClientRect().top + log.clientHeight / 2;
    const anchor = [...log.querySelectorAll<HTMLElement>('.message')].find((one) => one.getBoundingClientRect().bottom > middle);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    const height = log.scrollHeight;
    const seq = anchor?.dataset['seq'];
    const end = performance.now() + 3_000;
    while (log.scrollHeight < height + 500) {
      if (performance.now() > end) throw new Error('no older page came in');
      await frame();
    }
    await frame();
    await frame();
    const after = log.querySelector<HTMLElement>(`[data-seq="${seq}"]`)?.getBoundingClientRect().top;
    if (after === undefined) return Infinity;
    worst = Math.max(worst, Math.abs(after - before));
  }
  return worst;
}

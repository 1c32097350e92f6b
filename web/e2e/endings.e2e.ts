import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, newContext, openAs } from './browser';
import { Server } from './server';

let browser: Browser;
let server: Server;
const signedIn = new Set<string>();

beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), Server.start()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

// What a page that uses the SDK alone sees. The longest of several rounds may be
// the machine's, so the best one counts: a loop without a pause shows in all.
test.each(['logout', 'destroy', 'kick'] as const)('a %s with questions under way never holds the page up', async (ending) => {
  const context = await newContext(browser);
  try {
    const page = await context.newPage();
    await page.exposeFunction('signedIn', (user: string) => signedIn.add(user));
    await page.goto(server.origin);
    await page.addScriptTag({ url: '/sdk/zim.iife.js' });
    const longest: number[] = [];
    for (let round = 0; round < 3; round++) {
      const user = `end-${ending}-${round}`;
      const ended = page.evaluate(heldUp, { ending, user });
      if (ending === 'kick') await (await openElsewhere(user)).close();
      longest.push(await ended);
    }
    expect(Math.min(...longest)).toBeLessThan(50);
  } finally {
    await context.close();
  }
});

/** Signs the user in in another window, once the page has done so. */
async function openElsewhere(user: string): Promise<BrowserContext> {
  await expect.poll(() => signedIn.has(user)).toBe(true);
  const context = await newContext(browser);
  await openAs(context, server.origin, user);
  return context;
}

/** Runs in the page: the longest time, in ms, that it got no turn. */
async function heldUp({ ending, user }: { ending: 'logout' | 'destroy' | 'kick'; user: string }): Promise<number> {
  const { ZIM, signedIn } = window as unknown as Pick<typeof import('parley-chat'), 'ZIM'> & { signedIn(user: string): Promise<unknown> };
  const answer = await fetch('/dev/token', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ userID: user }) });
  const { appID, token } = (await answer.json()) as { appID: number; token: string };
  const zim = ZIM.create({ appID })!;
  await zim.login(user, { userName: user, token, isOfflineLogin: false, customStatus: '', customStatusDuration: 0 });
  let last = performance.now();
  let longest = 0;
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  const ask = (): Promise<unknown> => zim.queryConversationList({ count: 10 }).catch(() => undefined);
  const asked = Array.from({ length: 20 }, ask);
  if (ending === 'logout') zim.logout();
  else if (ending === 'destroy') zim.destroy();
  else {
    const kicked = new Promise<void>((resolve) => zim.on('connectionStateChanged', (_, { state }) => state === 0 && resolve()));
    await signedIn(user);
    const more = setInterval(() => asked.push(ask()), 5);
    await kicked;
    clearInterval(more);
  }
  await Promise.all(asked);
  await new Promise((resolve) => setTimeout(resolve, 200));
  clearInterval(beat);
  zim.destroy();
  return longest;
}

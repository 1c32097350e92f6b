import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bubble, composer, launchBrowser, listed, newContext, openAs, own, phone, say } from './browser';
import { Server } from './server';

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

test('the Enter that ends an input method composition does not send', async () => {
  const context = await newContext(browser, { locale: 'zh-CN' });
  const page = await openAs(context, server.origin, 'lilei', 'hanmeimei');
  await composer(page).focus();
  const keyboard = await context.newCDPSession(page);
  await keyboard.send('Input.imeSetComposition', { text: 'nihao', selectionStart: 5, selectionEnd: 5 });
  await keyboard.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 229 });
  expect(await page.locator('.bubble').count()).toBe(0);
  expect(await composer(page).inputValue()).toContain('nihao');

  await keyboard.send('Input.insertText', { text: '你好' });
  expect(await composer(page).inputValue()).toBe('你好');
  await page.keyboard.press('Enter');
  await own(page, '你好', 'sent').waitFor();
  expect(await composer(page).inputValue()).toBe('');
  await context.close();
});

test('Shift and Enter begins a new line; the composer grows to eight lines and no further', async () => {
  const context = await newContext(browser);
  const page = await openAs(context, server.origin, 'carol', 'dave');
  const height = async (): Promise<number> => (await composer(page).boundingBox())?.height ?? 0;
  const one = await height();
  for (let line = 1; line <= 3; line++) {
    await page.keyboard.type(`line ${line}`);
    await page.keyboard.press('Shift+Enter');
  }
  expect(await page.locator('.bubble').count()).toBe(0);
  expect(Math.round((await height()) - one)).toBe(3 * 22);
  await composer(page).fill(Array.from({ length: 30 }, (_, i) => `line ${i}`).join('\n'));
  expect(Math.round((await height()) - one)).toBe(7 * 22);
  await context.close();
});

test('each conversation keeps its draft, also over a reload', async () => {
  const context = await newContext(browser);
  const page = await openAs(context, server.origin, 'dave', 'alice');
  await say(page, 'hello');
  await own(page, 'hello', 'sent').waitFor();
  await composer(page).fill('not finished');
  await page.evaluate(() => (location.hash = '#/c/bob'));
  await page.getByRole('heading', { name: 'Bob' }).waitFor();
  expect(await composer(page).inputValue()).toBe('');
  await listed(page, 'alice').getByText('Draft: not finished').waitFor();
  await page.reload();
  await listed(page, 'alice').click();
  expect(await composer(page).inputValue()).toBe('not finished');
  await context.close();
});

test('on a phone one pane is shown at a time, and the browser goes back through them', async () => {
  const context = await newContext(browser, { viewport: phone, isMobile: true, hasTouch: true });
  const page = await openAs(context, server.origin, 'bob');
  await say(await openAs(context, server.origin, 'hanmeimei', 'bob'), '晚上好');
  await listed(page, 'hanmeimei').tap();
  await bubble(page, '晚上好').waitFor();
  expect(await page.locator('.list-pane').isVisible()).toBe(false);
  expect(page.url()).toContain('#/c/hanmeimei');

  await page.getByRole('button', { name: 'Details' }).tap();
  await page.locator('.details-body').waitFor();
  expect(await page.locator('.chat-pane').isVisible()).toBe(false);
  await page.goBack();
  await bubble(page, '晚上好').waitFor();
  await page.goBack();
  await page.locator('.list-pane').waitFor();
  expect(await page.locator('.chat-pane').isVisible()).toBe(false);
  await page.goForward();
  await bubble(page, '晚上好').waitFor();

  const entries = await page.evaluate(() => history.length);
  await page.getByRole('button', { name: 'Back to the conversations' }).tap();
  await page.locator('.list-pane').waitFor();
  expect(await page.evaluate(() => history.length)).toBe(entries);
  const sizes = await page.locator('button:visible').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
  for (const size of sizes) expect(size).toBeGreaterThanOrEqual(44);
  await context.close();
});

test('a conversation opened by its address leads back to the list', async () => {
  const context = await newContext(browser, { viewport: phone });
  const page = await openAs(context, server.origin, 'dave', 'carol');
  await page.getByRole('button', { name: 'Back to the conversations' }).click();
  await page.locator('.list-pane').waitFor();
  expect(new URL(page.url()).hash).toBe('#/');
  await context.close();
});

test('outside of parley dev one signs in with a token, and a refused one is explained', async () => {
  const context = await newContext(browser);
  await context.route('**/dev/*', (route) => route.fulfill({ status: 404 }));
  const page = await context.newPage();
  await page.goto(server.origin);
  const { appID, token } = await server.token('bob');
  await page.getByRole('button', { name: 'Sign in' }).click();
  expect(await page.locator('.field .error').count()).toBe(3);
  await page.getByLabel('App ID').fill(String(appID));
  await page.getByLabel('User ID').fill('alice');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('the token is not valid').waitFor();

  await page.getByLabel('App ID').fill(String(appID));
  await page.getByLabel('User ID').fill('bob');
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Hello, bob' }).waitFor();
  await context.close();
});

test('from signing in to sending, the keyboard is enough', async () => {
  const context = await newContext(browser);
  const page = await context.newPage();
  await page.goto(server.origin);
  await page.locator('.demo-users').waitFor();
  await tabTo(page, 'Sign in as Alice');
  await page.keyboard.press('Enter');
  await page.locator('.list-pane').waitFor();
  await tabTo(page, 'New conversation');
  await page.keyboard.press('Enter');
  await page.locator('dialog #peer').waitFor();
  await page.keyboard.type('carol');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Carol' }).waitFor();
  await page.waitForFunction(() => document.activeElement?.matches('.composer textarea'));
  await page.keyboard.type('typed without a mouse');
  await page.keyboard.press('Enter');
  await own(page, 'typed without a mouse', 'sent').waitFor();

  await tabTo(page, 'Details');
  await page.keyboard.press('Enter');
  await page.locator('.details-body').waitFor();
  await tabTo(page, 'Close details');
  await page.keyboard.press('Escape');
  await page.locator('.details-body').waitFor({ state: 'detached' });
  await say(await openAs(await newContext(browser), server.origin, 'bob', 'alice'), 'over here');
  await listed(page, 'bob').waitFor();
  await listed(page, 'carol').focus();
  await page.keyboard.press('ArrowUp');
  await page.waitForFunction(() => document.activeElement?.getAttribute('data-id') === 'bob');
  await page.keyboard.press('Enter');
  await bubble(page, 'over here').waitFor();
  await context.close();
});

/** Presses Tab until the named control has the focus, and checks that the focus can be seen. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      return { name: element?.getAttribute('aria-label') ?? element?.textContent, outline: element ? getComputedStyle(element).outlineStyle : '' };
    });
    if (focus.name !== name) continue;
    expect(focus.outline).toBe('solid');
    return;
  }
  throw new Error(`Tab does not reach "${name}"`);
}

test('a second click, or a key held down, goes back once', async () => {
  const context = await newContext(browser);
  const page = await openAs(context, server.origin, 'alice', 'carol');
  await page.evaluate(() => (location.hash = '#/c/bob'));
  await page.getByRole('heading', { name: 'Bob' }).waitFor();
  const details = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Details', exact: true }).click();
    await page.locator('.details-body').waitFor();
  };
  const seen = async (): Promise<string> => {
    await page.locator('.details-body').waitFor({ state: 'detached' });
    // A step back that is one too many comes a moment later.
    await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    return new URL(page.url()).hash;
  };

  await details();
  await page.getByRole('button', { name: 'Close details' }).dblclick();
  expect(await seen()).toBe('#/c/bob');

  await details();
  await page.evaluate(() => {
    const pane = document.querySelector('.details-pane');
    for (let i = 0; i < 3; i++) pane?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
  });
  expect(await seen()).toBe('#/c/bob');
  await context.close();
});

test('a double click opens a dialog, and one outside of it closes it', async () => {
  const context = await newContext(browser);
  const page = await openAs(context, server.origin, 'alice', 'bob');
  for (const name of ['Settings', 'New conversation']) {
    await page.getByRole('button', { name, exact: true }).dblclick();
    await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    expect(await page.locator('dialog[open]').count()).toBe(1);
    await page.mouse.dblclick(2, 2);
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(new URL(page.url()).hash).toBe('#/c/bob');
  }
  await context.close();
});

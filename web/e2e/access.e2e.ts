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

/** What has the focus: its label or text. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');

test('the focus goes into the details and a dialog, and back to where it was', async () => {
  const context = await newContext(browser);
  const page = await openAs(context, server.origin, 'alice', 'bob');
  for (const close of ['Escape', 'button'] as const) {
    await page.getByRole('button', { name: 'Details', exact: true }).click();
    await page.waitForFunction(() => document.querySelector('.details-pane')?.contains(document.activeElement));
    if (close === 'Escape') await page.keyboard.press('Escape');
    else await page.getByRole('button', { name: 'Close details' }).click();
    await page.locator('.details-pane').waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Details');
  }
  await page.getByRole('button', { name: 'New conversation' }).first().click();
  await page.locator('dialog #peer').waitFor();
  await page.waitForFunction(() => document.activeElement?.id === 'peer');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('New conversation');
  await context.close();
});

test('the browser goes back from a dialog to what is under it, however the dialog was closed before', async () => {
  const context = await newContext(browser, { viewport: phone });
  const page = await openAs(context, server.origin, 'alice');
  const settings = page.getByRole('button', { name: 'Settings' });
  const gone = (): Promise<void> => page.locator('dialog').waitFor({ state: 'detached' });
  const entries = await page.evaluate(() => history.length);
  await settings.click();
  await page.locator('dialog').waitFor();
  await page.goBack();
  await gone();
  expect(await page.locator('.list-pane').isVisible()).toBe(true);

  await settings.click();
  await page.getByRole('button', { name: 'Close', exact: true }).dblclick();
  await gone();
  await settings.click();
  await page.keyboard.press('Escape');
  await gone();
  await settings.click();
  await page.mouse.click(2, 2);
  await gone();
  expect(page.url()).toContain(`${server.origin}/?user=alice`);
  expect(await page.evaluate(() => history.length)).toBe(entries + 1);

  await page.getByRole('button', { name: 'New conversation' }).first().click();
  await page.locator('dialog').getByRole('button', { name: 'Bob' }).click();
  await page.getByRole('heading', { name: 'Bob' }).waitFor();
  await page.goBack();
  await page.locator('.list-pane').waitFor();
  await context.close();
});

test('signing out leaves nobody in the address, and nobody talks to himself', async () => {
  const context = await newContext(browser);
  const page = await openAs(context, server.origin, 'alice', 'bob');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.locator('.demo-users li').first().waitFor();
  expect(page.url()).toBe(`${server.origin}/#/`);
  await page.reload();
  await page.getByRole('button', { name: 'Sign in as Bob', exact: true }).click();
  await page.getByRole('heading', { name: 'Hello, Bob' }).waitFor();
  await page.evaluate(() => (location.hash = '#/c/bob'));
  await page.waitForFunction(() => location.hash === '#/');
  await page.getByRole('heading', { name: 'Hello, Bob' }).waitFor();
  await context.close();
});

test('an app ID above 32 bits is refused by the form', async () => {
  const context = await newContext(browser);
  const page = await context.newPage();
  await page.goto(server.origin);
  await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
  await page.getByLabel('User ID').fill('alice');
  await page.getByLabel('Token').fill('x');
  for (const appID of ['4294967296', '9999999999', '0', '1.5']) {
    await page.getByLabel('App ID').fill(appID);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('from 1 to 4294967295').waitFor();
  }
  await context.close();
});

test('a server that does not say who the demo users are does not keep the form from being shown', async () => {
  const context = await newContext(browser);
  await context.route('**/dev/users', () => undefined);
  const page = await context.newPage();
  await page.goto(server.origin);
  await page.getByRole('heading', { name: 'Sign in to Parley' }).waitFor();
  await page.locator('.person-skeleton').first().waitFor();
  await page.getByLabel('Token').waitFor();
  await context.close();
});

test('on a phone Enter begins a new line and the button sends', async () => {
  const context = await newContext(browser, { viewport: phone, isMobile: true, hasTouch: true });
  const page = await openAs(context, server.origin, 'carol', 'bob');
  await composer(page).tap();
  await page.keyboard.type('first line');
  await page.keyboard.press('Enter');
  await page.keyboard.type('second line');
  expect(await composer(page).inputValue()).toBe('first line\nsecond line');
  expect(await composer(page).getAttribute('enterkeyhint')).toBe('enter');
  await page.locator('.send').tap();
  await own(page, 'first line\nsecond line', 'sent').waitFor();
  await context.close();
});

test('each text runs in its own direction, and a name turns nothing but itself', async () => {
  const context = await newContext(browser);
  await server.token('dave');
  const bob = await openAs(context, server.origin, 'bob', 'dave');
  const texts = { 'שלום עולם. Hello!': 'rtl', 'مرحبا، كيف الحال؟ السعر 100 USD.': 'rtl', 'plain. שלום': 'ltr' };
  for (const text of Object.keys(texts)) {
    await say(bob, text);
    await own(bob, text, 'sent').waitFor();
  }
  for (const [text, direction] of Object.entries(texts)) {
    expect(await bubble(bob, text).locator('.said').evaluate((one) => getComputedStyle(one).direction), text).toBe(direction);
  }
  expect(await bob.locator('.bubble').first().evaluate((one) => getComputedStyle(one).direction)).toBe('ltr');
  await composer(bob).fill('שלום');
  expect(await composer(bob).evaluate((one) => getComputedStyle(one).direction)).toBe('rtl');

  const evil = await newContext(browser);
  await evil.route('**/dev/users', (route) => route.fulfill({ json: { users: [{ userID: 'bob', userName: 'Bob \u202E(evil)\u2066' }] } }));
  const page = await openAs(evil, server.origin, 'dave', 'bob');
  await bubble(page, 'plain. שלום').waitFor();
  await listed(page, 'bob').waitFor();
  expect(await page.locator('body').textContent()).not.toMatch(/[\u202A-\u202E]/);
  await evil.close();
  await context.close();
});

test('the theme that was chosen is there before the page is drawn', async () => {
  const context = await newContext(browser, { colorScheme: 'light' });
  const page = await openAs(context, server.origin, 'alice');
  await page.evaluate(() => localStorage.setItem('parley.theme', 'dark'));
  await context.route('**/assets/app-*.js', () => undefined);
  await page.reload({ waitUntil: 'commit' });
  await page.waitForFunction(() => document.body !== null);
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe('dark');
  await context.close();
});

test('text that the fonts draw as text can be read on its ground', async () => {
  const context = await newContext(browser, { colorScheme: 'light' });
  const page = await openAs(context, server.origin, 'carol', 'dave');
  await server.token('dave');
  for (const text of ['❤', '☺', '✔', '©', '™', '❤\uFE0F', '😀']) {
    await say(page, text);
    await own(page, text, 'sent').waitFor();
    const { color, ground } = await own(page, text, 'sent').locator('.bubble').evaluate((one) => {
      const style = getComputedStyle(one);
      const clear = style.backgroundColor === 'rgba(0, 0, 0, 0)';
      return { color: style.color, ground: clear ? getComputedStyle(document.body).backgroundColor : style.backgroundColor };
    });
    expect(color, text).not.toBe(ground);
  }
  await context.close();
});

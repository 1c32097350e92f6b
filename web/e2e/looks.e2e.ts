import AxeBuilder from '@axe-core/playwright';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bubble, composer, desktop, launchBrowser, newContext, openAs, own, phone, say } from './browser';
import { repository } from './paths';
import { Server } from './server';

const folder = join(repository, 'e2e-screenshots');

let server: Server;
let browser: Browser;

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  server = await Server.start();
  browser = await launchBrowser();
  await furnish();
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const sizes = { desktop, phone } as const;
const looks = (['desktop', 'phone'] as const).flatMap((size) =>
  (['light', 'dark'] as const).flatMap((scheme) => (['en-US', 'zh-CN'] as const).map((locale) => ({ size, scheme, locale }))),
);

describe.each(looks)('$size, $scheme, $locale', ({ size, scheme, locale }) => {
  test('every view is drawn, and axe finds nothing', async () => {
    const context = await newContext(browser, {
      locale,
      colorScheme: scheme,
      viewport: sizes[size],
      hasTouch: size === 'phone',
      isMobile: size === 'phone',
      deviceScaleFactor: size === 'phone' ? 2 : 1,
      reducedMotion: 'reduce',
    });
    const name = (view: string): string => join(folder, `${view}-${size}-${scheme}-${locale.slice(0, 2)}.png`);
    const look = async (page: Page, view: string): Promise<void> => {
      await page.screenshot({ path: name(view) });
      expect(await violations(page), view).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${view} fits the width`).toBe(true);
    };

    const signin = await context.newPage();
    await signin.goto(server.origin);
    await signin.locator('.demo-users').waitFor();
    await look(signin, 'signin');
    await signin.close();

    const first = await openAs(context, server.origin, 'dave');
    await first.locator('.welcome').waitFor({ state: 'attached' });
    await look(first, 'first-run');
    await first.close();

    const page = await openAs(context, server.origin, 'alice');
    await page.locator('.conversation .badge').first().waitFor();
    await look(page, 'list');
    await page.locator('.conversation[data-id=bob]').click();
    await bubble(page, 'See you at eight!').waitFor();
    await look(page, 'chat');
    await page.locator('.chat-pane .pane-head .icon-button').last().click();
    await page.locator('.details-body').waitFor();
    await look(page, 'details');
    await page.goBack();
    await page.locator('.details-body').waitFor({ state: 'detached' });
    await page.goBack();
    await page.locator('.avatar-button').click();
    await page.locator('dialog').waitFor();
    await look(page, 'settings');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.locator('.list-pane .pane-head .icon-button').last().click();
    await page.locator('dialog').waitFor();
    await look(page, 'new');
    await context.close();
  }, 120_000);
});

test.each(['light', 'dark'] as const)('with texts from right to left, and signs that are no pictures, %s', async (colorScheme) => {
  await server.token('newcomer');
  for (const size of ['desktop', 'phone'] as const) {
    const context = await newContext(browser, { reducedMotion: 'reduce', colorScheme, viewport: sizes[size], hasTouch: size === 'phone', isMobile: size === 'phone' });
    const page = await openAs(context, server.origin, 'dave', 'newcomer');
    for (const text of ['مرحبا، كيف الحال؟ السعر 100 USD.', 'שלום עולם. Hello!\nplain english', '❤', '😀', '©']) await sayAndWait(page, text);
    await composer(page).fill('שלום, מה נשמע?');
    await page.screenshot({ path: join(folder, `rtl-${size}-${colorScheme}-en.png`) });
    expect(await violations(page)).toEqual([]);
    await context.close();
  }
});

test('with a lost connection and a failed message', async () => {
  const context = await newContext(browser, { reducedMotion: 'reduce' });
  const page = await openAs(context, server.origin, 'carol', 'nobody');
  await say(page, 'Is anybody there?');
  await own(page, 'Is anybody there?', 'failed').waitFor();
  await server.kill();
  await page.locator('.banner').waitFor();
  await composer(page).fill('First line\nSecond line\nThird line');
  await page.screenshot({ path: join(folder, 'trouble-desktop-light-en.png') });
  expect(await violations(page)).toEqual([]);
  await context.close();
});

/** What axe finds, one line for each violation. */
async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

/** Conversations as they might be, so that the pictures show something. */
async function furnish(): Promise<void> {
  const talk: Readonly<Record<string, readonly string[]>> = {
    carol: ['Did you see the release notes? https://example.org/notes', 'The graphs look great 📈'],
    lilei: ['周五一起吃晚饭吗？', '韩梅梅也来 🎉'],
    hanmeimei: ['好的，明天见！'],
  };
  const context = await newContext(browser);
  for (const [user, texts] of Object.entries(talk)) {
    const page = await openAs(context, server.origin, user, 'alice');
    for (const text of texts) await sayAndWait(page, text);
    await page.close();
  }
  const alice = await newContext(browser);
  const page = await openAs(alice, server.origin, 'alice', 'bob');
  const bob = await openAs(context, server.origin, 'bob', 'alice');
  await sayAndWait(bob, 'Hi Alice, have you tried the new chat yet?');
  await sayAndWait(page, 'I have just set it up, it took one command:\ngo run ./cmd/parley dev');
  await sayAndWait(page, 'Two windows, two people, and it even survives a kill -9 😄');
  await sayAndWait(bob, '👏');
  await sayAndWait(bob, 'A link for later: https://github.com/parley-im/parley, and a very long word: ' + 'supercalifragilistic'.repeat(6));
  await sayAndWait(page, '好，今晚一起看看？');
  await bubble(page, '👏').waitFor();
  await alice.close();
  await sayAndWait(bob, 'Dinner tonight? The place by the river 🍜');
  await sayAndWait(bob, 'See you at eight!');
  await context.close();
}

async function sayAndWait(page: Page, text: string): Promise<void> {
  await say(page, text);
  await page.locator('.message.own[data-state=sent] .bubble', { hasText: text.slice(0, 40) }).last().waitFor();
}

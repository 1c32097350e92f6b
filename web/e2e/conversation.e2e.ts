import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bubble, composer, launchBrowser, listed, newContext, openAs, own, said, say } from './browser';
import { Server } from './server';

let server: Server;
let browser: Browser;
const contexts: BrowserContext[] = [];

async function context(locale: string): Promise<BrowserContext> {
  const made = await newContext(browser, { locale });
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

test('two people in two languages write to each other without a reload', async () => {
  const alice = await openAs(await context('en-US'), server.origin, 'alice');
  const lilei = await openAs(await context('zh-CN'), server.origin, 'lilei', 'alice');
  await alice.getByRole('heading', { name: 'Hello, Alice' }).waitFor();
  expect(await lilei.locator('html').getAttribute('lang')).toBe('zh-CN');
  await lilei.getByPlaceholder('写消息').waitFor();

  await say(lilei, '你好，Alice！');
  await own(lilei, '你好，Alice！', 'sent').waitFor();
  await listed(alice, 'lilei').getByText('1 unread message').waitFor({ state: 'attached' });
  await say(lilei, 'https://example.org 看看');
  await listed(alice, 'lilei').getByText('2 unread messages').waitFor({ state: 'attached' });
  expect(await alice.title()).toBe('(2) Parley');

  await listed(alice, 'lilei').click();
  await bubble(alice, '你好，Alice！').waitFor();
  await alice.locator('.unread-divider').waitFor();
  await listed(alice, 'lilei').locator('.badge').waitFor({ state: 'detached' });
  expect(alice.url()).toContain('#/c/lilei');
  expect(await alice.locator('.bubble a').getAttribute('href')).toBe('https://example.org/');

  await say(alice, 'Hello 李雷');
  await bubble(lilei, 'Hello 李雷').waitFor();

  await alice.reload();
  await bubble(alice, 'Hello 李雷').waitFor();
  expect(await listed(alice, 'lilei').locator('.badge').count()).toBe(0);
});

test('markup in a message is shown as text', async () => {
  const alice = await openAs(await context('en-US'), server.origin, 'alice', 'bob');
  await say(alice, '<img src=x onerror=document.title=1><b>bold</b>');
  await own(alice, '<img src=x onerror=document.title=1><b>bold</b>', 'sent').waitFor();
  expect(await alice.locator('.bubble img, .bubble b').count()).toBe(0);
});

test('after kill -9 and a restart pages come back by themselves, and what was typed meanwhile arrives exactly once', async () => {
  const alice = await openAs(await context('en-US'), server.origin, 'alice', 'bob');
  const bob = await openAs(await context('en-US'), server.origin, 'bob', 'alice');
  for (let i = 1; i <= 5; i++) await say(alice, `before ${i}`);
  await own(alice, 'before 5', 'sent').waitFor();
  await bubble(bob, 'before 5').waitFor();

  await server.kill();
  await alice.locator('.banner[data-trouble=reconnecting]').waitFor();
  await say(alice, 'while it was down');
  await own(alice, 'while it was down', 'queued').waitFor();
  expect(await alice.locator('.composer-note').textContent()).toContain('goes out when it is back');

  await server.restart();
  await own(alice, 'while it was down', 'sent').waitFor();
  await bubble(bob, 'while it was down').waitFor();
  for (const page of [alice, bob]) await page.locator('.banner').waitFor({ state: 'detached' });

  const expected = ['before 1', 'before 2', 'before 3', 'before 4', 'before 5', 'while it was down'];
  for (const page of [alice, bob]) expect(await said(page)).toEqual(expected);
  await bob.reload();
  await bubble(bob, 'while it was down').waitFor();
  expect(await said(bob)).toEqual(expected);
});

test('a second login of the same user is told to the first window, which can take it back', async () => {
  const first = await openAs(await context('en-US'), server.origin, 'alice', 'bob');
  await say(first, 'mine');
  await own(first, 'mine', 'sent').waitFor();
  const second = await openAs(await context('en-US'), server.origin, 'alice', 'bob');
  await bubble(second, 'mine').waitFor();
  await first.locator('.banner[data-trouble=kicked]').waitFor();
  expect(await composer(first).isDisabled()).toBe(true);

  await first.getByRole('button', { name: 'Use it here' }).click();
  await first.locator('.banner').waitFor({ state: 'detached' });
  await second.locator('.banner[data-trouble=kicked]').waitFor();
  await say(first, 'mine again');
  await own(first, 'mine again', 'sent').waitFor();
});

test('a message that failed says why, and Retry and Delete do what they say', async () => {
  const alice = await openAs(await context('en-US'), server.origin, 'alice', 'newcomer');
  await say(alice, 'first');
  await own(alice, 'first', 'failed').waitFor();
  await say(alice, 'second');
  await own(alice, 'second', 'failed').waitFor();
  expect(await own(alice, 'first', 'failed').textContent()).toContain('this user does not exist');

  await own(alice, 'second', 'failed').getByRole('button', { name: 'Delete' }).click();
  await bubble(alice, 'second').waitFor({ state: 'detached' });

  await server.token('newcomer');
  await own(alice, 'first', 'failed').getByRole('button', { name: 'Retry' }).click();
  await own(alice, 'first', 'sent').waitFor();
  expect(await said(alice)).toEqual(['first']);
});

test('a token that is about to end is renewed without anybody noticing', async () => {
  const page = await (await context('en-US')).newPage();
  const { appID, token } = await server.token('alice', 40);
  const account = JSON.stringify({ appID, userID: 'alice', userName: 'Alice', token, demo: true });
  await page.addInitScript((kept) => sessionStorage.setItem('parley.account', kept), account);
  const renewal = page.waitForResponse((response) => response.url().endsWith('/dev/token'));
  await page.goto(`${server.origin}/?user=alice#/c/bob`);
  await renewal;
  await say(page, 'still here');
  await own(page, 'still here', 'sent').waitFor();
});

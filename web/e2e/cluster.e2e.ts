import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bubble, desktop, launchBrowser, newContext, openAs, own, phone, say } from './browser';
import { Server } from './server';

let nodes: Server[];
let browser: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  nodes = await Server.cluster(3);
});
afterAll(async () => {
  await Promise.all(contexts.map((one) => one.close()));
  await browser.close();
  await Promise.all(nodes.map((node) => node.close()));
});

async function open(node: Server | undefined, user: string, peer: string): Promise<Page> {
  const context = await newContext(browser);
  contexts.push(context);
  return openAs(context, node?.origin ?? '', user, peer);
}

/** The texts of a conversation, from top to bottom. */
async function texts(page: Page): Promise<string[]> {
  const all = await page.locator('.bubble').allTextContents();
  return all.map((text) => text.replace(/^.*[:：] /s, '').trim());
}

test('two people on different nodes go on talking while every node is killed in turn', async () => {
  const alice = await open(nodes[0], 'alice', 'bob');
  const bob = await open(nodes[1], 'bob', 'alice');
  await say(alice, 'said 0 by alice');
  await bubble(bob, 'said 0 by alice').waitFor();
  await say(bob, 'said 1 by bob');
  await bubble(alice, 'said 1 by bob').waitFor();

  let count = 2;
  for (const node of nodes) {
    await node.kill();
    const killed = Date.now();
    for (const [from, to, name] of [[alice, bob, 'alice'], [bob, alice, 'bob']] as const) {
      const text = `said ${count++} by ${name}`;
      await say(from, text);
      await own(from, text, 'sent').waitFor();
      await bubble(to, text).waitFor();
    }
    const seconds = (Date.now() - killed) / 1000;
    for (const page of [alice, bob]) await page.locator('.banner').waitFor({ state: 'detached' });
    console.log(`a node killed: both heard each other again after ${seconds.toFixed(1)} s`);
    await node.restart();
  }

  for (const page of [alice, bob]) {
    const said = (await texts(page)).filter((text) => text.includes('said'));
    expect(said).toHaveLength(count);
    expect(said.map((text) => Number(/said (\d+)/.exec(text)?.[1]))).toEqual(Array.from({ length: count }, (_, i) => i));
  }
});

test('the cluster page draws nodes and shards, and what becomes of a node', async () => {
  const context = await newContext(browser);
  contexts.push(context);
  const page = await context.newPage();
  await page.goto(`${nodes[0]?.adminOrigin ?? ''}/cluster`);
  await page.getByLabel('Admin token').fill('wrong');
  await page.getByRole('button', { name: 'Show the cluster' }).click();
  await page.getByText('This is not the token.').waitFor();
  await page.getByLabel('Admin token').fill((await nodes[0]?.adminToken()) ?? '');
  await page.getByRole('button', { name: 'Show the cluster' }).click();

  await page.locator('.node[data-alive=true]').nth(2).waitFor();
  expect(await page.locator('.shard').count()).toBe(128);
  await page.locator('.shard').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.getByText(/^Shard 2: led by [ABC]/).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.getByText(/^Shard 18: led by [ABC]/).waitFor();
  await page.setViewportSize(phone);
  await page.keyboard.press('ArrowUp');
  await page.getByText(/^Shard 10: led by [ABC]/).waitFor();
  await page.setViewportSize(desktop);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes: where }) => `${id}: ${where.map((one) => one.html).join(' ')}`)).toEqual([]);
  }

  await nodes[2]?.kill();
  await page.locator('.node[data-alive=false]').waitFor();
  await page.locator('.shard[data-node=none]').first().waitFor({ state: 'detached' });
  await nodes[2]?.restart();
  await page.locator('.node[data-alive=false]').waitFor({ state: 'detached' });
});

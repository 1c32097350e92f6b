import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';

const launchOptions = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Waits of the page helpers end after this. */
export const waitMilliseconds = 15_000;

export const desktop = { width: 1280, height: 800 } as const;
export const phone = { width: 390, height: 844 } as const;

/** The system's Chromium; PARLEY_CHROMIUM names another one. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['PARLEY_CHROMIUM'] ?? '/usr/bin/chromium',
    args: launchOptions,
    timeout: waitMilliseconds,
  });
}

/** A browser profile of its own: nothing is shared with another one. */
export async function newContext(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: desktop, locale: 'en-US', ...options });
  context.setDefaultTimeout(waitMilliseconds);
  return context;
}

/** Opens the page as a demo user, perhaps in a conversation, and waits until it is signed in. */
export async function openAs(context: BrowserContext, origin: string, user: string, peer?: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${origin}/?user=${user}${peer === undefined ? '' : `#/c/${peer}`}`);
  await page.locator('.list-pane').waitFor({ state: 'attached' });
  return page;
}

/** The box in which one writes. */
export const composer = (page: Page) => page.locator('.composer textarea');

/** The bubbles that say exactly this. */
export const bubble = (page: Page, text: string) => page.locator('.bubble', { hasText: new RegExp(`[:：] ${escape(text)}$`) });

/** The message of the own user that says this, in this state. */
export const own = (page: Page, text: string, state: string) => page.locator(`.message.own[data-state=${state}]`, { has: bubble(page, text) });

/** The line of the list that belongs to a user. */
export const listed = (page: Page, user: string) => page.locator(`.conversation[data-id="${user}"]`);

/** What the messages on the screen say, from the oldest to the newest. */
export const said = (page: Page): Promise<string[]> => page.locator('.said').allTextContents();

/** Types into the composer and sends: with Enter, on a touch screen with the button. */
export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  if (await page.evaluate(() => matchMedia('(pointer: coarse)').matches)) await page.locator('.send').tap();
  else await composer(page).press('Enter');
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

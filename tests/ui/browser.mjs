// SPDX-License-Identifier: Apache-2.0
/*
 * What the tests of the page share: Debian's Chromium by playwright-core (installed in ui/), pages that
 * remember what went wrong in them, and the collector to look at: WEFT_URL's, or a fixture.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startFixture } from './fixture-server.mjs';

const require = createRequire(new URL('../../ui/package.json', import.meta.url));
const { chromium } = require('playwright-core');

export const OUT = fileURLToPath(new URL('./out', import.meta.url));
export const PATIENCE_MS = 20_000;

/* Playwright gives each launch a new user data directory and removes it at the end. */
export const launch = () =>
  chromium.launch({
    executablePath: process.env.WEFT_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });

/** { url, fixture, close }: `fixture` is undefined for a real collector. */
export async function collector() {
  const url = process.env.WEFT_URL?.replace(/\/+$/, '');
  return url ? { url, fixture: undefined, close: async () => {} } : startFixture();
}

/**
 * A page at `base` whose `faults` lists every console error, uncaught exception and violation of
 * the Content-Security-Policy. `timezone` is where its reader lives.
 */
export async function openPage(browser, base, { width = 1280, height = 800, dark = false, phone = false, timezone } = {}) {
  const context = await browser.newContext({
    baseURL: base,
    viewport: phone ? { width: 390, height: 844 } : { width, height },
    deviceScaleFactor: phone ? 2 : 1,
    hasTouch: phone,
    ...(timezone && { timezoneId: timezone }),
    colorScheme: dark ? 'dark' : 'light',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  await page.exposeFunction('__violated', (what) => faults.push(`CSP: ${what}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.__violated(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { page, faults, close: () => context.close() };
}

/**
 * A browser and a collector for all tests of a file, there from before the first until after the last. `begin` makes
 * the collector (`{ url, close }`), `ready` waits until it has what the tests look at. `look(name, options, body)`
 * is a test with a page of its own, closed however it ends, in which nothing may complain but what `forgive` matches;
 * `begin` there makes a collector for this test alone.
 */
export function stage({ begin = collector, ready = async () => {} } = {}) {
  const scene = {};
  before(async () => {
    scene.browser = await launch();
    scene.at = await begin();
    await ready(scene.at);
  });
  after(async () => {
    await scene.browser?.close();
    await scene.at?.close();
  });
  scene.look = (name, options, body) => {
    if (!body) [options, body] = [{}, options];
    test(name, { skip: options.skip ?? false }, async (t) => {
      const own = await options.begin?.();
      const at = own ?? scene.at;
      const opened = await openPage(scene.browser, at.url, options);
      try {
        await body({ ...opened, at, t });
        assert.deepEqual(complaints(opened.faults, options.forgive), []);
      } finally {
        await opened.close();
        await own?.close();
      }
    });
  };
  return scene;
}

/** The browser's own word for each request that failed: what a test makes fail on purpose is forgiven by it. */
export const FAILED_REQUEST = /Failed to load resource/;
export const complaints = (faults, forgive) => faults.filter((fault) => !forgive?.test(fault));

/* Of a long list the first rows: those after them are of the same form, and axe takes a hundredth of a second for each. */
const LIKE_THE_FIRST = ['tbody tr', 'li', '[role=row]'].map((row) => [`${row}:nth-child(n+25)`]);

/** What axe-core finds serious or critical on a page, as text; the script goes in past the page's policy. */
export async function seriousFaults(page) {
  await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate((exclude) => window.axe.run({ include: [['html']], exclude }, { resultTypes: ['violations'] }), LIKE_THE_FIRST);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** Poll until `check` gives something truthy; the deadline fails the test and says what for. */
export async function eventually(what, check, patienceMs = PATIENCE_MS) {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const api = async (base, path) => (await fetch(base + path)).json();

/** A parameter of the page's address. */
export const param = (page, name) => new URL(page.url()).searchParams.get(name);

/** A box of a page by its heading. */
export const region = (page, name) => page.getByRole('region', { name, exact: true });

/** Nothing is asked for any more of which the page shows that it waits. */
export const drawn = (page) => eventually('drawn', async () => (await page.locator('[aria-busy="true"]').count()) === 0);

export const detailOf = (page) => page.getByRole('complementary', { name: 'Span details' });

/** Rows of the waterfall as screen readers hear them. */
export const spanRows = (page) => page.getByRole('treegrid').getByRole('row');

export async function screenshot(page, name) {
  await mkdir(OUT, { recursive: true });
  await page.screenshot({ path: join(OUT, `${name}.png`) });
}

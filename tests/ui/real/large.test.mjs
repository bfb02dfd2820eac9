// SPDX-License-Identifier: Apache-2.0
/* A trace of a hundred thousand spans, which a real collector took by OTLP. */
import assert from 'node:assert/strict';
import { detailOf, eventually, param, spanRows } from '../browser.mjs';
import { largeTraceId, sendLargeTrace, spanCount } from './spans.mjs';
import { realStage } from './world.mjs';

const SPANS = 100_000;
const ID = largeTraceId(SPANS);
const { look } = realStage(async ({ url }) => {
  await sendLargeTrace(url, SPANS);
  await eventually('the whole trace', async () => (await spanCount(url, ID)) === SPANS);
});

look('a trace of 100,000 spans opens, scrolls to its end, folds, and is searched', async ({ page }) => {
  await page.goto(`/trace/${ID}`);
  const grid = page.getByRole('treegrid');
  await page.locator(`[role=treegrid][aria-rowcount="${SPANS}"]`).waitFor();
  await eventually('the first paint', () => page.evaluate(() => performance.getEntriesByName('waterfall-painted').length > 0));
  await spanRows(page).filter({ hasText: 'step 0' }).first().waitFor({ state: 'attached' });

  const top = await spanRows(page).first().getAttribute('id');
  await page.locator('.wf-scroll').evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await page.locator(`#span-${SPANS - 1}`).waitFor({ state: 'attached' });
  assert.ok((await spanRows(page).count()) < 200, 'only rows in sight are there');
  await grid.focus();
  await page.keyboard.press('Home');
  await page.locator(`#${top}`).waitFor({ state: 'attached' });
  await page.keyboard.press('End');
  await page.locator(`#span-${SPANS - 1}`).waitFor({ state: 'attached' });

  await page.keyboard.press(']');
  await eventually('the root alone', async () => (await grid.getAttribute('aria-rowcount')) === '1');
  await page.keyboard.press('[');
  await eventually('all rows again', async () => (await grid.getAttribute('aria-rowcount')) === String(SPANS));

  await page.keyboard.press('Control+b');
  await page.keyboard.type('http.route=/v1/things/{id}/7');
  await page.getByText('– of 4\u202f000').waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('1 of 4\u202f000', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await grid.focus();
  await page.keyboard.press('Enter');
  await detailOf(page).getByText('http.route').waitFor();
  /* What the analysis says of a span comes with the span. */
  await eventually('its own time', async () => (await detailOf(page).locator('dt:text-is("Self") + dd').innerText()) !== '–');
  await eventually('the span in the address', () => /^[0-9a-f]{16}$/.test(param(page, 'span') ?? ''));
});

look('the same trace as flame graph and in sums', async ({ page }) => {
  await page.goto(`/trace/${ID}?tab=sums`);
  await page.getByRole('region', { name: 'By service' }).getByRole('row').nth(6).waitFor();
  await page.getByRole('radio', { name: 'Flame graph' }).check();
  await page.getByRole('application', { name: /^Flame graph/ }).focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('status').getByText('step 0').first().waitFor();
});

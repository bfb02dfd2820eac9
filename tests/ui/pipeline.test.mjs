// SPDX-License-Identifier: Apache-2.0
/* Pipeline status, open spans, the theme; against a real collector where WEFT_URL names one. */
import assert from 'node:assert/strict';
import { api, eventually, stage } from './browser.mjs';

const scene = stage();
const { look } = scene;

look('the pipeline page shows every part', async ({ page }) => {
  await page.goto('/status');
  for (const name of ['Accepted', 'Freshness', 'Head memory', 'Ledger']) {
    await page.getByRole('heading', { name, exact: true }).waitFor();
  }
  await page.getByRole('heading', { name: 'Agents' }).waitFor();
  await page.getByRole('heading', { name: /^Losses|^Nothing was lost/ }).first().waitFor();
});

look('a refresh moves nothing', async ({ page }) => {
  await page.goto('/status');
  await page.getByRole('heading', { name: 'Ledger' }).waitFor();
  const places = () =>
    page.locator('.panel, .panel h2, .panel dt, .table-box, thead th').evaluateAll((all) =>
      all.map((each) => {
        const { x, y, width } = each.getBoundingClientRect();
        return [x, y, width].map(Math.round).join();
      }).join(' '),
    );
  const before = await places();
  let answers = 0;
  page.on('response', (response) => {
    if (response.url().endsWith('/api/v1/status')) answers++;
  });
  await eventually('three refreshes', () => answers >= 3);
  assert.equal(await places(), before);
});

look('open spans are listed oldest first, or the page says that there are none', async ({ page }) => {
  await page.goto('/inflight');
  await page.locator('.open-row').or(page.getByRole('heading', { name: 'Nothing is in flight' })).first().waitFor();
});

look('the theme follows the system, then the button, and is remembered', { dark: true }, async ({ page }) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await page.goto('/status');
  const dark = await ground();
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await ground();
  assert.notEqual(dark, light);
  await page.getByRole('button', { name: 'Theme: as the system' }).click();
  assert.equal(await ground(), light);
  await page.getByRole('button', { name: 'Theme: light' }).click();
  assert.equal(await ground(), dark);
  await page.reload();
  await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
  assert.equal(await ground(), dark);
});

look('an address that is none says so', async ({ page }) => {
  await page.goto('/trace/not-an-id');
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
});

// SPDX-License-Identifier: Apache-2.0
/* The caches' pages; against a real collector where WEFT_URL names one, with a tap beside it. */
import assert from 'node:assert/strict';
import { startFixture } from './fixture-server.mjs';
import { api, FAILED_REQUEST, region, seriousFaults, stage } from './browser.mjs';

let none = false;
const scene = stage({
  ready: async (at) => {
    none = (await api(at.url, '/api/v1/caches')).caches.length === 0;
  },
});
const { look } = scene;


look('all caches are listed, and one opens', async ({ page, t }) => {
  if (none) return t.skip('no tap tells this collector of a cache');
  await page.goto('/caches?range=15m');
  const first = region(page, 'Caches').getByRole('link').first();
  const address = await first.innerText();
  await first.click();
  await page.getByRole('heading', { level: 1, name: address }).waitFor();
  assert.match(page.url(), /\/caches\/\d+\?range=15m$/);
  for (const name of ['Commands', 'Service time', 'Hit rate', 'Traffic', 'Heaviest']) await page.getByRole('heading', { name, exact: true }).waitFor();
  await page.getByRole('group', { name: 'The cache' }).getByText('/s').first().waitFor();
  assert.deepEqual(await seriousFaults(page), []);
});

look('what the heaviest are, and by what, is in the address', async ({ page, t }) => {
  if (none) return t.skip('no tap tells this collector of a cache');
  await page.goto('/caches');
  await region(page, 'Heaviest keys').waitFor();
  await page.getByRole('radio', { name: 'Patterns' }).check();
  await region(page, 'Heaviest patterns').waitFor();
  await page.getByRole('radio', { name: 'Bytes' }).check();
  await page.getByRole('columnheader', { name: 'Bytes/s' }).waitFor();
  const { searchParams } = new URL(page.url());
  assert.deepEqual([searchParams.get('list'), searchParams.get('by')], ['patterns', 'bytes']);
  await page.reload();
  await region(page, 'Heaviest patterns').waitFor();
  assert.ok(await page.getByRole('radio', { name: 'Bytes' }).isChecked());
});

look('the list sorts by keyboard', async ({ page, t }) => {
  if (none) return t.skip('no tap tells this collector of a cache');
  await page.goto('/caches');
  await region(page, 'Caches').getByRole('button', { name: 'p99' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('th[aria-sort=descending]', { hasText: 'p99' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('th[aria-sort=ascending]', { hasText: 'p99' }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('sort'), '-p99');
});

look('where no cache was seen the page says so', { begin: () => startFixture({ empty: true }) }, async ({ page }) => {
  await page.goto('/caches');
  await page.getByText('No cache was seen in this time').waitFor();
});

look('where there is no such cache the page says so', { forgive: FAILED_REQUEST }, async ({ page }) => {
  await page.goto('/caches/987654');
  await page.getByRole('alert').getByText('Not here').waitFor();
});

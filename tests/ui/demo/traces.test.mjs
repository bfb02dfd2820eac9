// SPDX-License-Identifier: Apache-2.0
/* Recent traces, against a real collector where WEFT_URL names one. */
import assert from 'node:assert/strict';
import { api, eventually, stage } from '../browser.mjs';

const scene = stage({
  ready: async (at) => {
    await eventually('a trace to look at', async () => (await api(at.url, '/api/v1/traces')).traces?.length > 0);
  },
});
const { look } = scene;

const rows = (page) => page.locator('a.trace-row');

look('recent traces are listed and open their trace', async ({ page }) => {
  await page.goto('/traces');
  await rows(page).first().waitFor();
  const href = await rows(page).first().getAttribute('href');
  assert.match(href, /^\/trace\/[0-9a-f]{32}$/);
  await rows(page).first().click();
  await page.getByRole('treegrid').waitFor();
  assert.match(new URL(page.url()).pathname, /^\/trace\/[0-9a-f]{32}$/);
  await page.goBack();
  await rows(page).first().waitFor();
});

look('filters, the address, and back and forward say the same', async ({ page }) => {
  await page.goto('/traces');
  await rows(page).first().waitFor();
  const query = () => new URL(page.url()).search;

  const service = page.getByLabel('Service', { exact: true });
  await eventually('services to choose from', async () => (await service.locator('option').count()) > 1);
  const name = await service.locator('option').nth(1).getAttribute('value');
  await service.selectOption(name);
  await eventually('the service in the address', () => new URLSearchParams(query()).get('service') === name);

  await page.getByRole('radio', { name: '1 h' }).check();
  await eventually('the range in the address', () => query().includes('range=1h'));

  const shortest = page.getByLabel('Shortest duration');
  await shortest.fill('1 us');
  await shortest.press('Enter');
  await eventually('the duration in the address', () => query().includes('min_duration=1us'));

  await page.goBack();
  await eventually('the duration gone', async () => (await shortest.inputValue()) === '');
  await page.goBack();
  assert.equal(await page.getByRole('radio', { name: 'All' }).isChecked(), true);
  await page.goBack();
  assert.equal(await service.inputValue(), '');
  await page.goForward();
  assert.equal(await service.inputValue(), name);

  await page.reload();
  await eventually('the service after a reload', async () => (await service.inputValue()) === name);
});

look('a duration that is none is marked and asks for nothing', async ({ page }) => {
  await page.goto('/traces');
  const longest = page.getByLabel('Longest duration');
  await longest.fill('fast');
  await longest.press('Enter');
  assert.equal(await longest.getAttribute('aria-invalid'), 'true');
  assert.equal(new URL(page.url()).search, '');
});

look('a list that nothing fits says what to do', async ({ page }) => {
  await page.goto('/traces?operation=no-such-operation');
  await page.getByRole('heading', { name: 'No trace fits these filters' }).waitFor();
  await page.getByRole('link', { name: 'clear the filters' }).click();
  await rows(page).first().waitFor();
  assert.equal(new URL(page.url()).search, '');
});

look('no row moves while the pointer is on the list', async ({ page }) => {
  await page.goto('/traces');
  await rows(page).first().hover();
  const hrefs = () => rows(page).evaluateAll((links) => links.map((link) => link.href).join('\n'));
  const before = await hrefs();
  /* New traces arrive all the time: wait until some are held back. A quiet collector has none. */
  const waiting = page.getByRole('button', { name: /new traces?$/ });
  const held = await eventually('new traces held back', () => waiting.isEnabled(), 8000).catch(() => false);
  assert.equal(await hrefs(), before);
  if (held) {
    await waiting.click();
    await eventually('the newest on top', async () => (await hrefs()) !== before);
  }
});

look('a pasted trace id opens, anything else is refused with a sentence', async ({ page }) => {
  await page.goto('/traces');
  const { trace_id } = (await api(scene.at.url, '/api/v1/traces?limit=1')).traces[0];
  const search = page.getByRole('searchbox', { name: 'Open a trace by its id' });
  await search.fill('not an id');
  await search.press('Enter');
  await page.getByText('A trace id has 32 hexadecimal digits.').waitFor();
  await search.fill(` ${trace_id.toUpperCase()} `);
  await search.press('Enter');
  await page.getByRole('treegrid').waitFor();
  assert.equal(new URL(page.url()).pathname, `/trace/${trace_id}`);
});

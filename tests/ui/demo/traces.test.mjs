// SPDX-License-Identifier: Apache-2.0
/* Traces as they come, in the search, against a real collector where WEFT_URL names one. */
import assert from 'node:assert/strict';
import { api, eventually, stage } from '../browser.mjs';

const scene = stage({
  ready: async (at) => {
    await eventually('a trace to look at', async () => (await api(at.url, '/api/v1/traces')).traces?.length > 0);
  },
});
const { look } = scene;

const rows = (page) => page.locator('a.trace-row');

look('the old address of recent traces follows them in the search, and they open', async ({ page }) => {
  await page.goto('/traces');
  await rows(page).first().waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/search?live=on');
  assert.equal(await page.getByRole('button', { name: 'Following' }).getAttribute('aria-pressed'), 'true');
  const href = await rows(page).first().getAttribute('href');
  assert.match(href, /^\/trace\/[0-9a-f]{32}(\?|$)/);
  await rows(page).first().click();
  await page.getByRole('treegrid').waitFor();
  assert.match(new URL(page.url()).pathname, /^\/trace\/[0-9a-f]{32}$/);
  await page.goBack();
  await rows(page).first().waitFor();
});

look('old addresses with filters find what they found', async ({ page }) => {
  const { services } = await api(scene.at.url, '/api/v1/services');
  const { name } = services.find((each) => each.operations.length > 0);
  await page.goto(`/traces?service=${encodeURIComponent(name)}&live=off`);
  await rows(page).first().waitFor();
  assert.equal(await page.locator('.query-form select').first().inputValue(), name);
  await page.goto('/traces?operation=no-such-operation');
  await page.getByText('No trace fits. Widen the time range').waitFor();
});

look('a version is a field of the form', async ({ page }) => {
  const { services } = await api(scene.at.url, '/api/v1/services');
  const version = services.flatMap(({ versions }) => versions).find(Boolean);
  await page.goto('/search');
  await rows(page).first().waitFor();
  await page.getByLabel('Version', { exact: true }).fill(version);
  await page.getByRole('combobox', { name: 'TraceQL' }).press('Enter');
  await eventually('the version in the address', () => new URL(page.url()).searchParams.get('q') === `{ resource.service.version = "${version}" }`);
  await rows(page).first().waitFor();
  await page.goBack();
  await eventually('no version', async () => (await page.getByLabel('Version', { exact: true }).inputValue()) === '');
});

look('no row moves while the pointer is on the list', async ({ page }) => {
  await page.goto('/traces');
  await rows(page).first().hover();
  const hrefs = () => rows(page).evaluateAll((links) => links.map((link) => link.href).join('\n'));
  const before = await hrefs();
  /* New traces arrive all the time: wait until some are held back. */
  const waiting = page.getByRole('button', { name: /new traces?$/ });
  await eventually('new traces held back', () => waiting.isEnabled());
  assert.equal(await hrefs(), before);
  await waiting.click();
  await eventually('the newest on top', async () => (await hrefs()) !== before);
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

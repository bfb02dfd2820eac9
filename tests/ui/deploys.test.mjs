// SPDX-License-Identifier: Apache-2.0
/* Deploys and one deploy; against a real collector where WEFT_URL names one, in which nothing need be deployed. */
import assert from 'node:assert/strict';
import { startFixture } from './fixture-server.mjs';
import { api, FAILED_REQUEST, region, seriousFaults, stage } from './browser.mjs';

let deploys;
const scene = stage({
  ready: async (at) => {
    deploys = (await api(at.url, '/api/v1/marks?kind=deploy')).marks;
  },
});
const { look } = scene;


look('deploys are listed with their verdicts, and one opens with all of its parts', async ({ page, t }) => {
  if (deploys.length === 0) return t.skip('nothing was deployed here');
  await page.goto('/deploys?range=1d');
  await region(page, 'Deploys').locator('.tag').first().waitFor();
  await region(page, 'Deploys').getByRole('link').first().click();
  for (const name of ['Roll-out by cell', 'The whole service', 'How long requests took', 'p99', 'p50', 'Requests', 'Errors', 'Processes']) {
    await page.getByRole('heading', { name, exact: true }).waitFor();
  }
  await page.getByRole('heading', { name: /^Traces of / }).first().waitFor();
  assert.match(page.url(), /\/deploys\/\d+\?range=1d$/);
  assert.deepEqual(await seriousFaults(page), []);
  await page.goBack();
  await region(page, 'Deploys').waitFor();
});

look('a made-up deploy: figures with their confidence, shapes, and a way to the traces', { skip: Boolean(process.env.WEFT_URL) }, async ({ page }) => {
  await page.goto('/deploys/7');
  const measures = region(page, 'Measures: Cell c1');
  await measures.getByRole('row').nth(2).waitFor();
  const p99 = (await measures.getByRole('row').nth(2).getByRole('cell').allInnerTexts()).map((text) => text.replace(/\u00a0/g, ' '));
  assert.deepEqual(p99, ['p99', '21.0 ms', '48.0 ms', '+129 %', 'Worse', '>99.99 %']);
  await page.getByText('Too early to say, or too few requests').waitFor();
  await page.getByRole('img', { name: 'How long requests took, before and after' }).waitFor();
  assert.match(await page.locator('.shapes .after').getAttribute('points'), /^\d/);
  const search = new URL(await page.getByRole('link', { name: 'Search in all of them' }).last().getAttribute('href'), scene.at.url);
  assert.equal(search.searchParams.get('q'), '{ resource.service.name = "cell" && resource.service.version = "1.5.0" && resource.weft.cell = "c1" }');
});

look('where nothing was deployed, and where there is no such deploy, the page says so', { begin: () => startFixture({ empty: true }), forgive: FAILED_REQUEST }, async ({ page }) => {
  await page.goto('/deploys');
  await page.getByText('Nothing was deployed in this time').waitFor();
  await page.getByRole('link', { name: 'the last week' }).click();
  assert.equal(new URL(page.url()).search, '?range=7d');
  await page.goto('/deploys/99');
  await page.getByRole('alert').getByText('Not here').waitFor();
});

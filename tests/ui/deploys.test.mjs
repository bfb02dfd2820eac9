// SPDX-License-Identifier: Apache-2.0
/* Deploys and one deploy; against a real collector where WEFT_URL names one, in which nothing need be deployed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFixture } from './fixture-server.mjs';
import { api, collector, launch, openPage, seriousFaults } from './browser.mjs';

let browser;
let at;
let deploys;

before(async () => {
  browser = await launch();
  at = await collector();
  deploys = (await api(at.url, '/api/v1/marks?kind=deploy')).marks;
});
after(async () => {
  await browser?.close();
  await at?.close();
});

const region = (page, name) => page.getByRole('region', { name, exact: true });

test('deploys are listed with their verdicts, and one opens with all of its parts', async (t) => {
  if (deploys.length === 0) return t.skip('nothing was deployed here');
  const { page, faults, close } = await openPage(browser, at.url);
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
  assert.deepEqual(faults, []);
  await close();
});

test('a made-up deploy: figures with their confidence, shapes, and a way to the traces', { skip: Boolean(process.env.WEFT_URL) }, async () => {
  const { page, close } = await openPage(browser, at.url);
  await page.goto('/deploys/7');
  const measures = region(page, 'Measures: Cell c1');
  await measures.getByRole('row').nth(2).waitFor();
  const p99 = (await measures.getByRole('row').nth(2).getByRole('cell').allInnerTexts()).map((text) => text.replace(/\u00a0/g, ' '));
  assert.deepEqual(p99, ['p99', '21.0 ms', '48.0 ms', '+129 %', 'Worse', '>99.99 %']);
  await page.getByText('Too early to say, or too few requests').waitFor();
  await page.getByRole('img', { name: 'How long requests took, before and after' }).waitFor();
  assert.match(await page.locator('.shapes .after').getAttribute('points'), /^\d/);
  const search = new URL(await page.getByRole('link', { name: 'Search in all of them' }).last().getAttribute('href'), at.url);
  assert.equal(search.searchParams.get('q'), '{ resource.service.name = "cell" && resource.service.version = "1.5.0" && resource.weft.cell = "c1" }');
  await close();
});

test('where nothing was deployed, and where there is no such deploy, the page says so', async () => {
  const empty = await startFixture({ empty: true });
  const { page, close } = await openPage(browser, empty.url);
  await page.goto('/deploys');
  await page.getByText('Nothing was deployed in this time').waitFor();
  await page.getByRole('link', { name: 'the last week' }).click();
  assert.equal(new URL(page.url()).search, '?range=7d');
  await page.goto('/deploys/99');
  await page.getByRole('alert').getByText('Not here').waitFor();
  await close();
  await empty.close();
});

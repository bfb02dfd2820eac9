// SPDX-License-Identifier: Apache-2.0
/* The overview; against a real collector where WEFT_URL names one. */
import assert from 'node:assert/strict';
import { startFixture } from './fixture-server.mjs';
import { api, eventually, FAILED_REQUEST, region, seriousFaults, stage } from './browser.mjs';

const scene = stage();
const { look } = scene;

const rows = (page) => page.getByRole('region', { name: 'Services' }).getByRole('row');

look('the first page tells of services, the fleet and what changed', async ({ page }) => {
  await page.goto('/');
  await rows(page).nth(1).waitFor();
  for (const name of ['What changed', 'Services']) await page.getByRole('heading', { name, exact: true }).waitFor();
  await page.getByLabel('The fleet').getByText('Ready').waitFor();
  await page.getByRole('link', { name: 'web' }).first().waitFor();
  assert.equal(await page.title(), 'Overview · Weft');
  assert.deepEqual(await seriousFaults(page), []);
});

look('sorting is in the address, and back brings it back', async ({ page }) => {
  await page.goto('/');
  await rows(page).nth(1).waitFor();
  await page.getByRole('button', { name: 'Rate' }).click();
  assert.equal(new URL(page.url()).search, '?sort=rate');
  const rate = async (row) => parseFloat(await rows(page).nth(row).getByRole('cell').nth(2).innerText());
  assert.ok((await rate(1)) >= (await rate(2)));
  await page.getByRole('link', { name: 'Search', exact: true }).click();
  await page.goBack();
  await page.getByRole('columnheader', { name: 'Rate' }).and(page.locator('[aria-sort=descending]')).waitFor();
});

look('that there are more marks than are looked at is said', { begin: () => startFixture({ arriving: false }) }, async ({ page, at }) => {
  at.fixture.manyMarks = true;
  await page.goto('/');
  await page.getByText('of the marks of this time, the newest 500').waitFor();
  await page.getByText('deploys are looked for among the newest 500').waitFor();
  await page.goto('/services/cell');
  await page.getByRole('link', { name: 'there are more' }).waitFor();
  await page.goto('/deploys');
  await page.getByText('choose an earlier time for older ones').waitFor();
  await page.goto('/graph?q=up');
  await page.getByText('The newest 500 marks are shown').waitFor();
});

look('a made-up fleet: what needs somebody comes first', { skip: Boolean(process.env.WEFT_URL) }, async ({ page }) => {
  await page.goto('/');
  const list = page.getByRole('list', { name: 'What changed' }).getByRole('listitem');
  await list.first().waitFor();
  const kinds = await list.locator('.tag').allInnerTexts();
  assert.deepEqual(kinds, ['Firing', 'Died', 'Deploy: worse', 'New errors', 'New errors', 'Hot key', 'Deploy: no change', 'Note']);
});

look('a refresh moves nothing', { skip: Boolean(process.env.WEFT_URL) }, async ({ page }) => {
  await page.goto('/');
  await rows(page).nth(1).waitFor();
  await page.getByRole('list', { name: 'What changed' }).waitFor();
  const places = () =>
    page.locator('.box, .box h2, .fact-strip dl, .overview th, .overview tr').evaluateAll((all) =>
      all.map((each) => Object.values(each.getBoundingClientRect().toJSON()).map(Math.round).join()).join(' '));
  await page.getByLabel('The fleet').getByText('Ready').waitFor();
  const first = await places();
  let asked = 0;
  page.on('response', (answer) => answer.url().includes('/api/v1/status') && asked++);
  await eventually('two more answers', () => asked >= 2);
  assert.equal(await places(), first);
});

look('a collector without anything says what to do; one that is gone, too', { begin: () => startFixture({ empty: true }), forgive: FAILED_REQUEST }, async ({ page, at }) => {
  await page.goto('/');
  await page.getByText('Nothing has recorded yet').waitFor();
  await page.getByText('Nothing: no deploy').waitFor();
  at.fixture.silent = true;
  await page.getByText('The collector does not answer.').first().waitFor();
});

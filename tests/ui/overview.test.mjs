// SPDX-License-Identifier: Apache-2.0
/* The overview; against a real collector where WEFT_URL names one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFixture } from './fixture-server.mjs';
import { collector, eventually, launch, openPage, seriousFaults } from './browser.mjs';

let browser;
let at;

before(async () => {
  browser = await launch();
  at = await collector();
});
after(async () => {
  await browser?.close();
  await at?.close();
});

const rows = (page) => page.getByRole('region', { name: 'Services' }).getByRole('row');

test('the first page tells of services, the fleet and what changed', async () => {
  const { page, faults, close } = await openPage(browser, at.url);
  await page.goto('/');
  await rows(page).nth(1).waitFor();
  for (const name of ['What changed', 'Services']) await page.getByRole('heading', { name, exact: true }).waitFor();
  await page.getByLabel('The fleet').getByText('Ready').waitFor();
  await page.getByRole('link', { name: 'web' }).first().waitFor();
  assert.equal(await page.title(), 'Overview · Weft');
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(faults, []);
  await close();
});

test('sorting is in the address, and back brings it back', async () => {
  const { page, close } = await openPage(browser, at.url);
  await page.goto('/');
  await rows(page).nth(1).waitFor();
  await page.getByRole('button', { name: 'Rate' }).click();
  assert.equal(new URL(page.url()).search, '?sort=rate');
  const rate = async (row) => parseFloat(await rows(page).nth(row).getByRole('cell').nth(2).innerText());
  assert.ok((await rate(1)) >= (await rate(2)));
  await page.getByRole('link', { name: 'Traces', exact: true }).click();
  await page.goBack();
  await page.getByRole('columnheader', { name: 'Rate' }).and(page.locator('[aria-sort=descending]')).waitFor();
  await close();
});

test('that there are more marks than are looked at is said', { skip: Boolean(process.env.WEFT_URL) }, async () => {
  const own = await startFixture({ arriving: false });
  own.fixture.manyMarks = true;
  const { page, faults, close } = await openPage(browser, own.url);
  await page.goto('/');
  await page.getByText('of the marks of this time, the newest 500').waitFor();
  await page.getByText('deploys are looked for among the newest 500').waitFor();
  await page.goto('/services/cell');
  await page.getByRole('link', { name: 'there are more' }).waitFor();
  await page.goto('/deploys');
  await page.getByText('choose an earlier time for older ones').waitFor();
  await page.goto('/graph?q=up');
  await page.getByText('The newest 500 marks are shown').waitFor();
  assert.deepEqual(faults, []);
  await close();
  await own.close();
});

test('a made-up fleet: what needs somebody comes first', { skip: Boolean(process.env.WEFT_URL) }, async () => {
  const { page, close } = await openPage(browser, at.url);
  await page.goto('/');
  const list = page.getByRole('list', { name: 'What changed' }).getByRole('listitem');
  await list.first().waitFor();
  const kinds = await list.locator('.tag').allInnerTexts();
  assert.deepEqual(kinds, ['Firing', 'Died', 'Deploy: worse', 'New errors', 'New errors', 'Hot key', 'Deploy: no change', 'Note']);
  await close();
});

test('a refresh moves nothing', { skip: Boolean(process.env.WEFT_URL) }, async () => {
  const { page, close } = await openPage(browser, at.url);
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
  await close();
});

test('a collector without anything says what to do; one that is gone, too', async () => {
  const empty = await startFixture({ empty: true });
  const { page, close } = await openPage(browser, empty.url);
  await page.goto('/');
  await page.getByText('Nothing has recorded yet').waitFor();
  await page.getByText('Nothing: no deploy').waitFor();
  empty.fixture.silent = true;
  await page.getByText('The collector does not answer.').first().waitFor();
  await close();
  await empty.close();
});

// SPDX-License-Identifier: Apache-2.0
/* What happens now: requests in flight, open spans, the firehose with its filter and its pause. */
import assert from 'node:assert/strict';
import { eventually, FAILED_REQUEST, param, stage } from './browser.mjs';
import { IDS } from './fixture-data.mjs';
import { startFixture } from './fixture-server.mjs';

const scene = stage({ begin: startFixture });
const { look } = scene;

const open = async (page, query = '') => {
  await page.goto(`/inflight${query}`);
  await page.getByRole('heading', { name: 'Live', exact: true }).waitFor();
};
const hose = (page) => page.getByRole('list', { name: 'Spans as they end' }).getByRole('listitem');

look('a request in flight tells what it waits for, and opens its trace', async ({ page }) => {
  await open(page);
  await page.getByText('waits for cell redis LPUSH').waitFor();
  assert.equal(await page.locator('a.open-row').count(), 1);
  await page.getByRole('radio', { name: 'Open spans' }).check();
  await eventually('both spans', async () => (await page.locator('a.open-row').count()) === 2);
  assert.equal(param(page, 'show'), 'spans');
  const age = () => page.locator('a.open-row .age').first().innerText();
  const first = await age();
  await eventually('an older span', async () => (await age()) !== first);
  await page.getByRole('button', { name: 'Following' }).click();
  await page.getByRole('button', { name: 'Paused' }).waitFor();
  await page.locator('a.open-row').first().click();
  await page.getByRole('treegrid').waitFor();
  assert.ok(page.url().includes(IDS.inflight));
});

look('the firehose runs, tells its gaps, stands still while it is paused, and goes on', async ({ page }) => {
  await open(page, '?show=firehose');
  await hose(page).first().waitFor();
  await page.getByText(/^182.733.spans missed: the ledger did not keep them that long$/).waitFor();
  await eventually('a rate', async () => Number.parseFloat(await page.locator('.hose-rate').innerText()) > 5);
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await page.getByText(/ wait$/).waitFor();
  const shown = await hose(page).count();
  const first = await hose(page).first().innerText();
  await eventually('more that wait', async () => /\b[3-9]\d wait$/.test(await page.getByText(/ wait$/).innerText()));
  assert.equal(await hose(page).first().innerText(), first);
  assert.equal(await hose(page).count(), shown);
  await page.getByRole('button', { name: 'Paused' }).click();
  await eventually('what waited', async () => (await hose(page).count()) > shown);
});

look('the firehose is filtered by a query, which lies in the address', { forgive: FAILED_REQUEST }, async ({ page }) => {
  await open(page, '?show=firehose');
  await hose(page).first().waitFor();
  await page.getByRole('combobox', { name: 'TraceQL' }).fill('{ status = died }');
  await page.getByRole('button', { name: 'Filter' }).click();
  await eventually('only those that died', async () => {
    const texts = await hose(page).allInnerTexts();
    return texts.length > 3 && texts.every((text) => /died|missed/.test(text));
  });
  assert.equal(param(page, 'q'), '{ status = died }');
  await page.getByRole('combobox', { name: 'TraceQL' }).fill('{ status');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByRole('alert').getByText('here can stand').waitFor();
});

look('a collector that goes away is told, and the firehose goes on when it is back', { begin: startFixture, forgive: FAILED_REQUEST }, async ({ page, at }) => {
  await page.goto('/inflight?show=firehose');
  await hose(page).first().waitFor();
  at.fixture.silent = true;
  at.drop();
  await page.getByText('The collector does not answer.').waitFor();
  at.fixture.silent = false;
  await eventually('no notice', async () => (await page.getByText('The collector does not answer.').count()) === 0);
});

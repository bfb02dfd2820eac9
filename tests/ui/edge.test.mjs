// SPDX-License-Identifier: Apache-2.0
/*
 * What a real system cannot make on cue, always against the fixture: orphans, a deep tree, a collector that falls
 * silent, a token, an empty collector. real/ has what one can.
 */
import assert from 'node:assert/strict';
import { eventually, FAILED_REQUEST, spanRows, stage } from './browser.mjs';
import { IDS } from './fixture-data.mjs';
import { startFixture } from './fixture-server.mjs';

const scene = stage({ begin: startFixture });
const { look } = scene;

const openTrace = async (page, id) => {
  await page.goto(`/trace/${id}`);
  await spanRows(page).first().waitFor({ state: 'attached' });
};

look('hostile text stays text', async ({ page }) => {
  await openTrace(page, IDS.hostile);
  await page.getByRole('treegrid').focus();
  await page.keyboard.press('Enter');
  const detail = page.getByRole('complementary', { name: 'Span details' });
  await detail.getByText('four.kib').waitFor();
  await detail.getByText('9223372036854775807').waitFor();
  await detail.getByText('Grüße').waitFor();
  await detail.getByRole('button', { name: /^Show all .* characters$/ }).first().click();
  assert.ok((await detail.innerText()).includes('x<y&z"'.repeat(683)));
  assert.equal(await page.evaluate(() => window.__pwned), undefined);
  assert.equal(await page.locator('main img, main script, main b, main i').count(), 0);
  await page.goto('/traces');
  await page.locator('a.trace-row').first().waitFor();
  await page.goto('/status');
  assert.equal(await page.evaluate(() => window.__pwned), undefined);
});

look('a died span, its process and its losses are told in words', async ({ page }) => {
  await openTrace(page, IDS.died);
  assert.equal(await spanRows(page).filter({ hasText: 'died' }).count(), 2);
  await page.getByText('cell c2-0 died here').waitFor();
  await page.getByText('cell c2-0 lost 17 spans here: ring_full').waitFor();
});

look('open spans are said to be in flight, and the page follows until they end', async ({ page }) => {
  await openTrace(page, IDS.inflight);
  assert.equal(await spanRows(page).filter({ hasText: 'in flight' }).count(), 2);
  await page.getByText('This page follows until the last one ends.').waitFor();
  const trace = scene.at.fixture.traces.find((each) => each.trace_id === IDS.inflight);
  for (const span of trace.spans) if (span.status === 'in_flight') span.status = 'ok';
  trace.in_flight_count = 0;
  await eventually('no span in flight', async () => (await spanRows(page).filter({ hasText: 'in flight' }).count()) === 0);
});

look('orphans, duplicates and an incomplete tree are marked', async ({ page }) => {
  await openTrace(page, IDS.orphan);
  assert.equal(await spanRows(page).filter({ hasText: 'orphan' }).count(), 2);
  assert.equal(await spanRows(page).filter({ hasText: 'duplicate id' }).count(), 1);
  await page.getByText('Some spans name a parent that has not arrived').waitFor();
  await page.getByText("cell c1-0 lost 1\u202f240 spans in the agent's spool: spool_full").waitFor();
});

look('a trace of one span and one of three hundred levels open', async ({ page }) => {
  await openTrace(page, IDS.single);
  assert.equal(await spanRows(page).count(), 1);
  await openTrace(page, IDS.deep);
  await page.getByRole('treegrid').focus();
  await page.keyboard.press('End');
  await page.locator('#span-299[aria-level="300"]').waitFor({ state: 'attached' });
});

look('a collector that goes away in the middle is told, and its return is noticed', { begin: startFixture, forgive: FAILED_REQUEST }, async ({ page, at }) => {
  await page.goto('/traces');
  await page.locator('a.trace-row').first().waitFor();
  at.fixture.silent = true;
  await page.getByText('The collector does not answer.').waitFor();
  assert.ok((await page.locator('a.trace-row').count()) > 0, 'what was there stays');
  await page.getByRole('link', { name: 'Pipeline' }).click();
  await page.getByRole('heading', { name: 'The collector does not answer' }).waitFor();
  at.fixture.silent = false;
  await page.getByRole('heading', { name: 'Ledger' }).waitFor();
  await page.getByRole('link', { name: 'Search', exact: true }).click();
  await page.locator('a.trace-row').first().waitFor();
  assert.equal(await page.getByText('The collector does not answer').count(), 0);
});

look('a token is asked for, sent, and forgotten with the tab', { begin: startFixture, forgive: FAILED_REQUEST }, async ({ page, at }) => {
  at.fixture.token = 'open sesame';
  await page.goto('/traces');
  await page.getByRole('heading', { name: 'This collector asks for a token' }).waitFor();
  await page.getByLabel('Token').fill('open sesame');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('a.trace-row').first().click();
  await page.getByRole('treegrid').waitFor();
  assert.equal(await page.evaluate(() => Object.values(localStorage).join().includes('sesame')), false);
});

look('an empty collector says what to do, and that nothing was lost', { begin: () => startFixture({ empty: true }) }, async ({ page }) => {
  await page.goto('/traces');
  await page.getByRole('heading', { name: 'No traces in this time' }).waitFor();
  await page.getByRole('link', { name: 'pipeline page' }).click();
  await page.getByRole('heading', { name: 'No agent has connected' }).waitFor();
  await page.getByRole('heading', { name: 'Nothing was lost.' }).waitFor();
  await page.getByRole('link', { name: /^Live/ }).click();
  await page.getByRole('heading', { name: 'Nothing is in flight' }).waitFor();
});

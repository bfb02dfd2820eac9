// SPDX-License-Identifier: Apache-2.0
/*
 * What a real system cannot make on cue, always against the fixture: hostile text, orphans, a
 * collector that goes away, a token, an empty collector, 100,000 spans.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, launch, openPage, spanRows } from './browser.mjs';
import { IDS } from './fixture-data.mjs';
import { startFixture } from './fixture-server.mjs';

let browser;
let at;

before(async () => {
  browser = await launch();
  at = await startFixture();
});
after(async () => {
  await browser?.close();
  await at?.close();
});

const openTrace = async (id, query = '', options = {}) => {
  const opened = await openPage(browser, at.url, options);
  await opened.page.goto(`/trace/${id}${query}`);
  await spanRows(opened.page).first().waitFor({ state: 'attached' });
  return opened;
};

test('hostile text stays text', async () => {
  const { page, faults, close } = await openTrace(IDS.hostile);
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
  assert.deepEqual(faults, []);
  await close();
});

test('a died span, its process and its losses are told in words', async () => {
  const { page, faults, close } = await openTrace(IDS.died);
  assert.equal(await spanRows(page).filter({ hasText: 'died' }).count(), 2);
  await page.getByText('cell c2-0 died here').waitFor();
  await page.getByText('cell c2-0 lost 17 spans here: ring_full').waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test('open spans are said to be in flight, and the page follows until they end', async () => {
  const { page, close } = await openTrace(IDS.inflight);
  assert.equal(await spanRows(page).filter({ hasText: 'in flight' }).count(), 2);
  await page.getByText('This page follows until the last one ends.').waitFor();
  const trace = at.fixture.traces.find((each) => each.trace_id === IDS.inflight);
  for (const span of trace.spans) if (span.status === 'in_flight') span.status = 'ok';
  trace.in_flight_count = 0;
  await eventually('no span in flight', async () => (await spanRows(page).filter({ hasText: 'in flight' }).count()) === 0);
  await close();
});

test('orphans, duplicates and an incomplete tree are marked', async () => {
  const { page, close } = await openTrace(IDS.orphan);
  assert.equal(await spanRows(page).filter({ hasText: 'orphan' }).count(), 2);
  assert.equal(await spanRows(page).filter({ hasText: 'duplicate id' }).count(), 1);
  await page.getByText('Some spans name a parent that has not arrived').waitFor();
  await page.getByText("cell c1-0 lost 1\u202f240 spans in the agent's spool: spool_full").waitFor();
  await close();
});

test('a trace of one span and one of three hundred levels open', async () => {
  const one = await openTrace(IDS.single);
  assert.equal(await spanRows(one.page).count(), 1);
  await one.close();
  const deep = await openTrace(IDS.deep);
  await deep.page.getByRole('treegrid').focus();
  await deep.page.keyboard.press('End');
  await deep.page.locator('#span-299[aria-level="300"]').waitFor({ state: 'attached' });
  assert.deepEqual([...one.faults, ...deep.faults], []);
  await deep.close();
});

test('a collector that goes away in the middle is told, and its return is noticed', async () => {
  const own = await startFixture();
  const { page, faults, close } = await openPage(browser, own.url);
  await page.goto('/traces');
  await page.locator('a.trace-row').first().waitFor();
  own.fixture.silent = true;
  await page.getByText('The collector does not answer.').waitFor();
  assert.ok((await page.locator('a.trace-row').count()) > 0, 'what was there stays');
  await page.getByRole('link', { name: 'Pipeline' }).click();
  await page.getByRole('heading', { name: 'The collector does not answer' }).waitFor();
  own.fixture.silent = false;
  await page.getByRole('heading', { name: 'Ledger' }).waitFor();
  await page.getByRole('link', { name: 'Traces', exact: true }).click();
  await page.locator('a.trace-row').first().waitFor();
  assert.equal(await page.getByText('The collector does not answer').count(), 0);
  /* The browser itself reports each request that failed; nothing else may be wrong. */
  assert.deepEqual(faults.filter((fault) => !fault.includes('Failed to load resource')), []);
  await close();
  await own.close();
});

test('a token is asked for, sent, and forgotten with the tab', async () => {
  const own = await startFixture();
  own.fixture.token = 'open sesame';
  const { page, close } = await openPage(browser, own.url);
  await page.goto('/traces');
  await page.getByRole('heading', { name: 'This collector asks for a token' }).waitFor();
  await page.getByLabel('Token').fill('open sesame');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('a.trace-row').first().click();
  await page.getByRole('treegrid').waitFor();
  assert.equal(await page.evaluate(() => Object.values(localStorage).join().includes('sesame')), false);
  await close();
  await own.close();
});

test('an empty collector says what to do, and that nothing was lost', async () => {
  const own = await startFixture({ empty: true });
  const { page, faults, close } = await openPage(browser, own.url);
  await page.goto('/traces');
  await page.getByRole('heading', { name: 'No traces yet' }).waitFor();
  await page.getByRole('link', { name: 'pipeline page' }).click();
  await page.getByRole('heading', { name: 'No agent has connected' }).waitFor();
  await page.getByRole('heading', { name: 'Nothing was lost.' }).waitFor();
  await page.getByRole('link', { name: /^Live/ }).click();
  await page.getByRole('heading', { name: 'Nothing is in flight' }).waitFor();
  assert.deepEqual(faults, []);
  await close();
  await own.close();
});

test('a trace of 100,000 spans opens, scrolls and finds its last span', async (t) => {
  at.fixture.bigJson();
  const { page, faults, close } = await openPage(browser, at.url);
  await page.goto('/traces');
  await page.locator('a.trace-row').first().waitFor();
  const search = page.getByRole('searchbox', { name: 'Open a trace by its id' });
  await search.fill(IDS.big);
  const began = await page.evaluate(() => performance.now());
  await search.press('Enter');
  await page.locator('[role=treegrid][aria-rowcount="100000"]').waitFor();
  const painted = await eventually('the first paint', () =>
    page.evaluate(() => performance.getEntriesByName('waterfall-painted')[0]?.startTime),
  );
  t.diagnostic(`100,000 spans: ${Math.round(painted - began)} ms from Enter to the first paint of the waterfall`);
  const frames = await page.evaluate(scrollFrames);
  t.diagnostic(`scrolling through it: median frame ${frames.median.toFixed(1)} ms, p95 ${frames.p95.toFixed(1)} ms, worst ${frames.worst.toFixed(1)} ms`);
  await page.getByRole('treegrid').focus();
  await page.keyboard.press('End');
  await page.locator('#span-99999').waitFor({ state: 'attached' });
  assert.deepEqual(faults, []);
  await close();
});

/* Runs in the page: two seconds of scrolling, a jump for each frame. */
async function scrollFrames() {
  const box = document.querySelector('.wf-scroll');
  const times = [];
  let before = await new Promise(requestAnimationFrame);
  const until = before + 2000;
  while (before < until) {
    box.scrollTop += 240;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - before);
    before = now;
  }
  times.sort((a, b) => a - b);
  const quantile = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { median: quantile(0.5), p95: quantile(0.95), worst: times[times.length - 1] };
}

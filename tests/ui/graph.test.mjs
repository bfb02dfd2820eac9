// SPDX-License-Identifier: Apache-2.0
/* The graph of any query, against a real collector where WEFT_URL names one. */
import assert from 'node:assert/strict';
import { api, drawn, eventually, FAILED_REQUEST, stage } from './browser.mjs';

const RATE = 'sum by (service_name) (rate(traces_span_metrics_calls_total[1m]))';
const SECONDS = 'sum(rate(traces_span_metrics_duration_seconds[1m]))';

const scene = stage({
  ready: async (at) => {
    await eventually('a series to draw', async () => {
      const { data } = await api(at.url, `/api/v1/query?query=${encodeURIComponent(RATE)}`);
      return data?.result?.length > 0;
    });
  },
});
const { look } = scene;

const graphOf = (params) => `/graph?${new URLSearchParams(params)}`;
const search = (page) => new URL(page.url()).searchParams;
const editor = (page) => page.getByRole('combobox', { name: 'Query 1' });

look('a query is completed as it is typed, drawn, and in the address', async ({ page }) => {
  await page.goto('/graph');
  await editor(page).pressSequentially('traces_span_metrics_ca');
  const offer = page.getByRole('option', { name: /^traces_span_metrics_calls_total/ });
  await offer.waitFor();
  await page.keyboard.press('Enter');
  assert.equal(await editor(page).inputValue(), 'traces_span_metrics_calls_total');
  await page.keyboard.type('{service_n');
  await page.getByRole('option', { name: /^service_name/ }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type('="we');
  await page.getByRole('option', { name: /^web/ }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.type('"}');
  await page.keyboard.press('Enter');
  await eventually('the query in the address', () => search(page).get('q') === 'traces_span_metrics_calls_total{service_name="web"}');
  await page.locator('.chart .u-over').waitFor();
  await page.goBack();
  await page.getByText('Write a PromQL query above').waitFor();
});

look('what is wrong in a query is underlined where it is, and the other queries are drawn', { forgive: FAILED_REQUEST }, async ({ page }) => {
  await page.goto(`/graph?${new URLSearchParams([['q', RATE], ['q', 'rate(foo)']])}`);
  await page.getByRole('alert').getByText(/^Column 6: rate takes a range vector/).waitFor();
  assert.equal(await page.locator('.promql-mirror .fault').textContent(), 'foo');
  await page.locator('.chart .u-over').waitFor();
  await page.getByRole('button', { name: 'Remove query 2' }).click();
  await eventually('one query left', () => search(page).getAll('q').length === 1);
});

look('a click on a point tells the traces behind it, and they open', async ({ page }) => {
  await page.goto(graphOf({ q: SECONDS, as: 'heatmap', range: '15m' }));
  const canvas = page.locator('.heatmap canvas');
  await canvas.waitFor();
  const { width, height } = await canvas.boundingBox();
  await eventually('exemplars of a moment', async () => {
    await canvas.click({ position: { x: width - 14, y: height / 2 } });
    return page.locator('a[href^="/trace/"]').first().waitFor({ timeout: 3000 }).then(() => true, () => false);
  });
  assert.ok(Number(search(page).get('at')) > 0);
  await page.locator('a[href^="/trace/"]').first().click();
  await page.getByRole('treegrid').waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Traces behind this point' }).waitFor();
});

/* Goes to the last point of a graph by keys; what is read out of it. */
async function pointAtLast(page) {
  await page.goto(graphOf({ q: RATE, range: '15m' }));
  const chart = page.getByRole('application', { name: /^Graph of the queries/ });
  await chart.locator('.u-over').waitFor();
  await chart.focus();
  await page.keyboard.press('ArrowLeft');
  return () => page.locator('.chart [role=status]').innerText();
}

look('a point of lines is gone to by keys and read out', async ({ page }) => {
  const told = await pointAtLast(page);
  const last = await eventually('the last value', told);
  assert.match(last, /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?, .+: .+\/s$/);
  await page.keyboard.press('ArrowLeft');
  await eventually('the one before', async () => (await told()) < last);
  assert.equal(await page.locator('.chart-legend tr.chosen').count(), 1);
  await page.keyboard.press('Enter');
  await eventually('the point in the address', () => Number(search(page).get('at')) > 0);
  await page.keyboard.press('Escape');
  await eventually('nothing is pointed at', async () => (await told()) === '');
});

/* Answers of a query over a range, as they come; `change` says what becomes of one. */
const answers = (page, change) =>
  page.route('**/api/v1/query_range?*', async (route) => {
    const changed = change(new URL(route.request().url()).searchParams);
    if (typeof changed !== 'function') return changed ? route.fulfill(changed) : route.continue();
    const response = await route.fetch();
    const body = await response.json();
    changed(body.data.result);
    await route.fulfill({ response, json: body });
  });

look('a point of lines is one of the same series where a refresh brings fewer steps', async ({ page }) => {
  let fewer = false;
  let cut = 0;
  await answers(page, () => fewer && ((result) => {
    for (const series of result) series.values = series.values.slice(-3);
    cut++;
  }));
  await page.clock.install();
  const told = await pointAtLast(page);
  const first = await eventually('the last value', told);
  fewer = true;
  await eventually('two shorter answers, the first of which is drawn', async () => {
    await page.clock.runFor(10_000);
    return cut > 1;
  });
  assert.match(await told(), /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?, .+: .+\/s$/);
  assert.equal((await told()).replace(/^.*?, |: .*$/g, ''), first.replace(/^.*?, |: .*$/g, ''), 'of the same series');
});

look('a query of which a fine answer is too much is asked for a less fine one alone at a refresh', { forgive: FAILED_REQUEST }, async ({ page }) => {
  const asked = [];
  await answers(page, (params) => {
    const fine = !params.has('histogram_schema');
    asked.push(fine ? 'fine' : 'coarse');
    return fine && { status: 422, json: { status: 'error', error: 'The query needs more than 1000000 bytes of memory' } };
  });
  await page.clock.install();
  await page.goto(graphOf({ q: RATE, range: '15m' }));
  await page.locator('.chart .u-over').waitFor();
  await eventually('refreshes', async () => {
    await page.clock.runFor(10_000);
    return asked.length > 3;
  });
  assert.deepEqual(asked.slice(0, 4), ['fine', 'coarse', 'coarse', 'coarse']);
});

look('a cell of a heatmap is gone to by keys, and its traces are next', async ({ page }) => {
  await page.goto(graphOf({ q: SECONDS, as: 'heatmap', range: '15m' }));
  const heat = page.getByRole('application', { name: /^Heatmap of/ });
  await heat.waitFor();
  await drawn(page);
  await heat.focus();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('status').getByText(/ to .*: [\d.]+/).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Traces behind this point' }).waitFor();
  const link = page.locator('a[href^="/trace/"]').first();
  await link.waitFor();
  await eventually('the first trace has the focus', () => link.evaluate((element) => element === document.activeElement));
  await page.keyboard.press('Enter');
  await page.getByRole('treegrid').waitFor();
});

for (const [shape, what] of [['lines', '.chart .u-over'], ['heatmap', '.heatmap canvas']]) {
  look(`a drag over ${shape} chooses the time, and back returns`, async ({ page }) => {
    await page.goto(graphOf({ q: shape === 'lines' ? RATE : SECONDS, as: shape }));
    const box = await page.locator(what).boundingBox().then((found) => found ?? page.locator(what).waitFor().then(() => page.locator(what).boundingBox()));
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.5, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, y, { steps: 4 });
    await page.mouse.move(box.x + box.width * 0.9, y, { steps: 4 });
    await page.mouse.up();
    await eventually('a range between two moments', () => search(page).has('from') && search(page).has('to'));
    const wide = Number(search(page).get('to')) - Number(search(page).get('from'));
    assert.ok(wide > 20 * 60_000 && wide < 28 * 60_000, `chosen: ${wide / 60_000} minutes`);
    await page.goBack();
    await eventually('the hour again', () => !search(page).has('from'));
  });
}

look('shape, scale, unit and marks are in the address; a table tells the numbers', async ({ page }) => {
  await page.goto(graphOf({ q: RATE }));
  await page.getByLabel('Logarithmic').check();
  await page.getByLabel('Marks').uncheck();
  await page.getByLabel('Unit').selectOption('bytes');
  await page.getByRole('radio', { name: 'Table' }).check();
  await page.getByRole('cell', { name: 'web', exact: true }).waitFor();
  assert.deepEqual(Object.fromEntries(search(page)), { q: RATE, log: 'on', marks: 'off', unit: 'bytes', as: 'table' });
  await page.getByRole('button', { name: 'Series' }).click();
  await eventually('sorted by name', () => search(page).get('sort') === 'name');
});

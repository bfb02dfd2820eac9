// SPDX-License-Identifier: Apache-2.0
/*
 * A picture of each view in light and dark and on a phone, into tests/ui/out/, for a person to
 * look at. What is asserted: nothing overflows the page sideways, and nothing complains.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { api, collector, eventually, launch, openPage, screenshot, spanRows } from './browser.mjs';

let browser;
let at;

before(async () => {
  browser = await launch();
  at = await collector();
  await eventually('a trace to look at', async () => (await api(at.url, '/api/v1/traces')).traces?.length > 0);
});
after(async () => {
  await browser?.close();
  await at?.close();
});

/** A trace worth a picture: one in which something died, else the one with the most services. */
async function showpiece() {
  const { traces: died } = await api(at.url, '/api/v1/traces?status=died&limit=1');
  if (died?.[0]) return died[0].trace_id;
  const { traces } = await api(at.url, '/api/v1/traces?limit=200');
  return traces.sort((a, b) => b.services.length - a.services.length)[0].trace_id;
}

const trace = async (page) => {
  await page.goto(`/trace/${await showpiece()}`);
  await spanRows(page).first().waitFor({ state: 'attached' });
};

const VIEWS = {
  overview: async (page) => {
    await page.goto('/');
    await page.getByRole('region', { name: 'Services' }).getByRole('row').nth(1).waitFor();
  },
  services: async (page) => {
    await page.goto('/services');
    await page.locator('.service-graph .node').first().waitFor();
  },
  service: async (page) => {
    await page.goto('/services/cell');
    await page.locator('.service-graph .focal').waitFor();
    await page.getByRole('region', { name: 'Operations' }).waitFor();
  },
  deploy: async (page) => {
    const { marks } = await api(at.url, '/api/v1/marks?kind=deploy&limit=1');
    await page.goto(marks[0] ? `/deploys/${marks[0].id}` : '/deploys');
    await page.getByRole('heading', { level: 1 }).or(page.getByText('Nothing was deployed')).first().waitFor();
    if (marks[0]) await page.getByRole('heading', { name: 'How long requests took' }).waitFor();
  },
  caches: async (page) => {
    await page.goto('/caches');
    await page.getByRole('heading', { level: 1, name: 'Caches' }).or(page.getByText('No cache was seen')).waitFor();
  },
  traces: async (page) => {
    await page.goto('/traces');
    await page.locator('a.trace-row').first().waitFor();
  },
  trace,
  span: async (page) => {
    await trace(page);
    await page.getByRole('treegrid').focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
    await page.getByRole('complementary', { name: 'Span details' }).getByText('Ids').waitFor();
  },
  search: async (page) => {
    await page.goto('/search');
    await page.getByRole('region', { name: 'Traces' }).locator('tbody tr').first().waitFor();
    await page.getByRole('application', { name: /^Heatmap/ }).waitFor();
  },
  flame: async (page) => {
    await page.goto(`/trace/${await showpiece()}?tab=flame`);
    await page.getByRole('application', { name: /^Flame graph/ }).waitFor();
  },
  sums: async (page) => {
    await page.goto(`/trace/${await showpiece()}?tab=sums`);
    await page.getByRole('region', { name: 'By operation' }).waitFor();
  },
  inflight: async (page) => {
    await page.goto('/inflight');
    await page.getByRole('heading', { level: 1 }).waitFor();
  },
  firehose: async (page) => {
    await page.goto('/inflight?show=firehose');
    await page.locator('a.hose-row').nth(10).waitFor();
  },
  status: async (page) => {
    await page.goto('/status');
    await page.getByRole('heading', { name: 'Ledger' }).waitFor();
    await eventually('a line of rates', async () =>
      (await page.locator('.spark polyline').first().getAttribute('points')).split(' ').length > 3);
  },
};

const graph = (shape, query) => async (page) => {
  await page.goto(`/graph?${new URLSearchParams({ q: query, as: shape })}`);
  await page.locator(shape === 'heatmap' ? '.heatmap canvas' : '.chart .u-over').waitFor();
};
for (const name of ['deploys', 'latency', 'cell', 'cache']) {
  VIEWS[`dashboard-${name}`] = async (page) => {
    await page.goto(`/dashboards/${name}`);
    await page.locator('.dashboard-panel').first().waitFor();
    await eventually('drawn', async () => (await page.locator('[aria-busy="true"]').count()) === 0);
  };
}
VIEWS.graph = graph('stacked', 'sum by (service_name) (rate(traces_span_metrics_calls_total[1m]))');
VIEWS.heatmap = graph('heatmap', 'sum(rate(traces_span_metrics_duration_seconds[1m]))');

for (const [name, visit] of Object.entries(VIEWS)) {
  for (const [form, options] of Object.entries({ light: {}, dark: { dark: true }, phone: { phone: true } })) {
    test(`${name}, ${form}`, async () => {
      const { page, faults, close } = await openPage(browser, at.url, options);
      await visit(page);
      const { wide, room } = await page.evaluate(() => ({
        wide: document.documentElement.scrollWidth,
        room: document.documentElement.clientWidth,
      }));
      await screenshot(page, `${name}-${form}`);
      assert.ok(wide <= room, `the page is ${wide} wide in ${room}`);
      assert.deepEqual(faults, []);
      await close();
    });
  }
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Every page of Weft as the demo fills it: where it is, what has to be there before one can say that it shows real
 * data, and something to do there that lies in the address (`replaces`: without an entry in the history). `told` reads
 * from the page what the address says.
 */
import { api, detailOf, drawn, eventually, region, spanRows } from '../browser.mjs';

const RATE = 'sum by (service_name) (rate(traces_span_metrics_calls_total[1m]))';
const SECONDS = 'sum(rate(traces_span_metrics_duration_seconds[1m]))';
const DASHBOARDS = ['deploys', 'latency', 'firehose', 'cell', 'cache', 'hosts', 'weft'];

const heading = (name) => (page) => page.getByRole('heading', { level: 1, name, exact: true });
const check = (name) => (page) => page.getByRole('radio', { name, exact: true }).check();
const checked = (name) => async (page) => String(await page.getByRole('radio', { name, exact: true }).isChecked());
const sortBy = (table, name) => (page) => region(page, table).getByRole('button', { name, exact: true }).click();
const sorted = (table) => async (page) => (await region(page, table).locator('th[aria-sort=ascending], th[aria-sort=descending]').allInnerTexts()).join();
const rows = (table, atLeast = 1) => (page) => region(page, table).getByRole('row').nth(atLeast).waitFor();
const box = (page) => page.getByRole('combobox', { name: 'TraceQL' });
const choose = (name) => async (page) => {
  await page.locator('.page-head .range .label').click();
  await page.getByRole('button', { name, exact: true }).click();
};
const range = (page) => page.locator('.page-head .range .label').innerText();

/** A trace worth a look: one in which something died, else the one with the most services. */
export async function showpiece(url) {
  const { traces: died } = await api(url, '/api/v1/traces?status=died&limit=1');
  if (died?.[0]) return died[0].trace_id;
  const { traces } = await api(url, '/api/v1/traces?limit=200');
  return traces.sort((a, b) => b.services.length - a.services.length)[0].trace_id;
}

const trace = (query) => async (url) => `/trace/${await showpiece(url)}${query}`;
const rowsOfTrace = (page) => spanRows(page).first().waitFor({ state: 'attached' });

async function deployOf(url) {
  const marks = await eventually('a deploy', async () => {
    const { marks: found } = await api(url, '/api/v1/marks?kind=deploy');
    return found.length > 0 && found;
  }, 60_000);
  return `/deploys/${marks[0].id}`;
}

const cacheOf = async (url) => {
  const { caches } = await api(url, '/api/v1/caches');
  return caches[0] && `/caches/${caches[0].id}?range=5m`;
};

export const NO_TAP = 'no tap tells this collector of a cache';

export const PAGES = {
  traces: {
    at: '/search?live=on', title: heading('Search'), alive: (page) => page.locator('a.trace-row').nth(5).waitFor(),
    replaces: true, change: (page) => page.getByRole('button', { name: 'Following' }).click(),
    told: async (page) => String(await page.getByRole('button', { name: 'Following' }).count()),
  },
  search: {
    at: '/search?range=5m', title: heading('Search'),
    alive: async (page) => {
      await region(page, 'Traces').locator('tbody tr').nth(5).waitFor();
      await page.getByRole('application', { name: /^Heatmap/ }).waitFor();
    },
    change: async (page) => {
      await page.locator('.query-form select').first().selectOption('web');
      await box(page).press('Enter');
      await eventually('the query in the address', () => new URL(page.url()).searchParams.has('q'));
    },
    told: (page) => box(page).inputValue(),
  },
  common: {
    at: '/search?lens=common&range=5m', title: heading('Search'), change: check('Traces'), told: checked('Traces'),
    alive: (page) => region(page, 'Differences').or(page.getByText('Nothing sets them apart')).first().waitFor(),
  },
  trace: { at: trace(''), alive: rowsOfTrace, change: (page) => page.getByRole('radio', { name: 'Flame graph' }).check(), told: checked('Flame graph') },
  span: {
    at: trace(''),
    alive: async (page) => {
      await rowsOfTrace(page);
      if (await detailOf(page).count()) return;
      await page.getByRole('treegrid').focus();
      for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
      await detailOf(page).getByText('Ids').waitFor();
    },
    replaces: true, change: (page) => page.getByRole('button', { name: 'Close details' }).click(),
    told: async (page) => String(await detailOf(page).count()),
  },
  flame: { at: trace('?tab=flame'), alive: (page) => page.getByRole('application', { name: /^Flame graph/ }).waitFor() },
  sums: { at: trace('?tab=sums'), alive: rows('By operation', 2) },
  inflight: { at: '/inflight', title: heading('Live'), alive: (page) => page.locator('a.open-row').first().waitFor(), change: check('Open spans'), told: checked('Open spans') },
  firehose: { at: '/inflight?show=firehose', title: heading('Live'), alive: (page) => page.locator('a.hose-row').nth(10).waitFor(), change: check('Requests in flight'), told: checked('Requests in flight') },
  graph: {
    at: `/graph?${new URLSearchParams({ q: RATE, as: 'stacked', range: '5m' })}`, title: heading('Graph'), change: check('Table'), told: checked('Table'),
    alive: (page) => page.locator('.chart .u-over').waitFor(),
  },
  heatmap: {
    at: `/graph?${new URLSearchParams({ q: SECONDS, as: 'heatmap', range: '5m' })}`, title: heading('Graph'), replaces: true, change: (page) => page.getByLabel('Marks').uncheck(), told: async (page) => String(await page.getByLabel('Marks').isChecked()),
    alive: (page) => page.locator('.heatmap canvas').waitFor(),
  },
  'graph-fault': { at: `/graph?${new URLSearchParams({ q: 'rate(foo)' })}`, title: heading('Graph'), refused: true, alive: (page) => page.getByRole('alert').getByText(/^Column 6/).waitFor() },
  services: {
    at: '/services', title: heading('Services'), alive: (page) => page.locator('.service-graph .node').nth(3).waitFor(),
    replaces: true, change: sortBy('Calls', 'p99'), told: sorted('Calls'),
  },
  service: {
    at: '/services/cell', title: (page) => page.getByRole('heading', { level: 1, name: 'Services / cell' }),
    alive: async (page) => {
      await page.locator('.service-graph .focal').waitFor();
      await rows('Operations')(page);
      await drawn(page);
    },
    replaces: true, change: sortBy('Operations', 'p99'), told: sorted('Operations'),
  },
  dashboards: { at: '/dashboards', title: heading('Dashboards'), alive: rows('Dashboards', DASHBOARDS.length) },
  'dashboard-edit': {
    at: '/dashboards/cache?edit=on&range=5m',
    alive: async (page) => {
      await page.locator('.dashboard-panel').first().waitFor();
      await page.getByRole('button', { name: 'Change Commands' }).click();
      await page.locator('.panel-form').waitFor();
    },
  },
  overview: {
    at: '/', title: heading('Overview'), replaces: true, change: sortBy('Services', 'Rate'), told: sorted('Services'),
    alive: async (page) => {
      await rows('Services', 4)(page);
      await page.getByRole('list', { name: 'What changed' }).getByRole('listitem').first().waitFor();
    },
  },
  caches: { at: '/caches', title: heading('Caches'), needsTap: true, alive: rows('Caches'), change: check('Patterns'), told: checked('Patterns') },
  cache: {
    at: cacheOf, needsTap: true, change: check('Clients'), told: checked('Clients'),
    alive: async (page) => {
      await page.getByRole('group', { name: 'The cache' }).getByText('/s').first().waitFor();
      await drawn(page);
    },
  },
  status: {
    at: '/status', title: heading('Pipeline'),
    alive: async (page) => {
      await page.getByRole('heading', { name: 'Ledger' }).waitFor();
      await eventually('a line of rates', async () => (await page.locator('.spark polyline').first().getAttribute('points')).split(' ').length > 3);
    },
  },
  deploys: { at: '/deploys', title: heading('Deploys'), alive: rows('Deploys'), change: choose('Last 15 minutes'), told: range },
  deploy: {
    at: deployOf,
    alive: async (page) => {
      await page.getByRole('heading', { name: 'How long requests took' }).waitFor();
      await page.getByRole('heading', { name: /^Traces of / }).first().waitFor();
      await drawn(page);
    },
  },
};

/* Those whose panels need what a host may lack: a tap, a collectd. */
const NEEDS_MORE = ['cache', 'hosts'];

/* Nothing failed, and no panel is without data; but nothing need have been lost. */
const hasData = (name) => async (page) => {
  await page.locator('.dashboard-panel').first().waitFor();
  await drawn(page);
  await eventually(`each panel of ${name} has data`, async () => {
    const said = await page.locator('.dashboard-panel .box-message').allInnerTexts();
    const failed = await page.locator('.dashboard-panel .box-message.failed').count();
    return failed === 0 && (NEEDS_MORE.includes(name) || said.every((text) => text.startsWith('Nothing was lost')));
  }, 60_000);
};

for (const name of DASHBOARDS) {
  PAGES[`dashboard-${name}`] = { at: `/dashboards/${name}?range=5m`, change: choose('Last 15 minutes'), told: range, alive: hasData(name) };
}

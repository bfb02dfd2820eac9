// SPDX-License-Identifier: Apache-2.0
/*
 * A collector that is killed while people look: each page says so and what it does about it, keeps what it shows, and
 * goes on by itself when a collector is there again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { api, complaints, drawn, eventually, FAILED_REQUEST, openPage, region, spanRows } from '../browser.mjs';
import { realStage } from './world.mjs';
import { ids } from '../../e2e/harness.mjs';

const GONE = 'The collector does not answer.';
const RATE = 'sum by (service_name) (rate(traces_span_metrics_calls_total[1m]))';

const scene = realStage(async ({ world, collector, url, every }) => {
  await world.agent(collector);
  const web = world.scripted('web', { WEFT_VERSION: '1.0' });
  const { trace } = ids(await web.tell('begin server GET /slow'));
  await web.tell('begin client GET cell');
  const other = world.scripted('cell');
  every(100, async () => {
    await other.tell('begin server GET /quick');
    await other.tell('end');
  });
  await eventually('spans in flight', async () => (await api(url, '/api/v1/inflight')).spans.length >= 2);
  await eventually('figures', async () => (await api(url, `/api/v1/query?query=${encodeURIComponent(RATE)}`)).data.result.length > 0);
  return { trace };
});

/* Of each page: its address, and what of it has to stay. */
const PAGES = {
  overview: () => ['/', (page) => region(page, 'Services').getByRole('link', { name: 'cell' })],
  traces: () => ['/search?live=on', (page) => page.locator('a.trace-row').first()],
  trace: ({ trace }) => [`/trace/${trace}`, (page) => spanRows(page).filter({ hasText: 'in flight' }).first()],
  live: () => ['/inflight', (page) => page.locator('a.open-row').first()],
  firehose: () => ['/inflight?show=firehose', (page) => page.locator('a.hose-row').first()],
  graph: () => [`/graph?${new URLSearchParams({ q: RATE, range: '5m' })}`, (page) => page.locator('.chart .u-over')],
  dashboard: () => ['/dashboards/deploys?range=5m', (page) => page.locator('.dashboard-panel .chart .u-over').first()],
  services: () => ['/services?range=5m', (page) => page.getByRole('heading', { level: 1, name: 'Services' })],
  service: () => ['/services/cell?range=5m', (page) => region(page, 'Operations').getByRole('row').nth(1)],
  pipeline: () => ['/status', (page) => page.getByRole('heading', { name: 'Ledger' })],
};

test('every page tells of a collector that was killed, keeps what it shows, and goes on when it is back', async () => {
  const { browser, at } = scene;
  const open = [];
  for (const [name, of] of Object.entries(PAGES)) {
    const [path, stays] = of(at);
    const opened = await openPage(browser, at.url);
    await opened.page.goto(path);
    await stays(opened.page).waitFor({ state: 'attached' });
    await drawn(opened.page);
    open.push({ name, stays: stays(opened.page), ...opened });
  }
  await at.collector.kill();
  for (const { name, page, stays } of open) {
    await page.bringToFront();
    await eventually(`${name} says what is the matter`, () => page.getByText(GONE).first().isVisible());
    assert.ok((await stays.count()) > 0, `${name} keeps what it shows`);
  }
  await at.collector.again();
  for (const { name, page, stays } of open) {
    await page.bringToFront();
    await eventually(`${name} goes on`, async () => (await page.getByText(GONE).count()) === 0, 40_000);
    await eventually(`${name} shows what it showed`, async () => (await stays.count()) > 0);
  }
  for (const { name, faults, close } of open) {
    assert.deepEqual(complaints(faults, FAILED_REQUEST), [], name);
    await close();
  }
});

test('what is asked for first while the collector is gone says what to do, and comes when it is back', async () => {
  const { browser, at } = scene;
  const { page, faults, close } = await openPage(browser, at.url);
  await page.goto('/status');
  const running = at.world.daemons.filter(({ name, alive }) => name === 'collector' && alive);
  await Promise.all(running.map((daemon) => daemon.kill()));
  for (const name of ['Overview', 'Live', 'Search', 'Dashboards', 'Deploys', 'Services', 'Caches']) {
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name, exact: name !== 'Live' }).click();
    await page.getByRole('alert').getByText(/Is weft-collector running\? This page goes on trying/).waitFor();
  }
  await page.getByRole('searchbox', { name: 'Open a trace by its id' }).fill(at.trace);
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('Is weft-collector running?').waitFor();
  await at.collector.again();
  await spanRows(page).first().waitFor({ state: 'attached' });
  await page.goBack();
  await page.getByText('No cache was seen in this time').waitFor();
  await eventually('no word of it', async () => (await page.getByText('does not answer').count()) === 0);
  assert.deepEqual(complaints(faults, FAILED_REQUEST), []);
  await close();
});

// SPDX-License-Identifier: Apache-2.0
/* The graph of services and a service's page; against a real collector where WEFT_URL names one, of the demo. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startFixture } from './fixture-server.mjs';
import { api, collector, eventually, launch, openPage, seriousFaults } from './browser.mjs';

let browser;
let at;

before(async () => {
  browser = await launch();
  at = await collector();
  await eventually('a call in the graph', async () => (await api(at.url, '/api/v1/graph')).edges?.length > 0);
});
after(async () => {
  await browser?.close();
  await at?.close();
});

const region = (page, name) => page.getByRole('region', { name, exact: true });

test('the graph shows who calls whom, and leads to a service and back', async () => {
  const { page, faults, close } = await openPage(browser, at.url);
  await page.goto('/services?range=15m');
  const graph = region(page, 'Graph of services');
  await graph.locator('.node').first().waitFor();
  await region(page, 'Calls').getByRole('row').nth(1).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await graph.getByRole('link', { name: 'cell' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Services / cell' }).waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/services/cell?range=15m');
  await region(page, 'Around cell').locator('.focal').waitFor();
  await page.goBack();
  await region(page, 'Graph of services').waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test('a service has its operations, where it runs, and its calls', async () => {
  const { page, faults, close } = await openPage(browser, at.url);
  await page.goto('/services/web');
  for (const name of ['Operations', 'Where it runs', 'Calls']) await region(page, name).getByRole('row').nth(1).waitFor();
  await page.getByRole('group', { name: 'The service' }).getByText('/s').first().waitFor();
  await region(page, 'Operations').getByRole('button', { name: 'p99' }).click();
  assert.equal(new URL(page.url()).searchParams.get('by'), 'p99');
  const operation = region(page, 'Operations').getByRole('link', { name: 'GET /dashboard' }).first();
  assert.equal(new URL(await operation.getAttribute('href'), at.url).searchParams.get('operation'), 'GET /dashboard');
  assert.deepEqual(await seriousFaults(page), []);
  assert.deepEqual(faults, []);
  await close();
});

test('a refresh leaves every node where it stands', { skip: Boolean(process.env.WEFT_URL) }, async () => {
  const own = await startFixture({ arriving: false });
  const { page, close } = await openPage(browser, own.url);
  await page.clock.install();
  await page.goto('/services');
  await page.locator('.service-graph .node').first().waitFor();
  const places = () => page.locator('.service-graph .node rect').evaluateAll((all) => all.map((each) => `${each.getAttribute('x')},${each.getAttribute('y')}`).join(' '));
  const first = await places();
  let asked = 0;
  page.on('response', (answer) => answer.url().includes('/api/v1/graph') && asked++);
  await eventually('another answer', async () => {
    await page.clock.runFor(5000);
    return asked > 0;
  });
  assert.equal(await places(), first);
  await close();
  await own.close();
});

test('where nothing calls anything, and where nothing is known of a service, the page says so', async () => {
  const empty = await startFixture({ empty: true });
  const { page, close } = await openPage(browser, empty.url);
  await page.goto('/services');
  await page.getByText('No call was seen in this time').waitFor();
  await page.goto('/services/nobody');
  await page.getByText('No span of it was counted in this time.').waitFor();
  await page.getByText('No process of it runs now.').waitFor();
  await close();
  await empty.close();
});

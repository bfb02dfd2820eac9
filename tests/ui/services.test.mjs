// SPDX-License-Identifier: Apache-2.0
/* The graph of services and a service's page; against a real collector where WEFT_URL names one, of the demo. */
import assert from 'node:assert/strict';
import { startFixture } from './fixture-server.mjs';
import { api, eventually, region, seriousFaults, stage } from './browser.mjs';

const scene = stage({
  ready: async (at) => {
    await eventually('a call in the graph', async () => (await api(at.url, '/api/v1/graph')).edges?.length > 0);
  },
});
const { look } = scene;


look('the graph shows who calls whom, and leads to a service and back', async ({ page }) => {
  await page.goto('/services?range=15m');
  const graph = region(page, 'Graph of services');
  await graph.locator('.node').first().waitFor();
  await region(page, 'Calls').getByRole('row').nth(1).waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await graph.getByRole('link', { name: 'cell', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Services / cell' }).waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/services/cell?range=15m');
  await region(page, 'Around cell').locator('.focal').waitFor();
  await page.goBack();
  await region(page, 'Graph of services').waitFor();
});

look('the graph is moved over by keys: among nodes, along calls, nearer and back', async ({ page }) => {
  await page.goto('/services?range=15m');
  const graph = region(page, 'Graph of services');
  await graph.locator('.node').first().waitFor();
  const scale = async () => Number(/scale\(([\d.]+)\)/.exec(await graph.locator('svg > g').getAttribute('transform'))[1]);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'));
  await graph.getByRole('link', { name: 'web', exact: true }).focus();
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await focused(), 'web');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await focused(), 'web');
  await page.keyboard.press(']');
  assert.match(await focused(), /\bto\b.*: .* calls?/);
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'web');
  const before = await scale();
  await page.keyboard.press('+');
  assert.ok((await scale()) > before);
  await page.keyboard.press('0');
  assert.ok((await scale()) <= 1);
  await graph.getByRole('button', { name: 'Zoom out' }).click();
  assert.ok((await scale()) < before);
});

look('a drag moves the graph and opens nothing; Ctrl and the wheel zoom where the pointer is', async ({ page }) => {
  await page.goto('/services?range=15m');
  const graph = region(page, 'Graph of services');
  const node = graph.getByRole('link', { name: 'web', exact: true });
  const middle = async () => {
    const { x, y, width, height } = await node.boundingBox();
    return { x: x + width / 2, y: y + height / 2 };
  };
  await node.waitFor();
  const from = await middle();
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + 40, from.y + 10, { steps: 4 });
  await page.mouse.up();
  const to = await middle();
  assert.ok(Math.abs(to.x - from.x - 40) < 2 && Math.abs(to.y - from.y - 10) < 2, JSON.stringify([from, to]));
  assert.equal(new URL(page.url()).pathname, '/services');
  const wide = (await node.boundingBox()).width;
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -200);
  await page.keyboard.up('Control');
  await eventually('it is larger', async () => (await node.boundingBox()).width > wide * 1.2);
  const now = await middle();
  assert.ok(Math.abs(now.x - to.x) < 8 && Math.abs(now.y - to.y) < 8, JSON.stringify([to, now]));
});

look('of 300 services the neighbourhood is shown, any is found, and all are there when asked for', { begin: () => startFixture({ arriving: false }) }, async ({ page, at }) => {
  at.fixture.graphServices = 300;
  await page.goto('/services');
  const nodes = region(page, 'Graph of services').locator('[data-node]');
  await nodes.first().waitFor();
  assert.ok((await nodes.count()) < 40);
  await page.getByText(/^around service-\d+: \d+ of 300.nodes$/).waitFor();
  const find = page.getByLabel('Find a service in the graph');
  await find.fill('service-25');
  await find.press('Enter');
  await page.locator('[data-node="service service-25"] .focal').waitFor();
  assert.equal(new URL(page.url()).search, '?focus=service-25');
  const few = await nodes.count();
  await page.getByRole('radio', { name: 'Two calls' }).check();
  await eventually('more of it', async () => (await nodes.count()) > few);
  await page.getByRole('radio', { name: 'All', exact: true }).check();
  await eventually('all of it', async () => (await nodes.count()) === 300);
  await page.locator('[data-node="service service-25"] .focal').waitFor();
  assert.deepEqual(await seriousFaults(page), []);
  await page.goBack();
  await page.goBack();
  await eventually('the neighbours again', async () => (await nodes.count()) === few);
});

look('a service has its operations, where it runs, and its calls', async ({ page }) => {
  await page.goto('/services/web');
  for (const name of ['Operations', 'Where it runs', 'Calls']) await region(page, name).getByRole('row').nth(1).waitFor();
  await page.getByRole('group', { name: 'The service' }).getByText('/s').first().waitFor();
  await region(page, 'Operations').getByRole('button', { name: 'p99' }).click();
  assert.equal(new URL(page.url()).searchParams.get('by'), 'p99');
  const operation = region(page, 'Operations').getByRole('link', { name: 'GET /dashboard' }).first();
  assert.match(new URL(await operation.getAttribute('href'), scene.at.url).searchParams.get('q'), /name = "GET \/dashboard"/);
  const version = region(page, 'Where it runs').getByRole('link').first();
  assert.match(new URL(await version.getAttribute('href'), scene.at.url).searchParams.get('q'), /^\{ resource.service.name = "web" && resource.service.version = "/);
  assert.deepEqual(await seriousFaults(page), []);
});

look('a refresh leaves every node where it stands', { begin: () => startFixture({ arriving: false }) }, async ({ page }) => {
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
});

look('a drag goes on across a refresh', { begin: () => startFixture({ arriving: false }) }, async ({ page }) => {
  await page.clock.install();
  await page.goto('/services');
  const node = region(page, 'Graph of services').getByRole('link', { name: 'web', exact: true });
  await node.waitFor();
  const middle = async () => {
    const { x, y, width, height } = await node.boundingBox();
    return { x: x + width / 2, y: y + height / 2 };
  };
  const from = await middle();
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + 20, from.y, { steps: 4 });
  let asked = 0;
  page.on('response', (answer) => answer.url().includes('/api/v1/graph') && asked++);
  await eventually('two more answers, the first of which is drawn', async () => {
    await page.clock.runFor(5000);
    return asked > 1;
  });
  await page.mouse.move(from.x + 60, from.y, { steps: 4 });
  await page.mouse.up();
  const to = await middle();
  assert.ok(Math.abs(to.x - from.x - 60) < 2, JSON.stringify([from, to]));
  assert.equal(new URL(page.url()).pathname, '/services');
});

look('where nothing calls anything, and where nothing is known of a service, the page says so', { begin: () => startFixture({ empty: true }) }, async ({ page }) => {
  await page.goto('/services');
  await page.getByText('No call was seen in this time').waitFor();
  await page.goto('/services/nobody');
  await page.getByText('No span of it was counted in this time.').waitFor();
  await page.getByText('No process of it runs now.').waitFor();
});

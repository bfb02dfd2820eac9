// SPDX-License-Identifier: Apache-2.0
/* Dashboards: those that came with the page, changed with undo, saved, taken away again; and the same for Grafana. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { api, collector, eventually, launch, openPage } from './browser.mjs';

const require = createRequire(new URL('../../ui/package.json', import.meta.url));
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const Ajv = require('ajv/dist/2020').default;
const directory = new URL('../../dashboards/', import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith('.json'));
const json = (name, from = directory) => JSON.parse(readFileSync(new URL(name, from), 'utf8'));

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

const drawn = (page) => eventually('drawn', async () => (await page.locator('[aria-busy="true"]').count()) === 0);
const panel = (page, name) => page.locator('.dashboard-panel', { has: page.getByRole('heading', { name, exact: true }) });
const remove = (name) => fetch(`${at.url}/api/v1/dashboards/${name}`, { method: 'DELETE' });

test('what came with the page is as the schema says', () => {
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(json('../docs/dashboards.schema.json'));
  assert.ok(files.length >= 7);
  for (const name of files) assert.ok(validate(json(name)), `${name}: ${JSON.stringify(validate.errors)}`);
});

test('the dashboards for Grafana are made of these, and nothing is left open in them', async () => {
  const { all } = await import('../../ui/grafana.mjs');
  const grafana = new URL('grafana/', directory);
  assert.deepEqual(readdirSync(grafana).sort(), [...files].sort());
  for (const [name, text] of all()) {
    assert.equal(readFileSync(new URL(name, grafana), 'utf8'), text, `${name}: run node ui/grafana.mjs`);
    assert.doesNotMatch(text, /\$(window|range|value)\b/, name);
    const { panels } = JSON.parse(text);
    assert.equal(panels.length, json(name).panels.length);
    for (const { gridPos: { x, w, h }, targets, type } of panels) {
      assert.ok(x + w <= 24 && h > 0, name);
      assert.ok(type === 'text' || targets.every(({ expr, refId }) => expr && refId), name);
    }
  }
});

test('each that came with the page is listed, opens, and every panel has an answer', async () => {
  const { page, faults, close } = await openPage(browser, at.url);
  await page.goto('/dashboards');
  for (const name of files) await page.getByRole('link', { name: name.slice(0, -5), exact: true }).waitFor();
  for (const name of files) {
    await page.goto(`/dashboards/${name.slice(0, -5)}`);
    await page.getByRole('heading', { level: 1 }).getByText(json(name).title).waitFor();
    await drawn(page);
  }
  assert.deepEqual(faults.filter((fault) => at.fixture === undefined || !/404/.test(fault)), []);
  await close();
});

test('a panel opens as a graph of its queries, and back returns', async () => {
  const { page, close } = await openPage(browser, at.url);
  await page.goto('/dashboards/hosts?range=15m');
  await page.getByRole('link', { name: 'Open Processors by service as a graph' }).click();
  await page.getByRole('combobox', { name: 'Query 1' }).waitFor();
  const query = await page.getByRole('combobox', { name: 'Query 1' }).inputValue();
  assert.match(query, /^sum by \(service\) \(rate\(process_cpu_seconds_total\[\d+s\]\)\)$/);
  assert.equal(new URL(page.url()).searchParams.get('range'), '15m');
  await page.goBack();
  await page.getByRole('link', { name: 'Open Processors by service as a graph' }).waitFor();
  await close();
});

test('changes are undone and done again, saved, there after a reload, and taken away', async () => {
  await remove('tried');
  const { page, close } = await openPage(browser, at.url);
  await page.goto('/dashboards');
  await page.getByLabel('Name of a new dashboard').fill('No Name');
  await page.getByRole('button', { name: 'Make a new one' }).click();
  await page.getByRole('alert').getByText('A name has small letters').waitFor();
  await page.getByLabel('Name of a new dashboard').fill('tried');
  await page.getByRole('button', { name: 'Make a new one' }).click();
  await page.getByRole('button', { name: 'Add a panel' }).click();
  const title = page.locator('.panel-form').getByLabel('Title');
  await title.fill('<b>Processes</b>');
  await title.press('Tab');
  await panel(page, '<b>Processes</b>').waitFor();
  await page.getByLabel('Shows').selectOption('stacked');
  await page.getByRole('button', { name: 'Add a panel' }).click();
  assert.equal(await page.locator('.dashboard-panel').count(), 2);
  await page.getByRole('button', { name: 'Undo' }).click();
  await eventually('one panel', async () => (await page.locator('.dashboard-panel').count()) === 1);
  await page.getByRole('button', { name: 'Redo' }).click();
  await eventually('two panels', async () => (await page.locator('.dashboard-panel').count()) === 2);
  await page.getByRole('button', { name: 'Move New panel back' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Saved', exact: true }).waitFor();
  const saved = await api(at.url, '/api/v1/dashboards/tried');
  assert.deepEqual(saved.panels.map((each) => [each.title, each.kind]), [['New panel', 'lines'], ['<b>Processes</b>', 'stacked']]);
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export' }).click();
  const file = await waiting;
  assert.equal(file.suggestedFilename(), 'tried.json');
  assert.deepEqual(JSON.parse(readFileSync(await file.path(), 'utf8')), saved);
  await page.reload();
  await panel(page, '<b>Processes</b>').waitFor();
  await page.getByRole('button', { name: 'Remove what was saved' }).click();
  await page.getByText('There is no panel yet').waitFor();
  assert.equal((await fetch(`${at.url}/api/v1/dashboards/tried`)).status, 404);
  await close();
});

test('a disk that is full is told, and what was changed is still there to be saved', async (t) => {
  if (!at.fixture) return t.skip('a real disk is not filled here');
  const { page, close } = await openPage(browser, at.url);
  await page.goto('/dashboards/hosts?edit=on');
  await page.getByRole('button', { name: 'Remove Load' }).click();
  at.fixture.disk.full = true;
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('alert').getByText('the disk is full').waitFor();
  at.fixture.disk.full = false;
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Saved', exact: true }).waitFor();
  assert.equal((await api(at.url, '/api/v1/dashboards/hosts')).panels.length, json('hosts.json').panels.length - 1);
  await remove('hosts');
  await close();
});

/* Opens hosts, takes a panel away, and lets somebody else save before it is saved here. */
async function disagree(page) {
  await remove('hosts');
  await page.goto('/dashboards/hosts?edit=on');
  await page.getByRole('button', { name: 'Remove Load' }).click();
  const theirs = json('hosts.json');
  theirs.title = 'Hosts of ours';
  theirs.panels = theirs.panels.filter(({ title }) => title !== 'Memory in use');
  const answer = await fetch(`${at.url}/api/v1/dashboards/hosts`, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(theirs) });
  assert.equal(answer.status, 200);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('alert').getByText('Somebody else saved this dashboard').waitFor();
  await page.getByText('They removed “Memory in use”; changed its title or order.').waitFor();
  assert.deepEqual(await saved(), theirs, 'nothing is saved before one has chosen');
  return theirs;
}
const saved = () => api(at.url, '/api/v1/dashboards/hosts');
const titles = ({ panels }) => panels.map(({ title }) => title);

test('of two who change a dashboard the second is asked: his own may be kept, and exported', async () => {
  const { page, close } = await openPage(browser, at.url);
  await disagree(page);
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export mine' }).click();
  const mine = JSON.parse(readFileSync(await (await waiting).path(), 'utf8'));
  await page.getByRole('button', { name: 'Keep mine' }).click();
  await page.getByRole('button', { name: 'Saved', exact: true }).waitFor();
  assert.equal(await page.getByText('Somebody else').count(), 0);
  assert.deepEqual(await saved(), mine);
  assert.ok(titles(mine).includes('Memory in use') && !titles(mine).includes('Load'));
  await remove('hosts');
  await close();
});

test('or theirs is taken, and undo brings back what was changed here', async () => {
  const { page, close } = await openPage(browser, at.url);
  const theirs = await disagree(page);
  await page.getByRole('button', { name: 'Take theirs' }).click();
  await panel(page, 'Load').waitFor();
  await page.getByRole('button', { name: 'Saved', exact: true }).waitFor();
  assert.equal(await page.getByLabel('Title of the dashboard').inputValue(), theirs.title);
  await page.getByRole('button', { name: 'Undo' }).click();
  await eventually('mine again', async () => (await panel(page, 'Load').count()) === 0);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Saved', exact: true }).waitFor();
  assert.ok(!titles(await saved()).includes('Load'));
  await remove('hosts');
  await close();
});

test('what somebody else removed meanwhile may be saved again', async () => {
  const { page, close } = await openPage(browser, at.url);
  await page.goto('/dashboards/once?edit=on');
  await page.getByRole('button', { name: 'Add a panel' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Saved', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Add a panel' }).click();
  await remove('once');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Somebody else removed this dashboard').waitFor();
  await page.getByRole('button', { name: 'Save mine again' }).click();
  await page.getByRole('button', { name: 'Saved', exact: true }).waitFor();
  assert.equal((await api(at.url, '/api/v1/dashboards/once')).panels.length, 2);
  await remove('once');
  await close();
});

test('axe finds nothing serious', async () => {
  for (const dark of [false, true]) {
    const { page, close } = await openPage(browser, at.url, { dark });
    for (const path of ['/dashboards', '/dashboards/deploys', '/dashboards/cache?edit=on']) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await drawn(page);
      if (path.endsWith('on')) await page.getByRole('button', { name: 'Change Commands' }).click();
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes[0].html]), []);
    }
    await close();
  }
});

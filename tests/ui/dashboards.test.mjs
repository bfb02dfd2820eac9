// SPDX-License-Identifier: Apache-2.0
/* Dashboards: those that came with the page, changed with undo, saved, taken away again; and the same for Grafana. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { api, drawn, eventually, FAILED_REQUEST, stage } from './browser.mjs';

const require = createRequire(new URL('../../ui/package.json', import.meta.url));
const Ajv = require('ajv/dist/2020').default;
const directory = new URL('../../dashboards/', import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith('.json'));
const json = (name, from = directory) => JSON.parse(readFileSync(new URL(name, from), 'utf8'));

const scene = stage();
const { look } = scene;

const panel = (page, name) => page.locator('.dashboard-panel', { has: page.getByRole('heading', { name, exact: true }) });
const remove = (name) => fetch(`${scene.at.url}/api/v1/dashboards/${name}`, { method: 'DELETE' });

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

look('each that came with the page is listed, opens, and every panel has an answer', { forgive: FAILED_REQUEST }, async ({ page }) => {
  await page.goto('/dashboards');
  for (const name of files) await page.getByRole('link', { name: name.slice(0, -5), exact: true }).waitFor();
  for (const name of files) {
    await page.goto(`/dashboards/${name.slice(0, -5)}`);
    await page.getByRole('heading', { level: 1 }).getByText(json(name).title).waitFor();
    await drawn(page);
  }
});

look('a panel opens as a graph of its queries, and back returns', async ({ page }) => {
  await page.goto('/dashboards/hosts?range=15m');
  await page.getByRole('link', { name: 'Open Processors by service as a graph' }).click();
  await page.getByRole('combobox', { name: 'Query 1' }).waitFor();
  const query = await page.getByRole('combobox', { name: 'Query 1' }).inputValue();
  assert.match(query, /^sum by \(service\) \(rate\(process_cpu_seconds_total\[\d+s\]\)\)$/);
  assert.equal(new URL(page.url()).searchParams.get('range'), '15m');
  await page.goBack();
  await page.getByRole('link', { name: 'Open Processors by service as a graph' }).waitFor();
});

look('changes are undone and done again, saved, there after a reload, and taken away', { forgive: FAILED_REQUEST }, async ({ page }) => {
  await remove('tried');
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
  const saved = await api(scene.at.url, '/api/v1/dashboards/tried');
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
  assert.equal((await fetch(`${scene.at.url}/api/v1/dashboards/tried`)).status, 404);
});

look('a disk that is full is told, and what was changed is still there to be saved', { forgive: FAILED_REQUEST }, async ({ page, t }) => {
  if (!scene.at.fixture) return t.skip('a real disk is not filled here');
  await page.goto('/dashboards/hosts?edit=on');
  await page.getByRole('button', { name: 'Remove Load' }).click();
  scene.at.fixture.disk.full = true;
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('alert').getByText('the disk is full').waitFor();
  scene.at.fixture.disk.full = false;
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Saved', exact: true }).waitFor();
  assert.equal((await api(scene.at.url, '/api/v1/dashboards/hosts')).panels.length, json('hosts.json').panels.length - 1);
  await remove('hosts');
});

/* Opens hosts, takes a panel away, and lets somebody else save before it is saved here. */
async function disagree(page) {
  await remove('hosts');
  await page.goto('/dashboards/hosts?edit=on');
  await page.getByRole('button', { name: 'Remove Load' }).click();
  const theirs = json('hosts.json');
  theirs.title = 'Hosts of ours';
  theirs.panels = theirs.panels.filter(({ title }) => title !== 'Memory in use');
  const answer = await fetch(`${scene.at.url}/api/v1/dashboards/hosts`, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(theirs) });
  assert.equal(answer.status, 200);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('alert').getByText('Somebody else saved this dashboard').waitFor();
  await page.getByText('They removed “Memory in use”; changed its title or order.').waitFor();
  assert.deepEqual(await saved(), theirs, 'nothing is saved before one has chosen');
  return theirs;
}
const saved = () => api(scene.at.url, '/api/v1/dashboards/hosts');
const titles = ({ panels }) => panels.map(({ title }) => title);

look('of two who change a dashboard the second is asked: his own may be kept, and exported', { forgive: FAILED_REQUEST }, async ({ page }) => {
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
});

look('or theirs is taken, and undo brings back what was changed here', { forgive: FAILED_REQUEST }, async ({ page }) => {
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
});

look('what somebody else removed meanwhile may be saved again', { forgive: FAILED_REQUEST }, async ({ page }) => {
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
  assert.equal((await api(scene.at.url, '/api/v1/dashboards/once')).panels.length, 2);
  await remove('once');
});

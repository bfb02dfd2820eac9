// SPDX-License-Identifier: Apache-2.0
/*
 * The dashboards that are made for Grafana, held against what Grafana documents of the classic JSON
 * model of dashboards and of their import, as no Grafana can be installed here. What they ask is asked
 * of a real collector, and of Prometheus' own parser where promtool is installed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root, scenario } from '../e2e/harness.mjs';

const directory = path.join(root, 'dashboards/grafana');
const dashboards = fs.readdirSync(directory).map((file) => [file, JSON.parse(fs.readFileSync(path.join(directory, file), 'utf8'))]);
const SOURCE = { type: 'prometheus', uid: '${DS_WEFT}' };
const UNITS = ['short', 'reqps', 's', 'bytes', 'Bps', 'percentunit'];

/* What Grafana puts for its own variables, and for a dashboard's. */
function filled(expr, { templating }) {
  const own = { __rate_interval: '1m0s', __range: '3600s', __interval: '15s' };
  for (const { name } of templating.list) own[name] = name === 'weft' ? 'http://127.0.0.1:4040' : 'c1';
  return expr.replace(/\$\{?([A-Za-z_]\w*)\}?/g, (whole, name) => own[name] ?? whole);
}

const expressions = (dashboard) => [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
].map((expr) => filled(expr, dashboard));

test('each has what the model asks for, and what an import asks for', () => {
  assert.ok(dashboards.length >= 7);
  assert.equal(new Set(dashboards.map(([, { uid }]) => uid)).size, dashboards.length, 'uids are different');
  for (const [file, dashboard] of dashboards) {
    assert.equal(dashboard.id, null, `${file}: a number is Grafana's to give`);
    assert.match(dashboard.uid, /^[a-zA-Z0-9_-]{8,40}$/, file);
    assert.ok(dashboard.title && dashboard.tags.includes('weft'), file);
    assert.ok(Number.isInteger(dashboard.schemaVersion) && dashboard.schemaVersion >= 36, `${file}: data sources are objects from 36 on`);
    for (const field of ['editable', 'graphTooltip', 'time', 'timepicker', 'timezone', 'refresh', 'version', 'links', 'templating', 'annotations'])
      assert.ok(field in dashboard, `${file}: ${field}`);
    assert.deepEqual(dashboard.__inputs.map(({ name, type, pluginId }) => [name, type, pluginId]), [['DS_WEFT', 'datasource', 'prometheus']]);
    assert.ok(dashboard.__requires.some(({ type, id }) => type === 'datasource' && id === 'prometheus'), file);
  }
});

test('each panel has a number, a place, a source and something to ask, and none lies on another', () => {
  for (const [file, { panels }] of dashboards) {
    assert.deepEqual(panels.map(({ id }) => id), panels.map((_, i) => i + 1), file);
    for (const { title, type, gridPos: { x, y, w, h }, datasource, targets, options, fieldConfig } of panels) {
      assert.ok(title && ['timeseries', 'heatmap', 'text'].includes(type), `${file}: ${title}`);
      assert.ok([x, y, w, h].every(Number.isInteger) && x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24, `${file}: ${title}`);
      if (type === 'text') {
        assert.ok(options.mode === 'markdown' && options.content, `${file}: ${title}`);
        continue;
      }
      assert.deepEqual(datasource, SOURCE);
      assert.ok(targets.length > 0 && targets.every(({ expr }) => expr), `${file}: ${title}`);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length);
      for (const target of targets) assert.deepEqual(target.datasource, SOURCE);
      if (type === 'timeseries') assert.ok(UNITS.includes(fieldConfig.defaults.unit) && Array.isArray(fieldConfig.overrides), `${file}: ${title}`);
    }
    for (const a of panels)
      for (const b of panels)
        assert.ok(a === b || a.gridPos.x + a.gridPos.w <= b.gridPos.x || b.gridPos.x + b.gridPos.w <= a.gridPos.x
          || a.gridPos.y + a.gridPos.h <= b.gridPos.y || b.gridPos.y + b.gridPos.h <= a.gridPos.y, `${file}: ${a.title} lies on ${b.title}`);
  }
});

test('each variable that is used is there, and each that is there is used', () => {
  for (const [file, dashboard] of dashboards) {
    const { templating, ...rest } = dashboard;
    const text = JSON.stringify(rest);
    const used = new Set([...text.matchAll(/\$\{?([A-Za-z_]\w*)\}?/g)].map(([, name]) => name).filter((name) => name !== 'DS_WEFT' && !name.startsWith('__')));
    for (const { repeat } of dashboard.panels) if (repeat) used.add(repeat);
    assert.deepEqual([...used].sort(), templating.list.map(({ name }) => name).sort(), file);
    for (const { name, type, query, datasource, current } of templating.list) {
      assert.ok(name && ['query', 'textbox'].includes(type) && query && current, file);
      if (type === 'query') assert.deepEqual(datasource, SOURCE);
    }
    for (const expr of expressions(dashboard)) assert.doesNotMatch(expr, /\$[A-Za-z_{]/, file);
  }
});

scenario('the collector takes each of their queries, and knows what their variables ask for', async (world) => {
  const collector = await world.collector();
  for (const [file, dashboard] of dashboards) {
    for (const query of expressions(dashboard)) {
      const answer = await collector.ask(`/api/v1/query?${new URLSearchParams({ query })}`);
      assert.equal(answer.status, 200, `${file}: ${query}: ${answer.text}`);
    }
    for (const { type, definition } of dashboard.templating.list) {
      if (type !== 'query') continue;
      const [, metric, label] = definition.match(/^label_values\((.+), (\w+)\)$/);
      const answer = await collector.ask(`/api/v1/label/${label}/values?${new URLSearchParams({ 'match[]': metric })}`);
      assert.equal(answer.status, 200, `${file}: ${definition}: ${answer.text}`);
    }
  }
});

const promtool = spawnSync('promtool', ['--version']).status === 0 ? false : 'promtool is not installed';
scenario('and so does Prometheus', { skip: promtool }, async (world) => {
  const rules = dashboards.flatMap(([, dashboard]) => expressions(dashboard)).map((expr, i) => ({ record: `r${i}`, expr }));
  const file = path.join(world.dir, 'rules.yml');
  fs.writeFileSync(file, JSON.stringify({ groups: [{ name: 'grafana', rules }] }));
  const said = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
  assert.equal(said.status, 0, said.stdout + said.stderr);
  assert.match(said.stdout, new RegExp(`SUCCESS: ${rules.length} rules found`));
});

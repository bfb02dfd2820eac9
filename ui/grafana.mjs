#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/*
 * Weft's dashboards for Grafana: makes dashboards/grafana/NAME.json of each dashboards/NAME.json.
 *
 *     node ui/grafana.mjs            writes them
 *     node ui/grafana.mjs --check    says which are not as they would be written, and fails
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const from = fileURLToPath(new URL('../dashboards', import.meta.url));
const to = `${from}/grafana`;
const UNITS = { count: 'short', rate: 'reqps', seconds: 's', bytes: 'bytes', bytes_rate: 'Bps', share: 'percentunit' };
const SOURCE = { type: 'prometheus', uid: '${DS_WEFT}' };
const COLUMNS = 24;
const PIXELS_A_ROW = 38;

const letter = (i) => String.fromCharCode(65 + i);

/* Grafana's own variables for what Weft's page fills in; a repeated panel has its label as a variable. */
function filled(text, panel) {
  const value = panel.repeat ? `$${panel.repeat.label}` : '$value';
  return text.replaceAll('$window', '$__rate_interval').replaceAll('$range', '$__range').replaceAll('$value', value);
}

const targets = (panel) => panel.queries.map(({ query, legend }, i) => ({
  refId: letter(i),
  datasource: SOURCE,
  expr: filled(query, panel),
  legendFormat: legend ?? '__auto',
  ...(panel.kind === 'heatmap' ? { format: 'heatmap' } : {}),
  exemplar: panel.kind === 'lines',
}));

function drawing(panel) {
  if (panel.kind === 'heatmap') {
    return {
      type: 'heatmap',
      options: { calculate: false, yAxis: { unit: UNITS[panel.unit] ?? 's' }, color: { mode: 'scheme', scheme: 'Blues', scale: 'exponential', exponent: 0.5 } },
    };
  }
  const custom = {
    drawStyle: 'line',
    fillOpacity: { lines: 0, areas: 18, stacked: 45 }[panel.kind],
    showPoints: 'never',
    ...(panel.kind === 'stacked' ? { stacking: { mode: 'normal', group: 'A' } } : {}),
    ...(panel.log ? { scaleDistribution: { type: 'log', log: 10 } } : {}),
  };
  return {
    type: 'timeseries',
    fieldConfig: { defaults: { unit: UNITS[panel.unit] ?? 'short', min: 0, custom }, overrides: [] },
    options: { legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'mean', 'max'] }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

function panelOf(panel, name, id, gridPos) {
  const title = filled(panel.title, panel);
  const shared = { id, title, ...(panel.note ? { description: panel.note } : {}), gridPos };
  if (!panel.queries) {
    const content = `No PromQL answers this: see [${panel.title}](\${weft}/dashboards/${name}) on Weft's page.`;
    return { ...shared, type: 'text', options: { mode: 'markdown', content } };
  }
  const repeat = panel.repeat ? { repeat: panel.repeat.label, repeatDirection: 'h', maxPerRow: Math.max(Math.floor(12 / (panel.width ?? 6)), 1) } : {};
  return { ...shared, ...drawing(panel), datasource: SOURCE, targets: targets(panel), ...repeat };
}

/* From left to right, and below where a row is full. */
function placed(dashboard, name) {
  let [x, y, tall] = [0, 0, 0];
  return dashboard.panels.map((panel, i) => {
    const w = 2 * (panel.width ?? 6);
    const h = Math.max(Math.round(((panel.height ?? 200) + 100) / PIXELS_A_ROW), 5);
    if (x + w > COLUMNS) [x, y, tall] = [0, y + tall, 0];
    const at = { x, y, w, h };
    [x, tall] = [x + w, Math.max(tall, h)];
    return panelOf(panel, name, i + 1, at);
  });
}

function variables({ panels }) {
  const weft = { name: 'weft', label: 'Weft', type: 'textbox', query: 'http://127.0.0.1:4040', current: { text: 'http://127.0.0.1:4040', value: 'http://127.0.0.1:4040' }, options: [], hide: 0 };
  const labels = new Map(panels.flatMap(({ repeat }) => (repeat ? [[repeat.label, repeat.metric]] : [])));
  const of = ([label, metric]) => ({
    name: label, type: 'query', datasource: SOURCE, definition: `label_values(${metric}, ${label})`, query: { query: `label_values(${metric}, ${label})`, refId: label },
    refresh: 2, sort: 1, includeAll: true, multi: true, current: { text: ['All'], value: ['$__all'] },
  });
  return [...(panels.some(({ queries }) => !queries) ? [weft] : []), ...[...labels].map(of)];
}

/* What changes when processes of a service begin to run with another version, as the marks tell it in Weft. */
const DEPLOYS = {
  name: 'Deploys', enable: true, datasource: SOURCE, iconColor: 'blue', titleFormat: '{{service}} {{version}}',
  expr: 'min_over_time(sum by (service, version, cell) (weft_processes)[1m:]) unless sum by (service, version, cell) (weft_processes offset 5m)',
};

export function grafana(dashboard, name) {
  return {
    __inputs: [{ name: 'DS_WEFT', label: 'Weft', description: 'A Prometheus data source that has the collector\'s address', type: 'datasource', pluginId: 'prometheus', pluginName: 'Prometheus' }],
    __elements: {},
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: '10.0.0' },
      { type: 'datasource', id: 'prometheus', name: 'Prometheus', version: '1.0.0' },
    ],
    id: null,
    uid: `weft-${name}`,
    title: `Weft: ${dashboard.title}`,
    description: dashboard.description ?? '',
    tags: ['weft'],
    schemaVersion: 39,
    version: 0,
    timezone: 'browser',
    timepicker: {},
    links: [],
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: { list: variables(dashboard) },
    annotations: { list: dashboard.marks?.includes('deploy') ? [DEPLOYS] : [] },
    panels: placed(dashboard, name),
  };
}

/** [file, text] of each, as it would be written. */
export function all() {
  return readdirSync(from).filter((file) => file.endsWith('.json')).map((file) => {
    const dashboard = JSON.parse(readFileSync(`${from}/${file}`, 'utf8'));
    return [file, `${JSON.stringify(grafana(dashboard, file.slice(0, -5)), null, 2)}\n`];
  });
}

function differing() {
  const present = (file) => {
    try {
      return readFileSync(`${to}/${file}`, 'utf8');
    } catch {
      return '';
    }
  };
  return all().filter(([file, text]) => present(file) !== text).map(([file]) => file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--check') {
    const wrong = differing();
    if (wrong.length > 0) console.error(`dashboards/grafana: ${wrong.join(', ')}: run node ui/grafana.mjs`);
    process.exitCode = wrong.length > 0 ? 1 : 0;
  } else {
    mkdirSync(to, { recursive: true });
    for (const [file, text] of all()) writeFileSync(`${to}/${file}`, text);
  }
}

// SPDX-License-Identifier: Apache-2.0
/* A dashboard as docs/dashboards.schema.json has it: read strictly, written, changed, and its queries filled in. Pure. */
import { UNITS, type Unit } from './units';

export const PANEL_KINDS = ['lines', 'areas', 'stacked', 'heatmap', 'deploys', 'phases', 'losses', 'heavy-keys', 'heavy-clients'] as const;
export type PanelKind = (typeof PANEL_KINDS)[number];
export const MARKS = ['note', 'deploy', 'death', 'alert', 'notification', 'hot-key', 'process'] as const;
export type MarkKind = (typeof MARKS)[number];

export interface PanelQuery {
  query: string;
  legend?: string;
  colour?: number;
}

export interface Panel {
  title: string;
  kind: PanelKind;
  note?: string;
  queries?: PanelQuery[];
  unit?: Unit;
  log?: boolean;
  width?: number;
  height?: number;
  repeat?: { label: string; metric: string };
}

export interface Dashboard {
  title: string;
  description?: string;
  marks?: MarkKind[];
  panels: Panel[];
}

export const asksQueries = (kind: PanelKind) => kind === 'lines' || kind === 'areas' || kind === 'stacked' || kind === 'heatmap';

type Fields = Record<string, unknown>;
type Check = (value: unknown) => boolean;

const text = (most: number, least = 0): Check => (value) => typeof value === 'string' && value.length >= least && value.length <= most;
const number = (least: number, most: number): Check => (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
const oneOf = (list: readonly string[]): Check => (value) => typeof value === 'string' && list.includes(value);
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A sentence about what is wrong; undefined where nothing is. */
function fault(value: unknown, where: string, needed: string[], checks: Record<string, Check>): string | undefined {
  if (!isFields(value)) return `${where} is no object.`;
  const missing = needed.find((name) => value[name] === undefined);
  if (missing) return `${where} has no ${missing}.`;
  for (const [name, each] of Object.entries(value)) {
    if (!checks[name]) return `${where} has "${name}", which nothing knows.`;
    if (!checks[name](each)) return `${where}: "${name}" is not as it should be.`;
  }
  return undefined;
}

const QUERY: Record<string, Check> = { query: text(4096, 1), legend: text(200), colour: number(0, 7) };
const PANEL: Record<string, Check> = {
  title: text(120), kind: oneOf(PANEL_KINDS), note: text(200), unit: oneOf(UNITS), log: (value) => typeof value === 'boolean',
  width: number(1, 12), height: number(80, 1000),
  queries: (value) => Array.isArray(value) && value.length <= 8 && value.every((each) => fault(each, '', ['query'], QUERY) === undefined),
  repeat: (value) => fault(value, '', ['label', 'metric'], { label: text(200, 1), metric: text(200, 1) }) === undefined,
};
const WHOLE: Record<string, Check> = {
  $schema: () => true, title: text(120, 1), description: text(1000), panels: (value) => Array.isArray(value) && value.length <= 100,
  marks: (value) => Array.isArray(value) && value.every(oneOf(MARKS)),
};

/** The dashboard, or a sentence about why it is none. */
export function readDashboard(value: unknown): Dashboard | string {
  const wrong = fault(value, 'The dashboard', ['title', 'panels'], WHOLE);
  if (wrong) return wrong;
  const { $schema: _, ...rest } = value as Fields;
  const dashboard = rest as unknown as Dashboard;
  for (const [i, panel] of dashboard.panels.entries()) {
    const bad = fault(panel, `Panel ${i + 1}`, ['title', 'kind'], PANEL);
    if (bad) return bad;
    if (asksQueries(panel.kind) && !panel.queries) return `Panel ${i + 1} has no queries.`;
  }
  return dashboard;
}

export const writeDashboard = (dashboard: Dashboard) => `${JSON.stringify(dashboard, null, 2)}\n`;

export const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** What stands for `$window`, `$range` and `$value` in a query. */
export function filled(query: string, stepSeconds: number, rangeSeconds: number, value = ''): string {
  return query
    .replaceAll('$window', `${Math.max(4 * stepSeconds, 15)}s`)
    .replaceAll('$range', `${Math.max(Math.round(rangeSeconds), 1)}s`)
    .replaceAll('$value', JSON.stringify(value).slice(1, -1));
}

/** One panel, or one for each value of what it is repeated for. */
export const repeated = (panel: Panel, values: readonly string[]): { panel: Panel; value: string }[] =>
  panel.repeat ? values.map((value) => ({ panel: { ...panel, title: panel.title.replaceAll('$value', value) }, value })) : [{ panel, value: '' }];

/* ---- changes, with undo ---- */

export interface History {
  past: readonly Dashboard[];
  present: Dashboard;
  future: readonly Dashboard[];
}

const UNDO_MOST = 200;

export const begun = (present: Dashboard): History => ({ past: [], present, future: [] });

export function changed({ past, present }: History, next: Dashboard): History {
  if (JSON.stringify(next) === JSON.stringify(present)) return { past, present, future: [] };
  return { past: [...past, present].slice(-UNDO_MOST), present: next, future: [] };
}

export function undone({ past, present, future }: History): History {
  const last = past.at(-1);
  return last ? { past: past.slice(0, -1), present: last, future: [present, ...future] } : { past, present, future };
}

export function redone({ past, present, future }: History): History {
  const [next, ...rest] = future;
  return next ? { past: [...past, present], present: next, future: rest } : { past, present, future };
}

export const withPanel = (dashboard: Dashboard, at: number, panel: Panel): Dashboard => ({
  ...dashboard, panels: dashboard.panels.map((old, i) => (i === at ? panel : old)),
});

export const withoutPanel = (dashboard: Dashboard, at: number): Dashboard => ({ ...dashboard, panels: dashboard.panels.filter((_, i) => i !== at) });

export function movedPanel(dashboard: Dashboard, at: number, by: -1 | 1): Dashboard {
  const panels = [...dashboard.panels];
  const [panel] = panels.splice(at, 1);
  if (panel) panels.splice(Math.min(Math.max(at + by, 0), panels.length), 0, panel);
  return { ...dashboard, panels };
}

/** What somebody else did to it, in titles of panels: those that he made, changed and took away. */
export function difference(before: Dashboard, after: Dashboard): { made: string[]; changed: string[]; gone: string[]; other: boolean } {
  const text = (panel: Panel) => JSON.stringify(panel);
  const unlike = (list: readonly Panel[], others: readonly Panel[]) => list.filter((panel) => !others.some((other) => text(other) === text(panel)));
  const titles = (list: readonly Panel[]) => [...new Set(list.map(({ title }) => title))];
  const fresh = titles(unlike(after.panels, before.panels));
  const old = titles(unlike(before.panels, after.panels));
  const { panels: _, ...headBefore } = before;
  const { panels: __, ...headAfter } = after;
  const moved = fresh.length + old.length === 0 && JSON.stringify(before.panels) !== JSON.stringify(after.panels);
  return {
    made: fresh.filter((title) => !old.includes(title)),
    changed: fresh.filter((title) => old.includes(title)),
    gone: old.filter((title) => !fresh.includes(title)),
    other: moved || JSON.stringify(headBefore) !== JSON.stringify(headAfter),
  };
}

// SPDX-License-Identifier: Apache-2.0
/*
 * From a range query's answer to columns that a chart draws: one row of moments, and a column
 * of numbers for each series, with null where it says nothing. Pure.
 */
import type { Labels, MatrixSeries } from '../api/prom';

export interface Columns {
  /** Seconds since 1970, rising, each step once. */
  times: number[];
  series: { labels: Labels; values: (number | null)[] }[];
}

/** Prometheus writes numbers as text, these three among them. */
export function parseValue(text: string): number {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}

export function toColumns(matrix: readonly MatrixSeries[], start: number, end: number, step: number): Columns {
  const count = Math.max(Math.floor((end - start) / step) + 1, 0);
  const times = Array.from({ length: count }, (_, i) => start + i * step);
  const series = matrix.map(({ metric, values = [] }) => {
    const column: (number | null)[] = new Array<number | null>(count).fill(null);
    for (const [at, text] of values) {
      const row = Math.round((at - start) / step);
      const value = parseValue(text);
      if (row >= 0 && row < count && Number.isFinite(value)) column[row] = value;
    }
    return { labels: metric, values: column };
  });
  return { times, series };
}

/** Each column on top of those before it. What says nothing counts as 0 there, but where none says anything there is nothing. */
export function stacked(columns: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const silent = (columns[0] ?? []).map((_, row) => columns.every((column) => (column[row] ?? null) === null));
  const sums: (number | null)[][] = [];
  for (const column of columns) {
    const below = sums.at(-1);
    sums.push(column.map((value, row) => (silent[row] ? null : (value ?? 0) + (below?.[row] ?? 0))));
  }
  return sums;
}

/** "cell", "cell · c1", "{a=…, b=…}": what sets a series apart, as short as it can be said. */
export function seriesName(labels: Labels, template = ''): string {
  const named = template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => labels[name] ?? '').trim();
  if (named !== '') return named;
  const entries = Object.entries(labels).filter(([name]) => name !== '__name__');
  const metric = labels['__name__'] ?? '';
  if (entries.length === 0) return metric || 'value';
  if (entries.length <= 2 && metric === '') return entries.map(([, value]) => value || '–').join(' · ');
  return `${metric}{${entries.map(([name, value]) => `${name}="${value}"`).join(', ')}}`;
}

export interface Summary {
  last: number | null;
  most: number | null;
  mean: number | null;
}

export function summarise(values: readonly (number | null)[]): Summary {
  let last: number | null = null;
  let most: number | null = null;
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (value === null) continue;
    last = value;
    most = most === null || value > most ? value : most;
    sum += value;
    count++;
  }
  return { last, most, mean: count ? sum / count : null };
}

/** Each its preferred colour, or the next one that nobody has while there is one: an earlier one keeps its own. */
export function distinctColours(preferred: readonly number[], colours: number): number[] {
  const taken = new Set<number>();
  return preferred.map((colour) => {
    let own = colour;
    for (let i = 0; taken.has(own) && taken.size < colours && i < colours; i++) own = (own + 1) % colours;
    taken.add(own);
    return own;
  });
}

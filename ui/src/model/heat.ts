// SPDX-License-Identifier: Apache-2.0
/*
 * A range query's histograms as a heatmap: columns are steps, rows are ranges of values in even
 * steps of a logarithmic scale, cells say how many values fell there. Series are added up.
 * Native histograms have buckets of their own; classic ones are series by `le`. Pure.
 */
import type { MatrixSeries } from '../api/prom';
import { parseValue } from './chart-data';

export interface Bucket {
  lower: number;
  upper: number;
  count: number;
}

export interface Heat {
  /** Seconds since 1970. */
  times: number[];
  /** Bounds of the rows, rising: one more than rows. */
  bounds: number[];
  /** By step and row. */
  cells: Float64Array;
  most: number;
  buckets: Bucket[][];
}

const ROWS_MOST = 48;

/** How fine histograms are asked for, in 2^n buckets to a doubling: finer than rows are, as percentiles are made of them, too. */
export const HEAT_SCHEMA = 4;

/** Columns at most: each is a whole histogram of every series, and wide enough to be pointed at. */
export const HEAT_POINTS = 120;

type Columns = Map<string, Bucket>[];

function add(column: Map<string, Bucket>, bucket: Bucket): void {
  const key = `${bucket.lower} ${bucket.upper}`;
  const known = column.get(key);
  if (known) known.count += bucket.count;
  else column.set(key, bucket);
}

function addNative(columns: Columns, rowOf: (at: number) => number, series: MatrixSeries): void {
  for (const [at, { buckets = [] }] of series.histograms ?? []) {
    const column = columns[rowOf(at)];
    if (!column) continue;
    for (const [, lower, upper, count] of buckets) {
      add(column, { lower: Math.max(parseValue(lower), 0), upper: parseValue(upper), count: parseValue(count) });
    }
  }
}

/* Each series counts all values up to its bound: the difference to the one before is the bucket. */
function addClassic(columns: Columns, rowOf: (at: number) => number, matrix: readonly MatrixSeries[]): void {
  const sums = columns.map(() => new Map<number, number>());
  for (const { metric, values = [] } of matrix) {
    if (metric['le'] === undefined) continue;
    const bound = parseValue(metric['le']);
    for (const [at, text] of values) {
      const sum = sums[rowOf(at)];
      const value = parseValue(text);
      if (sum && Number.isFinite(value)) sum.set(bound, (sum.get(bound) ?? 0) + value);
    }
  }
  sums.forEach((sum, i) => {
    let lower = 0;
    let below = 0;
    for (const [upper, all] of [...sum].sort((a, b) => a[0] - b[0])) {
      if (all > below) add(columns[i]!, { lower, upper, count: all - below });
      [lower, below] = [upper, Math.max(all, below)];
    }
  });
}

/** Undefined where the answer has no histograms. */
export function heatOf(matrix: readonly MatrixSeries[], start: number, end: number, step: number): Heat | undefined {
  const steps = Math.max(Math.floor((end - start) / step) + 1, 0);
  const columns: Columns = Array.from({ length: steps }, () => new Map<string, Bucket>());
  const rowOf = (at: number) => Math.round((at - start) / step);
  for (const series of matrix) addNative(columns, rowOf, series);
  addClassic(columns, rowOf, matrix);
  const buckets = columns.map((column) => [...column.values()].filter(({ count }) => count > 0).sort((a, b) => a.upper - b.upper));
  const bounds = rowsOf(buckets);
  if (!bounds) return undefined;
  const rows = bounds.length - 1;
  const cells = new Float64Array(steps * rows);
  buckets.forEach((column, i) => spread(column, bounds, cells.subarray(i * rows, (i + 1) * rows)));
  return { times: buckets.map((_, i) => start + i * step), bounds, cells, most: cells.reduce((a, b) => Math.max(a, b), 0), buckets };
}

/* Finite upper bounds and positive lower ones span the rows; a factor of at least 2^(1/4) each. */
function rowsOf(columns: readonly Bucket[][]): number[] | undefined {
  let least = Infinity;
  let most = 0;
  for (const { lower, upper } of columns.flat()) {
    const low = lower > 0 ? lower : Number.isFinite(upper) ? upper / 2 : Infinity;
    if (low > 0) least = Math.min(least, low);
    most = Math.max(most, Number.isFinite(upper) ? upper : lower);
  }
  if (!(most > 0) || !Number.isFinite(least)) return undefined;
  const octaves = Math.max(Math.log2(most / least), 0.25);
  const rows = Math.max(Math.min(Math.ceil(octaves * 4), ROWS_MOST), 1);
  return Array.from({ length: rows + 1 }, (_, i) => least * 2 ** ((octaves * i) / rows));
}

/* A bucket over several rows gives each its part of the logarithm. */
function spread(column: readonly Bucket[], bounds: readonly number[], cells: Float64Array): void {
  const rows = cells.length;
  const low = Math.log2(bounds[0]!);
  const perRow = (Math.log2(bounds[rows]!) - low) / rows;
  const rowAt = (value: number) => (value > 0 ? (Math.log2(value) - low) / perRow : 0);
  for (const { lower, upper, count } of column) {
    const to = Math.min(Math.max(Number.isFinite(upper) ? rowAt(upper) : rows, 0), rows);
    const from = Math.min(Math.max(lower > 0 ? rowAt(lower) : to - 1, 0), to);
    if (to - from < 1e-9) {
      cells[Math.min(Math.floor(to), rows - 1)]! += count;
      continue;
    }
    for (let row = Math.floor(from); row < to && row < rows; row++) {
      const part = Math.min(row + 1, to) - Math.max(row, from);
      if (part > 0) cells[row]! += (count * part) / (to - from);
    }
  }
}

/** The value below which the part `q` of a column's values lies, between bounds by the logarithm. */
export function quantileOf(column: readonly Bucket[], q: number): number | null {
  const total = column.reduce((sum, { count }) => sum + count, 0);
  if (!(total > 0)) return null;
  let rest = q * total;
  for (const { lower, upper, count } of column) {
    if (rest <= count) {
      if (!Number.isFinite(upper)) return lower;
      const part = rest / count;
      return lower > 0 ? lower * (upper / lower) ** part : upper * part;
    }
    rest -= count;
  }
  return column.at(-1)!.lower;
}

export const QUANTILES = [0.5, 0.9, 0.99] as const;

export const quantileName = (q: number) => `p${Number((q * 100).toFixed(2))}`;

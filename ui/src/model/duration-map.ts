// SPDX-License-Identifier: Apache-2.0
/*
 * The heatmap of durations over time: a column for each step, a row for each power of two of a
 * second. A region of it is what a reader dragged over.
 */
import type { Cell } from './chart-cursor';
import { formatDuration } from './format';
import type { Heat } from './heat';

export interface HeatSeries {
  /** Upper bound of the row, in seconds. */
  bound: number;
  counts: readonly number[];
}

export interface Heatmap {
  startMs: number;
  stepMs: number;
  columns: number;
  /** Upper bounds in seconds, the shortest first; without a gap. */
  bounds: number[];
  /** counts[row * columns + column]. */
  counts: Float64Array;
  most: number;
  total: number;
}

/** In moments and seconds; `fromS` is not in it, `toS` is. */
export interface Region {
  fromMs: number;
  toMs: number;
  fromS: number;
  toS: number;
}

export function buildHeatmap(startMs: number, stepMs: number, columns: number, series: readonly HeatSeries[]): Heatmap {
  const filled = series.filter(({ counts }) => counts.some((count) => count > 0));
  const exponents = filled.map(({ bound }) => Math.round(Math.log2(bound)));
  const lowest = Math.min(...exponents);
  const rows = filled.length === 0 ? 0 : Math.max(...exponents) - lowest + 1;
  const map: Heatmap = {
    startMs, stepMs, columns, bounds: Array.from({ length: rows }, (_, row) => 2 ** (lowest + row)),
    counts: new Float64Array(rows * columns), most: 0, total: 0,
  };
  filled.forEach(({ counts }, s) => {
    for (let column = 0; column < columns; column++) {
      const count = counts[column] ?? 0;
      if (!(count > 0)) continue;
      map.counts[(exponents[s]! - lowest) * columns + column]! += count;
      map.total += count;
      map.most = Math.max(map.most, map.counts[(exponents[s]! - lowest) * columns + column]!);
    }
  });
  return map;
}

/** As the painter of heatmaps takes it: times at the ends of steps, cells by step and row. */
export function asHeat({ startMs, stepMs, columns, bounds, counts, most }: Heatmap): Heat {
  const rows = bounds.length;
  const cells = new Float64Array(rows * columns);
  for (let column = 0; column < columns; column++) for (let row = 0; row < rows; row++) cells[column * rows + row] = counts[row * columns + column]!;
  const times = Array.from({ length: columns }, (_, i) => (startMs + (i + 1) * stepMs) / 1000);
  return { times, bounds: [bounds[0]! / 2, ...bounds], cells, most, buckets: [] };
}

export function regionOf(map: Heatmap, fromColumn: number, toColumn: number, fromRow: number, toRow: number): Region {
  const [left, right] = [Math.min(fromColumn, toColumn), Math.max(fromColumn, toColumn)];
  const [low, high] = [Math.min(fromRow, toRow), Math.max(fromRow, toRow)];
  return {
    fromMs: map.startMs + left * map.stepMs, toMs: map.startMs + (right + 1) * map.stepMs,
    fromS: map.bounds[low]! / 2, toS: map.bounds[high]!,
  };
}

/** Where a cell of the map before is in this one; undefined where it is no more. */
export function cellIn(map: Heatmap, before: Heatmap, { column, row }: Cell): Cell | undefined {
  if (map === before) return { column, row };
  const middleMs = before.startMs + (column + 0.5) * before.stepMs;
  const at = { column: Math.floor((middleMs - map.startMs) / map.stepMs), row: map.bounds.indexOf(before.bounds[row] ?? NaN) };
  return at.column >= 0 && at.column < map.columns && at.row >= 0 ? at : undefined;
}

/** All of the time, from the duration on that only `share` of what was counted exceeds. */
export function slowestRegion(map: Heatmap, share: number): Region | undefined {
  if (map.total === 0) return undefined;
  let above = 0;
  let row = map.bounds.length - 1;
  for (; row > 0; row--) {
    for (let column = 0; column < map.columns; column++) above += map.counts[row * map.columns + column]!;
    if (above >= map.total * share) break;
  }
  return regionOf(map, 0, map.columns - 1, row, map.bounds.length - 1);
}

export function countIn(map: Heatmap, region: Region): number {
  let count = 0;
  map.bounds.forEach((bound, row) => {
    if (bound > region.toS * 1.0001 || bound / 2 < region.fromS * 0.9999) return;
    for (let column = 0; column < map.columns; column++) {
      const at = map.startMs + column * map.stepMs;
      if (at >= region.fromMs && at < region.toMs) count += map.counts[row * map.columns + column]!;
    }
  });
  return count;
}

/** "1763760000000..1763760060000,0.001..0.002" in the address. */
export const regionText = ({ fromMs, toMs, fromS, toS }: Region) => `${fromMs}..${toMs},${fromS}..${toS}`;

export function regionFrom(text: string | null): Region | undefined {
  const match = /^(\d{1,15})\.\.(\d{1,15}),([\d.e-]{1,24})\.\.([\d.e-]{1,24})$/.exec(text ?? '');
  if (!match) return undefined;
  const [fromMs, toMs, fromS, toS] = match.slice(1).map(Number) as [number, number, number, number];
  return toMs > fromMs && toS > fromS && fromS >= 0 ? { fromMs, toMs, fromS, toS } : undefined;
}

export const durationRange = ({ fromS, toS }: Pick<Region, 'fromS' | 'toS'>) => `${formatDuration(fromS * 1e9)} to ${formatDuration(toS * 1e9)}`;

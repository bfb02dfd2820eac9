// SPDX-License-Identifier: Apache-2.0
/*
 * Histograms as shapes to lay over each other: how large a part of all requests took about so long, on
 * an axis of powers of ten. Shapes have the same area whatever their counts, so that a version with a
 * tenth of the requests compares. Pure.
 */
import type { PromHistogram } from '../api/prom';
import { parseValue } from './chart-data';

export interface Bar {
  from: number;
  to: number;
  /** Part of all for each power of ten. */
  density: number;
}

export interface Axis {
  from: number;
  to: number;
}

/* So many bars for a power of ten, wherever the buckets' own bounds lie: finer ones are noise to look at. */
const BARS = 20;

/** Of the buckets above zero; rising, without empty bars. */
export function shapeOf(histogram: PromHistogram | undefined): Bar[] {
  const buckets = (histogram?.buckets ?? []).map(([, lower, upper, count]) => ({ from: parseValue(lower), to: parseValue(upper), count: parseValue(count) }));
  const sound = buckets.filter(({ from, to, count }) => from > 0 && to > from && Number.isFinite(to) && count > 0);
  const all = sound.reduce((sum, { count }) => sum + count, 0);
  const parts = new Map<number, number>();
  for (const { from, to, count } of sound) {
    const [low, high] = [Math.log10(from) * BARS, Math.log10(to) * BARS];
    for (let bar = Math.floor(low + 1e-9); bar < high - 1e-9; bar++) {
      const overlap = (Math.min(bar + 1, high) - Math.max(bar, low)) / (high - low);
      parts.set(bar, (parts.get(bar) ?? 0) + (overlap * count) / all);
    }
  }
  return [...parts.entries()]
    .sort(([a], [b]) => a - b)
    .map(([bar, part]) => ({ from: 10 ** (bar / BARS), to: 10 ** ((bar + 1) / BARS), density: part * BARS }));
}

export const countOf = (histogram: PromHistogram | undefined) => (histogram ? parseValue(histogram.count) : 0);

/** Where all of the shapes lie; undefined if there is nothing of any. */
export function axisOf(shapes: readonly (readonly Bar[])[]): Axis | undefined {
  const bars = shapes.flat();
  if (bars.length === 0) return undefined;
  return { from: Math.min(...bars.map(({ from }) => from)), to: Math.max(...bars.map(({ to }) => to)) };
}

export const placeOn = ({ from, to }: Axis, value: number) => Math.log(value / from) / Math.log(to / from);

/** 1, 2 and 5 of each power of ten on the axis; powers of ten alone where that is too many. */
export function ticksOn({ from, to }: Axis, most: number): number[] {
  const powers = Array.from({ length: Math.ceil(Math.log10(to)) - Math.floor(Math.log10(from)) + 1 }, (_, i) => 10 ** (Math.floor(Math.log10(from)) + i));
  const on = (steps: readonly number[]) => powers.flatMap((power) => steps.map((step) => step * power)).filter((value) => value >= from && value <= to);
  const fine = on([1, 2, 5]);
  return fine.length <= most ? fine : on([1]);
}

/** The outline, from (0, height) to (width, height), as the points of a polygon. */
export function outline(shape: readonly Bar[], axis: Axis, most: number, width: number, height: number): string {
  const x = (value: number) => (placeOn(axis, value) * width).toFixed(1);
  const y = (density: number) => (height - (density / most) * height).toFixed(1);
  const points: string[] = [];
  let end = NaN;
  for (const { from, to, density } of shape) {
    if (from > end * 1.0001) points.push(`${x(end)},${height}`);
    if (!(from <= end * 1.0001)) points.push(`${x(from)},${height}`);
    points.push(`${x(from)},${y(density)}`, `${x(to)},${y(density)}`);
    end = to;
  }
  if (shape.length > 0) points.push(`${x(end)},${height}`);
  return points.join(' ');
}

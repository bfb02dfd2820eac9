// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { heatOf, quantileName, quantileOf } from './heat';

const sum = (cells: ArrayLike<number>) => Array.from(cells).reduce((a, b) => a + b, 0);

test('native histograms of all series lie in rows between the least and the largest bound', () => {
  const one = { count: '4', sum: '9', buckets: [[0, '1', '2', '3'], [0, '4', '8', '1']] as [number, string, string, string][] };
  const heat = heatOf([{ metric: { a: '1' }, histograms: [[100, one]] }, { metric: { a: '2' }, histograms: [[110, one]] }], 100, 110, 10)!;
  expect(heat.times).toEqual([100, 110]);
  expect(heat.bounds[0]).toBe(1);
  expect(heat.bounds.at(-1)).toBeCloseTo(8);
  expect(heat.bounds).toHaveLength(13);
  const rows = heat.bounds.length - 1;
  expect(sum(heat.cells.subarray(0, rows))).toBeCloseTo(4);
  expect(sum(heat.cells.subarray(0, 4))).toBeCloseTo(3);
  expect(heat.most).toBeCloseTo(0.75);
});

test('classic histograms are the differences of their counts', () => {
  const series = (le: string, value: string) => ({ metric: { le }, values: [[0, value] as [number, string]] });
  const heat = heatOf([series('1', '2'), series('2', '5'), series('+Inf', '6')], 0, 0, 15)!;
  expect(heat.buckets[0]).toEqual([
    { lower: 0, upper: 1, count: 2 }, { lower: 1, upper: 2, count: 3 }, { lower: 2, upper: Infinity, count: 1 },
  ]);
  expect(sum(heat.cells)).toBeCloseTo(6);
});

test('what has no histogram is no heatmap', () => {
  expect(heatOf([{ metric: {}, values: [[0, '1']] }], 0, 10, 10)).toBeUndefined();
  expect(heatOf([], 0, 10, 10)).toBeUndefined();
});

test('quantiles lie within their bucket', () => {
  const column = [{ lower: 1, upper: 4, count: 1 }, { lower: 4, upper: 8, count: 1 }];
  expect(quantileOf(column, 0.25)).toBeCloseTo(2);
  expect(quantileOf(column, 1)).toBeCloseTo(8);
  expect(quantileOf([{ lower: 2, upper: Infinity, count: 1 }], 0.5)).toBe(2);
  expect(quantileOf([], 0.5)).toBeNull();
  expect([0.5, 0.99, 0.999].map(quantileName)).toEqual(['p50', 'p99', 'p99.9']);
});

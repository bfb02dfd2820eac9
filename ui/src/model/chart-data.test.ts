// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { distinctColours, parseValue, seriesName, stacked, summarise, toColumns } from './chart-data';

describe('columns', () => {
  it('have a place for each step, and null where a series says nothing', () => {
    const columns = toColumns([{ metric: { a: 'x' }, values: [[100, '1'], [120, '3.5']] }], 100, 130, 10);
    expect(columns.times).toEqual([100, 110, 120, 130]);
    expect(columns.series[0]!.values).toEqual([1, null, 3.5, null]);
  });
  it('leave out what cannot be drawn', () => {
    const columns = toColumns([{ metric: {}, values: [[0, 'NaN'], [1, '+Inf'], [2, '7'], [99, '1']] }], 0, 2, 1);
    expect(columns.series[0]!.values).toEqual([null, null, 7]);
    expect(parseValue('-Inf')).toBe(-Infinity);
  });
  it('are empty where the range is', () => {
    expect(toColumns([], 10, 5, 1).times).toEqual([]);
  });
});

describe('stacking', () => {
  it('sums from below, gaps counting as nothing', () => {
    expect(stacked([[1, null, 3], [10, 20, null]])).toEqual([[1, 0, 3], [11, 20, 3]]);
    expect(stacked([[null, 2], [null, null]])).toEqual([[null, 2], [null, 2]]);
    expect(stacked([])).toEqual([]);
  });
});

describe('names', () => {
  it('say what sets a series apart', () => {
    expect(seriesName({ service_name: 'cell' })).toBe('cell');
    expect(seriesName({ service_name: 'cell', cell: 'c1' })).toBe('cell · c1');
    expect(seriesName({ __name__: 'up' })).toBe('up');
    expect(seriesName({ __name__: 'up', job: 'a' })).toBe('up{job="a"}');
    expect(seriesName({ quantile: '0.99', service: 'x' }, 'p{{quantile}} of {{ service }}')).toBe('p0.99 of x');
  });
});

describe('summaries', () => {
  it('pass over gaps', () => {
    expect(summarise([1, null, 5, null])).toEqual({ last: 5, most: 5, mean: 3 });
    expect(summarise([null])).toEqual({ last: null, most: null, mean: null });
  });
});

it('series that prefer the same colour get others while there are any', () => {
  expect(distinctColours([3, 3, 4, 0], 8)).toEqual([3, 4, 5, 0]);
  expect(distinctColours([1, 1, 1], 2)).toEqual([1, 0, 1]);
});

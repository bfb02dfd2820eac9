// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TraceSummary } from '../api/wire';
import { compareSeries } from './common';
import { asHeat, buildHeatmap, cellIn, countIn, regionFrom, regionOf, regionText, slowestRegion } from './duration-map';
import { groupByRoot } from './trace-groups';

const map = buildHeatmap(1000, 10, 3, [
  { bound: 0.25, counts: [50, 20, 20] },
  { bound: 1, counts: [0, 5, 5] },
  { bound: 64, counts: [0, 0, 0] },
]);

describe('the heatmap', () => {
  it('has rows without a gap, and none beyond what was seen', () => {
    expect(map.bounds).toEqual([0.25, 0.5, 1]);
    expect([...map.counts]).toEqual([50, 20, 20, 0, 0, 0, 0, 5, 5]);
    expect([map.total, map.most]).toEqual([100, 50]);
  });
  it('is where a cell of the map before is sought by its time and its duration', () => {
    const later = buildHeatmap(1010, 10, 3, [{ bound: 0.5, counts: [1, 0, 0] }, { bound: 1, counts: [0, 0, 1] }]);
    expect(cellIn(later, map, { column: 2, row: 2 })).toEqual({ column: 1, row: 1 });
    expect([cellIn(later, map, { column: 0, row: 2 }), cellIn(later, map, { column: 2, row: 0 })]).toEqual([undefined, undefined]);
    expect(cellIn(map, map, { column: 0, row: 2 })).toEqual({ column: 0, row: 2 });
  });
  it('is empty without spans', () => expect(buildHeatmap(0, 1, 5, []).bounds).toEqual([]));
  it('is drawn by steps, as any heatmap is', () => {
    const heat = asHeat(buildHeatmap(10_000, 5000, 2, [{ bound: 0.5, counts: [1, 2] }, { bound: 1, counts: [0, 7] }]));
    expect(heat).toMatchObject({ times: [15, 20], bounds: [0.25, 0.5, 1], most: 7 });
    expect([...heat.cells]).toEqual([1, 0, 2, 7]);
  });
  it('has regions that the address keeps', () => {
    const region = regionOf(map, 2, 1, 2, 1);
    expect(region).toEqual({ fromMs: 1010, toMs: 1030, fromS: 0.25, toS: 1 });
    expect(regionFrom(regionText(region))).toEqual(region);
    expect(countIn(map, region)).toBe(10);
  });
  it.each(['', 'x', '1..2', '2..1,0..1', '1..2,1..1'])('has no region in %j', (text) => expect(regionFrom(text)).toBeUndefined());
  it('knows the slowest tenth', () => expect(slowestRegion(map, 0.1)).toMatchObject({ fromS: 0.5, toS: 1, fromMs: 1000, toMs: 1030 }));
});

describe('what a selection has in common', () => {
  const series = (type: string, label: string, value: string, count: number) => ({ labels: { __meta_type: type, [label]: value }, values: [count, 'NaN'] });
  it('ranks values by the difference of their parts', () => {
    const { selected, others, differences } = compareSeries([
      series('selection_total', 'name', 'nil', 10), series('baseline_total', 'name', 'nil', 100), series('selection_total', 'span.cell', 'nil', 9),
      series('selection', 'span.cell', 'c2', 9), series('baseline', 'span.cell', 'c2', 10), series('baseline', 'span.cell', 'c1', 50),
      series('selection', 'name', 'get', 10), series('baseline', 'name', 'get', 100), series('selection', 'span:id', 'x', 10),
    ]);
    expect([selected, others]).toEqual([10, 100]);
    expect(differences.map(({ value, selectedShare, othersShare }) => [value, selectedShare, othersShare])).toEqual([['c2', 0.9, 0.1], ['c1', 0, 0.5]]);
  });
});

describe('groups by root', () => {
  const trace = (id: string, operation: string, ns: number, errors = 0) =>
    ({ trace_id: id, duration_ns: ns, error_count: errors, died_count: 0, root: { service: 'web', operation } }) as TraceSummary;
  it('sum up their traces', () => {
    const [get] = groupByRoot([trace('a', 'GET', 1), trace('b', 'GET', 9, 1), trace('c', 'GET', 3), trace('d', 'POST', 2)]);
    expect(get).toMatchObject({ operation: 'GET', traces: 3, failed: 1, p50Ns: 3, longestNs: 9, longestId: 'b' });
  });
});

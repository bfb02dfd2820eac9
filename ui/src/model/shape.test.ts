// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { axisOf, countOf, outline, shapeOf, ticksOn, type Bar } from './shape';

const histogram = (buckets: [number, string, string, string][]) => ({ count: '10', sum: '1', buckets });
const area = (shape: readonly Bar[], from: number, to: number) =>
  shape.filter((bar) => bar.from >= from * 0.999 && bar.to <= to * 1.001).reduce((sum, bar) => sum + bar.density * Math.log10(bar.to / bar.from), 0);

describe('a histogram as a shape', () => {
  const shape = shapeOf(histogram([[0, '0.01', '0.1', '3'], [0, '0.001', '0.01', '1'], [3, '-1e-9', '1e-9', '5'], [0, '1', '+Inf', '1']]));
  it('has its parts of all, over powers of ten, without zero and infinity', () => {
    expect(area(shape, 0.001, 0.01)).toBeCloseTo(0.25);
    expect(area(shape, 0.01, 0.1)).toBeCloseTo(0.75);
    expect(shape).toHaveLength(40);
  });
  it('compares whatever the counts are', () => {
    const more = shapeOf(histogram([[0, '0.001', '0.01', '100'], [0, '0.01', '0.1', '300']]));
    more.forEach(({ density }, i) => expect(density).toBeCloseTo(shape[i]!.density));
  });
  it('has the same bars whatever the buckets are', () => {
    const fine = shapeOf(histogram(Array.from({ length: 300 }, (_, i) => [0, String(0.001 * 10 ** (i / 300)), String(0.001 * 10 ** ((i + 1) / 300)), '1'])));
    expect(fine).toHaveLength(20);
    for (const { density } of fine) expect(density).toBeCloseTo(1);
  });
  it('is drawn from the ground to the ground, with its gaps', () => {
    const bars = [{ from: 0.001, to: 0.01, density: 0.25 }, { from: 0.01, to: 0.1, density: 0.75 }];
    expect(outline(bars, axisOf([bars])!, 0.75, 100, 30)).toBe('0.0,30 0.0,20.0 50.0,20.0 50.0,0.0 100.0,0.0 100.0,30');
    const gap = [{ from: 0.001, to: 0.01, density: 0.5 }, { from: 0.1, to: 1, density: 0.5 }];
    expect(outline(gap, axisOf([gap])!, 0.5, 90, 10)).toBe('0.0,10 0.0,0.0 30.0,0.0 30.0,10 60.0,10 60.0,0.0 90.0,0.0 90.0,10');
  });
  it('is nothing where there is nothing', () => {
    expect([shapeOf(undefined), axisOf([[]]), countOf(undefined)]).toEqual([[], undefined, 0]);
  });
  it('has ticks that people read', () => {
    expect(ticksOn({ from: 0.004, to: 0.06 }, 8).map((value) => Number(value.toPrecision(3)))).toEqual([0.005, 0.01, 0.02, 0.05]);
    expect(ticksOn({ from: 1e-6, to: 10 }, 8)).toHaveLength(8);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { clampView, formatTick, isWhole, logShare, niceStep, pan, ticks, zoomAround } from './scale';

const whole = { from: 0, to: 1000 };

describe('the view', () => {
  it('keeps what is under the anchor where it is', () => {
    const view = zoomAround({ from: 200, to: 600 }, whole, 2, 300);
    expect(view).toEqual({ from: 250, to: 450 });
    expect((300 - view.from) / (view.to - view.from)).toBeCloseTo(0.25);
  });
  it('never leaves the trace', () => {
    expect(pan({ from: 800, to: 1000 }, whole, 500)).toEqual({ from: 800, to: 1000 });
    expect(zoomAround({ from: 100, to: 900 }, whole, 0.1, 500)).toEqual(whole);
    expect(clampView({ from: -50, to: 50 }, whole)).toEqual({ from: 0, to: 100 });
  });
  it('never becomes a single moment', () => {
    const view = clampView({ from: 500, to: 500 }, whole);
    expect(view.to - view.from).toBeGreaterThan(0);
  });
  it('fits a trace that is shorter than the narrowest view', () => expect(clampView({ from: 0, to: 1 }, { from: 0, to: 10 })).toEqual({ from: 0, to: 10 }));
  it('knows when it is everything', () => {
    expect(isWhole(whole, whole)).toBe(true);
    expect(isWhole({ from: 0, to: 999 }, whole)).toBe(false);
  });
});

describe('ticks', () => {
  it.each([[1, 1], [1.1, 2], [3, 5], [7, 10], [200, 200], [0.3, 0.5]])('step %d becomes %d', (least, step) => expect(niceStep(least)).toBeCloseTo(step));
  it('stand on round moments within the view', () => {
    expect(ticks({ from: 130, to: 940 }, 5).at).toEqual([200, 400, 600, 800]);
  });
  it('share the unit of the axis and tell neighbours apart', () => {
    const label = (ns: number, step: number) => formatTick(ns, step, 2_000_000).replace('\u00a0', ' ');
    expect(label(0, 500_000)).toBe('0');
    expect(label(500_000, 500_000)).toBe('0.5 ms');
    expect(label(1_250_000, 50_000)).toBe('1.25 ms');
  });
  it('do not grow without bound', () => expect(ticks({ from: 0, to: 1e15 }, 8).at.length).toBeLessThanOrEqual(10));
});

it('places durations between 100 µs and 10 s on a logarithm', () => {
  expect([0, 1e5, 1e6, 1e10, 1e12].map(logShare)).toEqual([0, 0, expect.closeTo(0.2), 1, 1]);
});

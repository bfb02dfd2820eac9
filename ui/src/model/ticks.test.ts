// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { logTicks, timeTicks } from './ticks';

test('moments are whole ones of the zone', () => {
  expect(timeTicks(100, 3700, 5)).toEqual({ ticks: [900, 1800, 2700, 3600], step: 900 });
  expect(timeTicks(0, 86_400, 2, 1800).ticks).toEqual([41_400, 84_600]);
});

test('numbers are round ones of the logarithm', () => {
  expect(logTicks(0.001, 0.02, 10)).toEqual([0.001, 0.002, 0.005, 0.01, 0.02]);
  expect(logTicks(0.001, 1, 4)).toEqual([0.001, 0.01, 0.1, 1]);
  expect(logTicks(1e-6, 1e3, 5)).toHaveLength(5);
  expect(logTicks(0, 1, 4)).toEqual([]);
});

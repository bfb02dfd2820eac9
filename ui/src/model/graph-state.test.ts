// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { graphFrom, graphHref, type GraphState } from './graph-state';

test('what the address says is what is read back', () => {
  const state: GraphState = {
    queries: ['a + b', 'rate(x{y="ü&z"}[5m])'], shape: 'stacked', log: true, unit: 'bytes', marks: false,
    picked: { series: 'web · 1.4', at: 1795352947.5 },
  };
  expect(graphFrom(new URL(graphHref(state), 'http://h').searchParams)).toEqual(state);
});

test('what is not said, or wrong, is as usual', () => {
  const usual = { queries: [], shape: 'lines', log: false, unit: undefined, marks: true, picked: undefined };
  expect(graphFrom(new URLSearchParams('as=pie&unit=miles&at=never'))).toEqual(usual);
  expect(graphHref(usual as unknown as GraphState)).toBe('/graph?');
});

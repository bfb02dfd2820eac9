// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { firstPoint, movedCell, movedPoint, nearestIn } from './chart-cursor';

const VALUES = [
  [1, null, 3, 4, null],
  [5, 5, null, 2, null],
  [2, 9, 3.5, 8, null],
];
const at = (row: number, series: number) => ({ row, series });
const go = (row: number, series: number, key: string, shift = false) => movedPoint(at(row, series), key, shift, VALUES);

describe('keys in a chart', () => {
  it('begin at the newest value', () => {
    expect(firstPoint(VALUES)).toEqual(at(3, 0));
    expect(firstPoint([[null], []])).toBeUndefined();
  });
  it('pass over steps without a value, and stop at the ends', () => {
    expect(go(0, 0, 'ArrowRight')).toEqual(at(2, 0));
    expect(go(2, 0, 'ArrowLeft')).toEqual(at(0, 0));
    expect(go(3, 0, 'ArrowRight')).toEqual(at(3, 0));
    expect(go(3, 1, 'Home')).toEqual(at(0, 1));
    expect(go(0, 2, 'ArrowRight', true)).toEqual(at(3, 2));
  });
  it('go up and down by value', () => {
    expect(go(3, 0, 'ArrowUp')).toEqual(at(3, 2));
    expect(go(3, 0, 'ArrowDown')).toEqual(at(3, 1));
    expect(go(3, 2, 'ArrowUp')).toEqual(at(3, 2));
    expect(go(2, 0, 'ArrowUp')).toEqual(at(2, 2));
  });
  it('are not taken where they mean nothing', () => expect(go(0, 0, 'x')).toBeUndefined());
});

describe('what was pointed at', () => {
  it('is found in a newer answer, or what is nearest to it', () => {
    expect([nearestIn([10, 20, 30], 20), nearestIn([20, 30], 10), nearestIn([10], 30), nearestIn([], 5)]).toEqual([1, 0, 0, -1]);
  });
});

describe('keys in a heatmap', () => {
  it('stay within it', () => {
    expect(movedCell({ column: 0, row: 0 }, 'ArrowLeft', false, 4, 3)).toEqual({ column: 0, row: 0 });
    expect(movedCell({ column: 0, row: 0 }, 'ArrowUp', false, 4, 3)).toEqual({ column: 0, row: 1 });
    expect(movedCell({ column: 1, row: 2 }, 'End', false, 4, 3)).toEqual({ column: 3, row: 2 });
    expect(movedCell({ column: 1, row: 2 }, 'q', false, 4, 3)).toBeUndefined();
  });
});

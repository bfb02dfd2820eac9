// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { runningOf } from './running';

const at = (metric: Record<string, string>, value: string) => ({ metric, value: [0, value] as [number, string] });

describe('where a service runs', () => {
  it('is a row for each version in a cell on a host, without those that ended', () => {
    const rows = runningOf(
      [at({ cell: 'c2', host: 'b', version: '1' }, '2'), at({ cell: 'c1', host: 'a', version: '1' }, '1'), at({ cell: 'c1', host: 'a', version: '0' }, '0')],
      [at({ cell: 'c1', host: 'a', version: '1' }, '0.5')],
      [at({ cell: 'c2', host: 'b', version: '1' }, '2048')],
    );
    expect(rows.map(({ cell, processes, cpu, bytes }) => [cell, processes, cpu, bytes])).toEqual([['c1', 1, 0.5, NaN], ['c2', 2, NaN, 2048]]);
  });
});

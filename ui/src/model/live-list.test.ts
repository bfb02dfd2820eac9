// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { TraceSummary } from '../api/wire';
import { mergeLive } from './live-list';

const trace = (id: string, spans = 1): TraceSummary => ({
  trace_id: id,
  start_unix_ns: '1',
  duration_ns: 1,
  span_count: spans,
  error_count: 0,
  died_count: 0,
  in_flight_count: 0,
  services: [],
  complete: true,
});
const ids = (list: readonly TraceSummary[]) => list.map((each) => each.trace_id).join('');

describe('a list that refreshes', () => {
  it('takes the newest answer whole while nobody is on it', () => {
    const { shown, waiting } = mergeLive([trace('b'), trace('a')], [trace('c'), trace('b')], false);
    expect([ids(shown), waiting]).toEqual(['cb', 0]);
  });
  it('moves no row while somebody is, and counts what waits', () => {
    const { shown, waiting } = mergeLive([trace('b'), trace('a')], [trace('d'), trace('c'), trace('b')], true);
    expect([ids(shown), waiting]).toEqual(['ba', 2]);
  });
  it('gives rows that stay their new values', () => {
    const { shown } = mergeLive([trace('b', 1)], [trace('c'), trace('b', 7)], true);
    expect(shown[0]?.span_count).toBe(7);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { apiParams, filtersFromQuery, isFiltered, NO_FILTERS, normalDuration, queryFromFilters, type Filters } from './filters';

const all: Filters = {
  service: 'web & co',
  operation: 'GET /dashboard?x=1',
  status: 'died',
  minDuration: '10ms',
  maxDuration: '1.5s',
  range: '15m',
  limit: 200,
};

describe('filters in the address', () => {
  it('come back as they were', () => {
    expect(filtersFromQuery(new URLSearchParams(queryFromFilters(all).toString()))).toEqual(all);
  });
  it('leave a plain list a plain address', () => expect(queryFromFilters(NO_FILTERS).toString()).toBe(''));
  it('fall back where the address says what nobody could choose', () => {
    const query = new URLSearchParams('status=purple&range=9y&limit=1e9&min_duration=fast&max_duration=-5ms');
    expect(filtersFromQuery(query)).toEqual(NO_FILTERS);
  });
  it('are told from the default apart from how many to show', () => {
    expect(isFiltered({ ...NO_FILTERS, limit: 500 })).toBe(false);
    expect(isFiltered({ ...NO_FILTERS, range: '5m' })).toBe(true);
  });
});

describe('filters as a query', () => {
  it('begin the range before the clock of the collector, in nanoseconds', () => {
    expect(apiParams(all, 1_763_760_900_000)['start']).toBe('1763760000000000000');
    expect(apiParams(NO_FILTERS, 1)).not.toHaveProperty('start');
  });
  it('carry the limit always', () => expect(apiParams(NO_FILTERS, 0)['limit']).toBe(50));
});

describe('durations that people type', () => {
  it.each([['250us', '250us'], ['250 µs', '250us'], ['10MS', '10ms'], ['1.5 s', '1.5s'], ['.5s', '0.5s'], ['2m', '2m']])('%s is %s', (typed, normal) =>
    expect(normalDuration(typed)).toBe(normal),
  );
  it.each(['', '10', 'ms', '1,5s', '-1ms', '1e3ms', '10 parsecs'])('"%s" is none', (typed) => expect(normalDuration(typed)).toBeUndefined());
});

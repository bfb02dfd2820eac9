// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { offersOfNames, placeAt, plainOffers, rank } from './promql-complete';

/** The cursor is where the bar stands. */
const at = (text: string) => placeAt(text.replace('|', ''), text.indexOf('|'));

describe('placeAt', () => {
  test('names stand where an expression may', () => {
    expect(at('ra|')).toEqual({ kind: 'name', from: 0, to: 2, typed: 'ra' });
    expect(at('sum(rate(traces_sp|an))')).toMatchObject({ kind: 'name', from: 9, to: 20, typed: 'traces_sp' });
    expect(at('|').kind).toBe('name');
  });
  test('labels stand in a selector and in a grouping', () => {
    expect(at('up{|')).toMatchObject({ kind: 'label', metric: 'up', typed: '' });
    expect(at('up{job="a", ins|}')).toMatchObject({ kind: 'label', metric: 'up', typed: 'ins' });
    expect(at('sum by (ser|) (rate(x_total[5m]))')).toMatchObject({ kind: 'label', metric: 'x_total', typed: 'ser' });
    expect(at('sum(rate(x_total{a="b"}[5m])) by (|)')).toMatchObject({ kind: 'label', metric: 'x_total' });
  });
  test('values stand in the string of a label', () => {
    expect(at('up{job=~"we|"}')).toMatchObject({ kind: 'value', metric: 'up', label: 'job', typed: 'we', from: 9 });
    expect(at('up{a="x\\"|"}')).toMatchObject({ kind: 'value', label: 'a', typed: 'x\\"' });
  });
  test('nothing is offered in ranges, numbers, comments, other strings and behind a label', () => {
    for (const text of ['rate(x[5|m])', '12|', 'x # su|', 'label_join(x, "a|")', 'up{job|="x", b |']) {
      const place = at(text);
      if (text.startsWith('up')) expect(['label', 'nothing']).toContain(place.kind);
      else expect(place.kind).toBe('nothing');
    }
  });
});

describe('offers', () => {
  const names = offersOfNames({ 'http.requests': [{ type: 'counter', help: 'Requests.' }], rate_limit: [] });
  test('functions open their bracket, names that need quotes have them', () => {
    expect(names.find((offer) => offer.text === 'rate')?.insert).toBe('rate(');
    expect(names[0]).toEqual({ text: 'http.requests', note: 'counter: Requests.', insert: '{"http.requests"}' });
  });
  test('what is typed whole comes first, then beginnings', () => {
    expect(rank(names, 'rate', 9).map((offer) => offer.text).slice(0, 3)).toEqual(['rate', 'rate_limit', 'irate']);
    expect(rank(plainOffers(['b_ab', 'ab', 'xab'], ''), 'a', 9).map((offer) => offer.text)).toEqual(['ab', 'b_ab', 'xab']);
  });
  test('a value is written as its string needs it', () => {
    expect(plainOffers(['a"b'], '', '"')[0]?.insert).toBe('a\\"b');
    expect(plainOffers(['a"b'], '', '`')[0]?.insert).toBe('a"b');
  });
});

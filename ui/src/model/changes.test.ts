// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Deploy, Verdict } from '../api/deploys';
import type { MarkOfTime } from '../api/marks';
import { happenings, newErrors } from './changes';
import { confidenceText, ratioText, verdictOf, verdictText } from './verdict';

const sample = (service_name: string, span_name: string, value: number) => ({ metric: { service_name, span_name }, value: [0, String(value)] as [number, string] });
const mark = (id: number, kind: MarkOfTime['kind'], seconds: number): MarkOfTime => ({ id, kind, from_unix_ns: '0', to_unix_ns: `${seconds}000000000`, title: `${kind} ${id}`, count: 1 });
const verdict = (change: Verdict['change']): Verdict => ({
  basis: 'versions', change,
  measures: [{ measure: 'p99_seconds', change, before: 0.021, after: 0.048, ratio: 2.29, delta: 0.98, confidence: 0.99999, before_intervals: 30, after_intervals: 30 }],
});
const deploy = (id: number, cell: Verdict['change'], service: Verdict['change']): Deploy => ({ mark: mark(id, 'deploy', id), rollout: { hosts: 1 }, cell: verdict(cell), service: verdict(service) });

describe('new errors', () => {
  const before = { calls: [sample('web', 'a', 1000), sample('web', 'b', 1000)], errors: [sample('web', 'b', 100)] };
  it('are what failed less before, most errors first', () => {
    const lately = { calls: [sample('web', 'a', 100), sample('web', 'c', 50)], errors: [sample('web', 'a', 5), sample('web', 'c', 20)] };
    expect(newErrors(lately, before).map(({ operation, share }) => [operation, share])).toEqual([['c', 0.4], ['a', 0.05]]);
  });
  it('are not what always fails, nor one or two', () => {
    const lately = { calls: [sample('web', 'a', 100), sample('web', 'b', 100)], errors: [sample('web', 'a', 2), sample('web', 'b', 12)] };
    expect(newErrors(lately, before)).toEqual([]);
  });
});

describe('what changed', () => {
  it('has what needs somebody first, then the newest', () => {
    const list = happenings({
      marks: [mark(1, 'hot-key', 9), mark(2, 'death', 3), mark(3, 'death', 5), mark(4, 'deploy', 6), mark(5, 'deploy', 7), mark(6, 'process', 8)],
      verdicts: new Map([[4, deploy(4, 'worse', 'none')], [5, deploy(5, 'none', 'none')]]),
      alerts: [{ labels: { alertname: 'Slow' }, annotations: {}, state: 'firing', activeAt: '2026-01-01T00:00:00Z', value: '1' }, { labels: {}, annotations: {}, state: 'pending', activeAt: '', value: '1' }],
      failing: [{ service: 'web', operation: 'a', share: 0.5, before: 0, errors: 9 }],
    });
    expect(list.map(({ title }) => title)).toEqual(['Slow', 'death 3', 'death 2', 'deploy 4', 'web “a”', 'hot-key 1', 'deploy 5']);
  });
});

describe('a verdict', () => {
  it('is worse if it is worse anywhere', () => expect(verdictOf(deploy(1, 'better', 'worse'))).toBe('worse'));
  it('names the measures that changed', () => expect(verdictText(deploy(1, 'worse', 'none'))).toBe('p99 21.0\u00a0ms → 48.0\u00a0ms'));
  it('is never certain', () => expect(confidenceText(verdict('none').measures[0]!)).toBe('>99.99\u00a0%'));
  it.each([[2.29, '+129\u00a0%'], [0.5, '\u221250.0\u00a0%'], ['NaN', '–'], [1, '±0\u00a0%'], [12.4, '×\u200912']])('says %s as %s', (ratio, text) => expect(ratioText(ratio)).toBe(text));
});

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { matching, redQueries, redRows, sparkValues } from './red';

const at = (service_name: string, value: string) => ({ metric: { service_name }, value: [0, value] as [number, string] });
const key = (labels: Record<string, string>) => labels['service_name'] ?? '';

describe('rate, errors and durations', () => {
  it('ask for entries first, and for all spans where there are none', () => {
    const { rate, p99 } = redQueries({ by: ['service_name'], seconds: 60 });
    expect(rate).toBe('sum by (service_name) (rate(traces_span_metrics_calls_total{span_kind=~"SPAN_KIND_(SERVER|CONSUMER)"}[60s])) or sum by (service_name) (rate(traces_span_metrics_calls_total{}[60s]))');
    expect(p99).toContain('histogram_quantile(0.99, sum by (service_name)');
  });
  it('never ask for less time than tells a rate', () => expect(redQueries({ by: [], seconds: 1, allKinds: true }).rate).toContain('[10s]'));
  it('quote what selects', () => expect(matching({ a: 'x"y\\', b: undefined, c: '1' })).toBe('a="x\\"y\\\\",c="1"'));
  it('make a row of each that had requests', () => {
    const rows = redRows(key, { rate: [at('web', '10'), at('idle', '0')], failed: [at('web', '1'), at('gone', '1')], p50: [at('web', '0.1')], p99: [at('web', 'NaN')] });
    expect([...rows.values()].map(({ rate, errors, p50 }) => [rate, errors, p50])).toEqual([[10, 0.1, 0.1], [0, NaN, NaN]]);
  });
  it('fill the gaps of a line', () => {
    expect(sparkValues({ metric: {}, values: [[10, '2'], [30, '4']] }, 10, 40, 10)).toEqual([2, 0, 4, 0]);
    expect(sparkValues(undefined, 0, 20, 10)).toEqual([0, 0, 0]);
  });
});

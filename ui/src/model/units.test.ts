// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { axisSteps, formatTick, formatValue, unitOf } from './units';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('values', () => {
  it('always have their unit', () => {
    expect(plain(formatValue(0.0124, 'seconds'))).toBe('12.4 ms');
    expect(plain(formatValue(3100, 'rate'))).toBe('3.1 k/s');
    expect(plain(formatValue(0.123, 'share'))).toBe('12.3 %');
    expect(plain(formatValue(2048, 'bytes'))).toBe('2.00 KiB');
    expect(plain(formatValue(2048, 'bytes_rate'))).toBe('2.00 KiB/s');
    expect(formatValue(-5, 'count')).toBe('\u22125');
  });
  it('say where there is none', () => {
    expect(formatValue(null, 'count')).toBe('–');
    expect(formatValue(NaN, 'seconds')).toBe('–');
    expect(formatValue(Infinity, 'seconds')).toBe('∞');
  });
});

describe('units of queries', () => {
  it('follow the names of metrics', () => {
    expect(unitOf('sum(rate(traces_span_metrics_calls_total[1m]))')).toBe('rate');
    expect(unitOf('histogram_quantile(0.99, sum(rate(weft_cache_service_seconds[1m])))')).toBe('seconds');
    expect(unitOf('process_resident_memory_bytes')).toBe('bytes');
    expect(unitOf('rate(weft_cache_reply_bytes_total[1m])')).toBe('bytes_rate');
    expect(unitOf('weft_cache_hot_key_share')).toBe('share');
    expect(unitOf('up')).toBe('count');
  });
});

describe('the lines of an axis', () => {
  it('are round where they count bytes', () => {
    const steps = axisSteps('bytes') ?? [];
    expect(steps).toContain(1024 * 1024);
    expect(formatValue(steps.find((step) => step > 3e6), 'bytes')).toBe(formatValue(4 * 1024 * 1024, 'bytes'));
    expect(axisSteps('count')).toBeUndefined();
  });
  it('are told apart where they are close', () => {
    expect([0, 0.0005, 0.001].map((value) => plain(formatTick(value, 0.0005, 'share')))).toEqual(['0.0 %', '0.05 %', '0.10 %']);
    expect(plain(formatTick(0.2, 0.1, 'share'))).toBe(plain(formatValue(0.2, 'share')));
    expect(formatTick(2, 1, 'count')).toBe('2');
    expect([0.025, 0.05].map((value) => formatTick(value, 0.025, 'rate'))).toEqual(['0.025/s', '0.050/s']);
    expect(formatTick(1500, 500, 'rate')).toBe(formatValue(1500, 'rate'));
  });
});

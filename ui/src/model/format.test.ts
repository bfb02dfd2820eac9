// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { formatAge, formatBytes, formatClock, formatCount, formatDuration, formatMicro, formatMoment, formatPercent, formatRate, formatShort, plural, unixMs } from './format';

/* No-break spaces are shown as plain ones, so that the tables read as the page does. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('durations', () => {
  it.each([
    [0, '0 ns'],
    [812, '812 ns'],
    [999, '999 ns'],
    [1000, '1.00 µs'],
    [12_345, '12.3 µs'],
    [999_499, '999 µs'],
    [999_960, '1.00 ms'],
    [1_234_567, '1.23 ms'],
    [12_345_678, '12.3 ms'],
    [123_456_789, '123 ms'],
    [999_600_000, '1.00 s'],
    [12_400_000_000, '12.4 s'],
    [59_960_000_000, '1 m 00 s'],
    [124e9, '2 m 04 s'],
    [3600e9 * 3 + 720e9, '3 h 12 m'],
    [86_400e9 * 2 + 3600e9, '2 d 01 h'],
    [-81e6, '−81.0 ms'],
  ])('%d ns reads %s', (ns, text) => expect(plain(formatDuration(ns))).toBe(text));

  it('never shows a number that is none', () => expect(formatDuration(NaN)).toBe('–'));
});

describe('ages, counts, rates, bytes', () => {
  it.each([[-400, 'now'], [999, 'now'], [1000, '1 s'], [59_999, '59 s'], [60_000, '1 m'], [7_200_000, '2 h'], [2e8, '2 d']])(
    '%d ms ago reads %s',
    (ms, text) => expect(plain(formatAge(ms))).toBe(text),
  );
  it('groups whole numbers by three', () => {
    expect(plain(formatCount(999))).toBe('999');
    expect(plain(formatCount(1_234_567))).toBe('1 234 567');
  });
  it('shortens counts to three or four digits and a unit', () => {
    expect([812, 3_140, 99_960, 12_400_000, 2e9].map((n) => plain(formatShort(n)))).toEqual(['812', '3.1 k', '100 k', '12.4 M', '2.0 G']);
  });
  it('gives rates a unit always', () => {
    expect([0, 0.4, 812.5, 3100].map((n) => plain(formatRate(n)))).toEqual(['0/s', '0.40/s', '813/s', '3.1 k/s']);
  });
  it('counts bytes in powers of 1024', () => {
    expect([0, 512, 1024, 500_000, 2 ** 30].map((n) => plain(formatBytes(n)))).toEqual(['0 B', '512 B', '1.00 KiB', '488 KiB', '1.00 GiB']);
  });
  it('does not round a small share to nothing', () => {
    expect(plain(formatPercent(0.0001))).toBe('<0.1 %');
    expect(plain(formatPercent(0))).toBe('0.0 %');
    expect(plain(formatPercent(1))).toBe('100 %');
  });
  it('counts one in the singular', () => {
    expect(plain(plural(1, 'span'))).toBe('1 span');
    expect(plain(plural(1200, 'span'))).toBe('1 200 spans');
  });
});

describe('moments', () => {
  it('keeps milliseconds of nanoseconds that a number could not hold', () => expect(unixMs('1763760000123456789')).toBe(1763760000123));
  it('shows them in UTC or as a clock here does', () => {
    expect(formatMoment(1763760000123, true)).toBe('2025-11-21 21:20:00.123');
    const here = new Date(1763760000123);
    expect(formatMoment(1763760000123, false).slice(11, 16)).toBe([here.getHours(), here.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':'));
    expect(formatClock(1763760000123, true)).toBe('21:20:00.123');
    expect(formatMicro(1763760000123006789n, true)).toBe('21:20:00.123006');
    expect([formatMoment(NaN, false), formatClock(1e17, false)]).toEqual(['–', '–']);
  });
  it('takes what is no moment as none', () => expect(unixMs('yesterday')).toBeNaN());
});

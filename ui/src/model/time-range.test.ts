// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_RANGE, formatSpan, momentText, parseMoment, parseSpan, rangeFromQuery, rangeLabel, rangeToQuery, shifted,
  stepSeconds, windowOf, zoomedOut, type TimeRange,
} from './time-range';

const NOW = Date.UTC(2026, 10, 22, 14, 3, 22);
const query = (text: string) => rangeFromQuery(new URLSearchParams(text));

describe('spans', () => {
  it('are read as people write them', () => {
    expect(parseSpan('90s')).toBe(90);
    expect(parseSpan('1h30m')).toBe(5400);
    expect(parseSpan('7d')).toBe(604_800);
    for (const wrong of ['', '5', 'h', '-5m', '5 m', '0s', '99999y']) expect(parseSpan(wrong)).toBeUndefined();
  });
  it('are written so that they are read back', () => {
    for (const seconds of [1, 59, 60, 90, 3600, 5400, 86_400, 604_800]) expect(parseSpan(formatSpan(seconds))).toBe(seconds);
    expect(formatSpan(86_400)).toBe('1d');
  });
});

describe('the range in the address', () => {
  it('comes back as it was', () => {
    const ranges: TimeRange[] = [{ kind: 'last', seconds: 900 }, { kind: 'between', fromMs: 1000, toMs: 90_000 }, DEFAULT_RANGE];
    for (const range of ranges) {
      const address = new URLSearchParams('service=cell&range=3h&from=5');
      rangeToQuery(range, address);
      expect(rangeFromQuery(address)).toEqual(range);
      expect(address.get('service')).toBe('cell');
    }
  });
  it('is the last hour where it is missing or makes no sense', () => {
    for (const text of ['', 'range=x', 'from=5', 'from=9000&to=8000', 'from=a&to=b', 'range=-1h']) expect(query(text)).toEqual(DEFAULT_RANGE);
  });
});

describe('windows', () => {
  it('end now where they move', () => {
    expect(windowOf({ kind: 'last', seconds: 60 }, NOW)).toEqual({ fromMs: NOW - 60_000, toMs: NOW });
  });
  it('double around their middle, but show no future', () => {
    expect(zoomedOut({ fromMs: 1000, toMs: 3000 }, NOW)).toEqual({ kind: 'between', fromMs: 0, toMs: 4000 });
    expect(zoomedOut({ fromMs: NOW - 2000, toMs: NOW }, NOW)).toEqual({ kind: 'between', fromMs: NOW - 4000, toMs: NOW });
  });
  it('move by their half', () => {
    expect(shifted({ fromMs: 1000, toMs: 3000 }, 1)).toEqual({ kind: 'between', fromMs: 2000, toMs: 4000 });
  });
  it('have steps that people recognise', () => {
    expect(stepSeconds({ fromMs: 0, toMs: 3_600_000 }, 400)).toBe(10);
    expect(stepSeconds({ fromMs: 0, toMs: 60_000 }, 400)).toBe(1);
    expect(stepSeconds({ fromMs: 0, toMs: 300_000 }, 400)).toBe(2);
    expect(stepSeconds({ fromMs: 0, toMs: 30 * 86_400_000 }, 400)).toBe(7200);
  });
});

describe('moments', () => {
  it('are read in all the ways people have them', () => {
    expect(parseMoment('now', NOW, true)).toBe(NOW);
    expect(parseMoment('-3h', NOW, true)).toBe(NOW - 3 * 3_600_000);
    expect(parseMoment('2026-11-22 14:03:22', NOW, true)).toBe(NOW);
    expect(parseMoment('2026-11-22', NOW, true)).toBe(Date.UTC(2026, 10, 22));
    for (const digits of [String(NOW / 1000), String(NOW), `${NOW}000000`]) expect(parseMoment(digits, 0, true)).toBe(NOW);
    for (const wrong of ['', 'yesterday', '2026-13-01', '2026-11-22 25:00', '-x']) expect(parseMoment(wrong, NOW, true)).toBeUndefined();
  });
  it('are written so that they are read back', () => {
    for (const utc of [true, false]) expect(parseMoment(momentText(NOW, utc), 0, utc)).toBe(NOW);
  });
  it('name a range shortly', () => {
    expect(rangeLabel(DEFAULT_RANGE, true)).toBe('Last hour');
    expect(rangeLabel({ kind: 'between', fromMs: NOW, toMs: NOW + 60_000 }, true)).toBe('2026-11-22 14:03:22 – 14:04:22');
  });
});

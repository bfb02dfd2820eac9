// SPDX-License-Identifier: Apache-2.0
/* What a number of a series counts, and how that is written. */
import { formatBytes, formatDuration, formatPercent, formatRate, formatShort } from './format';

export const UNITS = ['count', 'rate', 'seconds', 'bytes', 'bytes_rate', 'share'] as const;
export type Unit = (typeof UNITS)[number];

const MINUS = '\u2212';

export function formatValue(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  if (value < 0) return MINUS + formatValue(-value, unit);
  switch (unit) {
    case 'rate':
      return formatRate(value);
    case 'seconds':
      return formatDuration(value * 1e9);
    case 'bytes':
      return formatBytes(value);
    case 'bytes_rate':
      return `${formatBytes(value)}/s`;
    case 'share':
      return formatPercent(value);
    case 'count':
      return formatShort(value);
  }
}

/** The value at a line of an axis whose lines are `step` apart: with as many digits as tell them apart. */
export function formatTick(value: number, step: number, unit: Unit): string {
  const scale = unit === 'share' ? 100 : 1;
  const digits = (String(Number((step * scale).toPrecision(3))).split('.')[1] ?? '').length;
  const isPlain = unit === 'share' || unit === 'rate' || unit === 'count';
  if (!isPlain || value === 0 || digits < (unit === 'share' ? 2 : 3) || step * scale < 1e-6) return formatValue(value, unit);
  return `${(value * scale).toFixed(digits)}${unit === 'share' ? '\u00a0%' : unit === 'rate' ? '/s' : ''}`.replace('-', MINUS);
}

/** How far apart an axis' lines may be: for bytes powers of two, so that they are round as these are written. Undefined: as for any number. */
export function axisSteps(unit: Unit): number[] | undefined {
  return unit === 'bytes' || unit === 'bytes_rate' ? Array.from({ length: 60 }, (_, i) => 2 ** i) : undefined;
}

/** The unit that a query's text suggests, as the names of metrics say it. */
export function unitOf(query: string): Unit {
  const perSecond = /\b(rate|irate)\s*\(/.test(query);
  if (/quantile|_seconds(?!_total|_count)/.test(query) && !/_count\b/.test(query)) return 'seconds';
  if (/_bytes(_total)?\b/.test(query)) return perSecond ? 'bytes_rate' : 'bytes';
  if (/_share\b/.test(query)) return 'share';
  return perSecond ? 'rate' : 'count';
}

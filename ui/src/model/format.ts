// SPDX-License-Identifier: Apache-2.0
/*
 * Numbers as people read them: three significant digits, always with a unit, joined by a
 * no-break space. All of it pure; rounding happens before the unit is chosen, so that
 * 999.96 µs reads 1.00 ms and never 1000 µs.
 */

const NBSP = '\u00a0';
const MINUS = '\u2212';

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

const STEPS: readonly (readonly [number, string])[] = [
  [1e3, 'µs'],
  [1e6, 'ms'],
  [1e9, 's'],
];

/** `ns` nanoseconds as "812 ns", "12.4 ms", "2 m 04 s", "3 h 12 m". */
export function formatDuration(ns: number): string {
  if (!Number.isFinite(ns)) return '–';
  if (ns < 0) return MINUS + formatDuration(-ns);
  if (ns < 999.5) return `${Math.round(ns)}${NBSP}ns`;
  if (ns >= 59.95e9) return formatLong(Math.round(ns / 1e9));
  for (const [unitNs, unit] of STEPS) {
    const value = ns / unitNs;
    if (value < 999.5 || unit === 's') return `${threeDigits(value)}${NBSP}${unit}`;
  }
  return '–';
}

function formatLong(seconds: number): string {
  const pair = (high: number, highUnit: string, low: number, lowUnit: string) =>
    `${high}${NBSP}${highUnit} ${String(low).padStart(2, '0')}${NBSP}${lowUnit}`;
  if (seconds < 3600) return pair(Math.floor(seconds / 60), 'm', seconds % 60, 's');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'm');
  const hours = Math.floor(minutes / 60);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** How long ago, in whole units, as coarse as a glance needs: "now", "12 s", "4 m", "3 h", "2 d". */
export function formatAge(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds}${NBSP}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${NBSP}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${NBSP}h`;
  return `${Math.floor(seconds / 86_400)}${NBSP}d`;
}

/** A whole number with thin groups: "1 234 567". */
export function formatCount(count: number): string {
  const digits = String(Math.abs(Math.round(count)));
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return count < 0 ? MINUS + grouped : grouped;
}

/** A count in at most four characters and a unit: "812", "3.1 k", "12.4 M". */
export function formatShort(count: number): string {
  const scaled = (value: number, unit: string) =>
    `${value >= 99.95 ? value.toFixed(0) : value.toFixed(1)}${NBSP}${unit}`;
  if (count > 0 && count < 0.0995) return String(Number(count.toPrecision(2)));
  if (count < 999.5) return Number.isInteger(count) ? String(count) : threeDigits(count);
  if (count < 999_950) return scaled(count / 1e3, 'k');
  if (count < 999_950_000) return scaled(count / 1e6, 'M');
  return scaled(count / 1e9, 'G');
}

/** A rate per second: "0.40/s", "812/s", "3.1 k/s". */
export function formatRate(perSecond: number): string {
  if (perSecond === 0) return '0/s';
  return perSecond < 999.5 ? `${threeDigits(perSecond)}/s` : `${formatShort(perSecond)}/s`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)}${NBSP}${BYTE_UNITS[unit]}`;
}

export function formatPercent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  const percent = share * 100;
  if (percent > 0 && percent < 0.05) return `<0.1${NBSP}%`;
  return `${percent >= 99.95 ? percent.toFixed(0) : percent.toFixed(1)}${NBSP}%`;
}

/** Milliseconds since 1970 of a wire moment; the nanoseconds below are not needed for show. */
export function unixMs(unixNs: string): number {
  return /^-?\d+$/.test(unixNs) ? Number(BigInt(unixNs) / 1_000_000n) : NaN;
}

/** The clock with milliseconds, local unless `utc`: "14:03:22.123". */
export const formatClock = (ms: number, utc: boolean) => formatMoment(ms, utc).slice(-12);

/** Date and clock, local unless `utc`: "2026-11-21 14:03:22.123". */
export function formatMoment(ms: number, utc: boolean): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return '–';
  /* What a clock here shows is what UTC's showed that much earlier or later. */
  const shown = utc ? date : new Date(ms - date.getTimezoneOffset() * 60_000);
  return shown.toISOString().replace('T', ' ').slice(0, -1);
}

/** The clock with microseconds, local unless `utc`: "14:03:22.123456". */
export function formatMicro(unixNs: bigint, utc: boolean): string {
  return formatClock(Number(unixNs / 1_000_000n), utc) + String((unixNs / 1000n) % 1000n).padStart(3, '0');
}

/** "1 span", "12 spans". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)}${NBSP}${count === 1 ? one : many}`;
}

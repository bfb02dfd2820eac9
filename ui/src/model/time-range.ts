// SPDX-License-Identifier: Apache-2.0
/*
 * The one time range of the page: the last so many seconds, which moves with the clock, or
 * between two moments, which stands. In the address it is `range=1h`, or `from` and `to` in
 * milliseconds since 1970, with `tz=utc` where times are shown in UTC.
 */

export type TimeRange =
  | { kind: 'last'; seconds: number }
  | { kind: 'between'; fromMs: number; toMs: number };

export interface Window {
  fromMs: number;
  toMs: number;
}

export const DEFAULT_RANGE: TimeRange = { kind: 'last', seconds: 3600 };
export const LONGEST_SECONDS = 10 * 366 * 86_400;
const SHORTEST_MS = 1000;

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };

/** "90s", "15m", "1h30m", "7d" in seconds; undefined for anything else. */
export function parseSpan(text: string): number | undefined {
  if (!/^(\d+[smhdwy])+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdwy])/g)) {
    seconds += Number(count) * (UNIT_SECONDS[unit ?? ''] ?? NaN);
  }
  return seconds > 0 && seconds <= LONGEST_SECONDS ? seconds : undefined;
}

/** The shortest text that parseSpan reads back: 5400 is "90m", 86400 is "1d". */
export function formatSpan(seconds: number): string {
  for (const unit of ['d', 'h', 'm'] as const) {
    const each = UNIT_SECONDS[unit]!;
    if (seconds >= each && seconds % each === 0) return `${seconds / each}${unit}`;
  }
  return `${seconds}s`;
}

export function rangeFromQuery(query: URLSearchParams): TimeRange {
  const fromMs = wholeNumber(query.get('from'));
  const toMs = wholeNumber(query.get('to'));
  if (fromMs !== undefined && toMs !== undefined && toMs - fromMs >= SHORTEST_MS) {
    return { kind: 'between', fromMs, toMs };
  }
  const seconds = parseSpan(query.get('range') ?? '');
  return seconds === undefined ? DEFAULT_RANGE : { kind: 'last', seconds };
}

const wholeNumber = (text: string | null) => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : undefined);

/** Writes the range into `query`; the default leaves nothing there. */
export function rangeToQuery(range: TimeRange, query: URLSearchParams): void {
  for (const key of ['range', 'from', 'to']) query.delete(key);
  if (range.kind === 'between') {
    query.set('from', String(Math.floor(range.fromMs)));
    query.set('to', String(Math.ceil(range.toMs)));
  } else if (range.seconds !== (DEFAULT_RANGE as { seconds: number }).seconds) {
    query.set('range', formatSpan(range.seconds));
  }
}

export function windowOf(range: TimeRange, nowMs: number): Window {
  if (range.kind === 'between') return { fromMs: range.fromMs, toMs: range.toMs };
  return { fromMs: nowMs - range.seconds * 1000, toMs: nowMs };
}

/** Twice as much time around the same middle, but nothing of the future. */
export function zoomedOut(window: Window, nowMs: number): TimeRange {
  const half = window.toMs - window.fromMs;
  const middle = (window.fromMs + window.toMs) / 2;
  const toMs = Math.min(middle + half, nowMs);
  return { kind: 'between', fromMs: toMs - 2 * half, toMs };
}

/** By half of itself, to the earlier (-1) or the later (1). */
export function shifted(window: Window, direction: -1 | 1): TimeRange {
  const by = (direction * (window.toMs - window.fromMs)) / 2;
  return { kind: 'between', fromMs: window.fromMs + by, toMs: window.toMs + by };
}

/* Steps whose moments people recognise. */
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800];

/* Rates look back fifteen seconds and more: steps of one say no more than of two, and histograms at each cost memory. */
const EACH_SECOND_MOST_S = 150;

/** The step of a query whose answer has about `points` points at most. */
export function stepSeconds(window: Window, points: number): number {
  const seconds = (window.toMs - window.fromMs) / 1000;
  const least = Math.max(seconds / points, seconds > EACH_SECOND_MOST_S ? 2 : 1);
  return STEPS_S.find((step) => step >= least) ?? Math.ceil(least / 604_800) * 604_800;
}

/**
 * A moment as people type it: "now", "-3h", "2026-11-22", "2026-11-22 14:03[:22]", or seconds,
 * milliseconds or nanoseconds since 1970. Local time unless `utc`. Undefined for anything else.
 */
export function parseMoment(text: string, nowMs: number, utc: boolean): number | undefined {
  const trimmed = text.trim();
  if (trimmed === 'now') return nowMs;
  if (trimmed.startsWith('-')) {
    const seconds = parseSpan(trimmed.slice(1));
    return seconds === undefined ? undefined : nowMs - seconds * 1000;
  }
  if (/^\d{9,19}$/.test(trimmed)) return sinceEpochMs(trimmed);
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?$/.exec(trimmed);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number, number, number, number, number, number,
  ];
  const ms = utc
    ? Date.UTC(year, month - 1, day, hour, minute, second)
    : new Date(year, month - 1, day, hour, minute, second).getTime();
  return month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59 ? undefined : ms;
}

function sinceEpochMs(digits: string): number {
  if (digits.length <= 11) return Number(digits) * 1000;
  if (digits.length <= 14) return Number(digits);
  return Math.floor(Number(digits) / 10 ** (digits.length - 13));
}

const pad = (value: number) => String(value).padStart(2, '0');

/** "2026-11-22 14:03", with seconds where they are not zero; parseMoment reads it back. */
export function momentText(ms: number, utc: boolean): string {
  const date = new Date(ms);
  const parts = utc
    ? [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number];
  const clock = `${pad(hour)}:${pad(minute)}${second ? `:${pad(second)}` : ''}`;
  return `${year}-${pad(month)}-${pad(day)} ${clock}`;
}

const NAMES: Record<number, string> = {
  300: 'Last 5 minutes', 900: 'Last 15 minutes', 1800: 'Last 30 minutes', 3600: 'Last hour', 10_800: 'Last 3 hours',
  21_600: 'Last 6 hours', 43_200: 'Last 12 hours', 86_400: 'Last day', 172_800: 'Last 2 days', 604_800: 'Last week',
  2_592_000: 'Last 30 days', 31_536_000: 'Last year',
};
export const QUICK_SECONDS = Object.keys(NAMES).map(Number);

export function rangeLabel(range: TimeRange, utc: boolean): string {
  if (range.kind === 'last') return NAMES[range.seconds] ?? `Last ${formatSpan(range.seconds)}`;
  const from = momentText(range.fromMs, utc);
  const to = momentText(range.toMs, utc);
  const sameDay = from.slice(0, 10) === to.slice(0, 10);
  return `${from} – ${sameDay ? to.slice(11) : to}`;
}

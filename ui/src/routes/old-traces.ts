// SPDX-License-Identifier: Apache-2.0
/*
 * Where addresses of the list of traces lead, which was a page of its own: to the search that finds the same.
 * Its filters were of whole traces, so each is a set of braces that the trace has to have. Pure.
 */
import { normalDuration } from '../model/duration-text';
import { formatSpan, QUICK_SECONDS } from '../model/time-range';
import { EMPTY_FORM, printForm, STATUS_WORDS } from '../model/traceql';

const LIMITS = [20, 100, 500];
const RANGE_KEYS = ['range', 'from', 'to'];
/* The list was of all time unless it was told another. */
const ALL_TIME = formatSpan(Math.max(...QUICK_SECONDS));
const NOTHING_FAILED = '{ parent = nil && status != error && status != died && status != in_flight }';

/** The search's address; undefined for an address that is none of the list's. */
export function movedTo(url: URL): URL | undefined {
  if (url.pathname.replace(/\/+$/, '') !== '/traces') return undefined;
  const old = url.searchParams;
  const text = (key: string) => old.get(key) ?? '';
  const status = text('status');
  const [min, max] = [normalDuration(text('min_duration')), normalDuration(text('max_duration'))];
  const sets: string[] = [];
  if (text('service') || text('operation')) sets.push(printForm({ ...EMPTY_FORM, service: text('service'), operation: text('operation') }));
  const durations = [...(min ? [`traceDuration >= ${min}`] : []), ...(max ? [`traceDuration <= ${max}`] : [])];
  if (durations.length > 0) sets.push(`{ ${durations.join(' && ')} }`);
  if (status === 'ok') sets.push(NOTHING_FAILED);
  else if ((STATUS_WORDS as readonly string[]).includes(status)) sets.push(`{ status = ${status} }`);

  const next = new URL('/search', url);
  if (sets.length > 0) next.searchParams.set('q', sets.join(' && '));
  for (const key of [...RANGE_KEYS, 'tz']) if (text(key) && text(key) !== 'all') next.searchParams.set(key, text(key));
  const told = RANGE_KEYS.some((key) => next.searchParams.has(key));
  if (!told && (sets.length > 0 || text('live') === 'off')) next.searchParams.set('range', ALL_TIME);
  const limit = LIMITS.find((most) => most >= Number(text('limit') || NaN));
  if (limit !== undefined && limit !== 100) next.searchParams.set('limit', String(limit));
  if (text('live') !== 'off') next.searchParams.set('live', 'on');
  return next;
}

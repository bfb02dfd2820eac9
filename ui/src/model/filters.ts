// SPDX-License-Identifier: Apache-2.0
/*
 * The filters of the list of traces: their text in the page's URL, and the query that they
 * stand for. A value that the URL holds but nobody could choose falls back to the default,
 * so that no link can break the page.
 */
import type { Params } from '../api/client';

export const STATUSES = ['ok', 'error', 'died', 'in_flight'] as const;
export const RANGES = { '5m': 300, '15m': 900, '1h': 3600 } as const;
export const LIMITS = [20, 50, 100, 200, 500] as const;

export type StatusFilter = (typeof STATUSES)[number] | '';
export type RangeFilter = keyof typeof RANGES | 'all';

export interface Filters {
  service: string;
  operation: string;
  status: StatusFilter;
  minDuration: string;
  maxDuration: string;
  range: RangeFilter;
  limit: number;
}

export const NO_FILTERS: Filters = {
  service: '',
  operation: '',
  status: '',
  minDuration: '',
  maxDuration: '',
  range: 'all',
  limit: 50,
};

/** "10ms", "1.5 s", "250µs" in the API's spelling; undefined for what is no duration. */
export function normalDuration(text: string): string | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(us|µs|μs|ms|s|m)$/.exec(text.replace(/\s+/g, '').toLowerCase());
  if (!match?.[1] || !match[2]) return undefined;
  const number = match[1].startsWith('.') ? `0${match[1]}` : match[1];
  return number + match[2].replace(/[µμ]s/, 'us');
}

const isOneOf = <T extends string>(text: string, all: readonly T[]): text is T =>
  (all as readonly string[]).includes(text);

export function filtersFromQuery(query: URLSearchParams): Filters {
  const text = (key: string) => query.get(key) ?? '';
  const status = text('status');
  const range = text('range');
  const limit = Number(text('limit'));
  return {
    service: text('service'),
    operation: text('operation'),
    status: isOneOf(status, STATUSES) ? status : '',
    minDuration: normalDuration(text('min_duration')) ?? '',
    maxDuration: normalDuration(text('max_duration')) ?? '',
    range: range in RANGES ? (range as RangeFilter) : NO_FILTERS.range,
    limit: (LIMITS as readonly number[]).includes(limit) ? limit : NO_FILTERS.limit,
  };
}

/** Only what differs from the default, so that the plain list has a plain address. */
export function queryFromFilters(filters: Filters): URLSearchParams {
  const query = new URLSearchParams();
  if (filters.service) query.set('service', filters.service);
  if (filters.operation) query.set('operation', filters.operation);
  if (filters.status) query.set('status', filters.status);
  if (filters.minDuration) query.set('min_duration', filters.minDuration);
  if (filters.maxDuration) query.set('max_duration', filters.maxDuration);
  if (filters.range !== NO_FILTERS.range) query.set('range', filters.range);
  if (filters.limit !== NO_FILTERS.limit) query.set('limit', String(filters.limit));
  return query;
}

/** The API's parameters. `nowMs` is the collector's clock: its traces carry its times. */
export function apiParams(filters: Filters, nowMs: number): Params {
  const params: Params = {
    service: filters.service,
    operation: filters.operation,
    status: filters.status,
    min_duration: filters.minDuration,
    max_duration: filters.maxDuration,
    limit: filters.limit,
  };
  if (filters.range !== 'all') {
    params['start'] = `${Math.round(nowMs - RANGES[filters.range] * 1000)}000000`;
  }
  return params;
}

export function isFiltered(filters: Filters): boolean {
  return queryFromFilters({ ...filters, limit: NO_FILTERS.limit }).toString() !== '';
}

// SPDX-License-Identifier: Apache-2.0
/* What taps tell of caches: docs/api.md. */
import { getJson, withQuery, type CallOptions } from './client';
import type { Window } from '../model/time-range';

export interface CacheSummary {
  id: number;
  host: string;
  address: string;
  protocol: string;
  seen_unix_ns: string;
  commands_per_s?: number;
  hit_rate?: number;
  errors_per_s?: number;
  request_bytes_per_s?: number;
  reply_bytes_per_s?: number;
  p50_seconds?: number;
  p99_seconds?: number;
  p999_seconds?: number;
  windows: number;
  distinct_keys: number;
  peak_commands: number;
  peak_ratio?: number;
  hottest?: { key: string; calls: number; share: number };
}

export interface HeavyRow {
  key: string;
  calls: number;
  bytes: number;
  misses: number;
  per_second: number;
  share: number;
  error: number;
  length?: number;
}

export const LISTS = ['keys', 'patterns', 'clients'] as const;
export type List = (typeof LISTS)[number];
export const ORDERS = ['calls', 'bytes', 'misses'] as const;
export type Order = (typeof ORDERS)[number];

export interface HeavyRows {
  windows: number;
  caches: number;
  commands: number;
  distinct_keys: number;
  total: number;
  rest: number;
  rows: HeavyRow[];
}

const within = ({ fromMs, toMs }: Window) => ({ start: `${Math.floor(fromMs)}000000`, end: `${Math.ceil(toMs)}000000` });

export const getCaches = async (window: Window, options?: CallOptions): Promise<CacheSummary[]> =>
  (await getJson<{ caches: CacheSummary[] }>(withQuery('/api/v1/caches', within(window)), options)).caches;

export const getCache = (id: string, window: Window, options?: CallOptions) =>
  getJson<CacheSummary>(withQuery(`/api/v1/caches/${encodeURIComponent(id)}`, within(window)), options);

/** `id` '': of all caches together. */
export async function getHeavy(id: string, list: List, by: Order, window: Window, limit: number, options?: CallOptions): Promise<HeavyRows> {
  const path = id === '' ? `/api/v1/caches/${list}` : `/api/v1/caches/${encodeURIComponent(id)}/${list}`;
  const answer = await getJson<Omit<HeavyRows, 'rows'> & Record<List, HeavyRow[]>>(withQuery(path, { ...within(window), by: list === 'keys' ? by : undefined, limit }), options);
  return { ...answer, rows: answer[list] };
}

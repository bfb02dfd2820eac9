// SPDX-License-Identifier: Apache-2.0
/* Deploys and what they did: docs/api.md. */
import type { Window } from '../model/time-range';
import { getJson, withQuery, type CallOptions } from './client';
import { getMarks, type MarkOfTime } from './marks';
import type { TraceSummary } from './wire';

export type Change = 'better' | 'worse' | 'different' | 'none' | 'unknown';

/** A number, or "NaN" where there is none. */
export type Figure = number | string;

export interface Comparison {
  measure: string;
  change: Change;
  before: Figure;
  after: Figure;
  ratio: Figure;
  delta: Figure;
  confidence: Figure;
  before_intervals: number;
  after_intervals: number;
}

export interface Verdict {
  basis: 'versions' | 'times' | 'none';
  change: Change;
  before_from_unix_ns?: string;
  before_to_unix_ns?: string;
  after_from_unix_ns?: string;
  after_to_unix_ns?: string;
  interval_ns?: number;
  measures: Comparison[];
  yesterday?: Comparison[];
}

export interface Deploy {
  mark: MarkOfTime;
  rollout: { hosts: number; of_hosts?: number; first_host?: string; last_host?: string };
  cell: Verdict;
  service: Verdict;
}

/** Newest first. */
export const getDeploys = (window: Window, options?: CallOptions) => getMarks(window, { kind: 'deploy' }, options);

export const getDeploy = (id: number | string, options?: CallOptions) =>
  getJson<Deploy>(`/api/v1/deploys/${encodeURIComponent(String(id))}`, { timeoutMs: 40_000, ...options });

/** The verdicts on the first `most` of them; one that cannot be had now is left out. */
export async function getVerdicts(deploys: readonly MarkOfTime[], most: number, options?: CallOptions): Promise<Map<number, Deploy>> {
  const asked = await Promise.allSettled(deploys.slice(0, most).map(({ id }) => getDeploy(id, options)));
  options?.signal?.throwIfAborted();
  return new Map(asked.flatMap((one) => (one.status === 'fulfilled' ? [[one.value.mark.id, one.value] as const] : [])));
}

/** The newest traces that a TraceQL query finds in the window. */
export async function getTracesOf(q: string, { fromMs, toMs }: Window, limit: number, options?: CallOptions): Promise<TraceSummary[]> {
  const params = { q, start: `${Math.floor(fromMs)}000000`, end: `${Math.ceil(toMs)}000000`, limit, spans: 0, timeout: '10s' };
  return (await getJson<{ traces: TraceSummary[] }>(withQuery('/api/v1/search', params), { timeoutMs: 20_000, ...options })).traces;
}

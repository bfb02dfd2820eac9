// SPDX-License-Identifier: Apache-2.0
/* TraceQL: searches as they go on, metrics from spans, and what exists to be completed. */
import type { Window } from '../model/time-range';
import { getJson, withQuery, type CallOptions } from './client';
import { streamLines, type StreamOptions } from './stream';
import type { SpanKind, SpanStatus, TraceSummary } from './wire';

export interface MatchedSpan {
  span_id: string;
  parent_id: string;
  name: string;
  service: string;
  kind: SpanKind;
  status: SpanStatus;
  start_offset_ns: number;
  duration_ns: number;
  values?: Record<string, unknown>;
}

export interface Spanset {
  matched: number;
  values?: Record<string, unknown>;
  spans: MatchedSpan[];
}

export interface FoundTrace extends TraceSummary {
  spansets: Spanset[];
}

export interface SearchProgress {
  units: number;
  units_done: number;
  bytes: number;
  bytes_done: number;
  spans: number;
  spans_done: number;
  damaged_units: number;
  matched: number;
}

export interface SearchResult {
  traces: FoundTrace[];
  more: boolean;
  end: string;
  explanation?: string;
  partial: boolean;
  complete_since_unix_ns?: string;
  progress: SearchProgress;
}

type Line = { progress: SearchProgress } | { found: FoundTrace } | { result: SearchResult };

export interface SearchListener {
  progress(progress: SearchProgress): void;
  found(trace: FoundTrace): void;
  result(result: SearchResult): void;
}

const within = ({ fromMs, toMs }: Window) => ({ start: `${Math.floor(fromMs)}000000`, end: `${Math.ceil(toMs)}000000` });

export function streamSearch(q: string, window: Window, limit: number, to: SearchListener, options: StreamOptions): Promise<void> {
  const url = withQuery('/api/v1/search', { q, ...within(window), limit, stream: 'true' });
  return streamLines(
    url,
    (line) => {
      const said = line as Line;
      if ('progress' in said) to.progress(said.progress);
      else if ('found' in said) to.found(said.found);
      else if ('result' in said) to.result(said.result);
    },
    options,
  );
}

export interface MeasuredSeries {
  labels: Record<string, string | number | boolean>;
  values: (number | string)[];
  exemplars?: { trace_id: string; span_id: string; unix_ns: string; value: number }[];
}

export interface Measured {
  start_unix_ns: string;
  step_ns: number;
  series: MeasuredSeries[];
  partial: boolean;
}

/** `stepSeconds` 0: one number for the whole time. */
export const measure = (q: string, window: Window, stepSeconds: number, options?: CallOptions) =>
  getJson<Measured>(withQuery('/api/v1/measure', { q, ...within(window), step: stepSeconds > 0 ? `${stepSeconds}s` : undefined }), { timeoutMs: 60_000, ...options });

/** Fields as they are written in a query. */
export async function getFields(options?: CallOptions): Promise<string[]> {
  const { tags } = await getJson<{ tags: Record<string, string[]> }>('/api/v1/tags', options);
  const written = (scope: string, key: string) => (scope === 'intrinsic' ? key : `${scope}.${/[\s{}()=~!<>&|^,"]/.test(key) ? JSON.stringify(key) : key}`);
  return Object.entries(tags).flatMap(([scope, keys]) => keys.map((key) => written(scope, key)));
}

export interface FieldValue {
  type: string;
  value: string | number | boolean;
  count: number;
}

export const getFieldValues = async (field: string, options?: CallOptions): Promise<FieldValue[]> =>
  (await getJson<{ values: FieldValue[] }>(withQuery(`/api/v1/tags/${encodeURIComponent(field)}/values`, { limit: 200 }), options)).values;

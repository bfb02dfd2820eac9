// SPDX-License-Identifier: Apache-2.0
/* PromQL over the collector's Prometheus API, and marks: what graphs are drawn from. */
import { getJson, withQuery, type CallOptions } from './client';
import { ApiError } from './error';

export type Labels = Record<string, string>;

/** A native histogram as Prometheus' JSON has it: [boundaries, lower, upper, count]. */
export interface PromHistogram {
  count: string;
  sum: string;
  buckets?: [number, string, string, string][];
}

export interface MatrixSeries {
  metric: Labels;
  values?: [number, string][];
  histograms?: [number, PromHistogram][];
}

export interface VectorSample {
  metric: Labels;
  value?: [number, string];
  histogram?: [number, PromHistogram];
}

export interface Exemplar {
  labels: Labels;
  value: string;
  timestamp: number;
}

interface Answer<T> {
  status: string;
  data: T;
  error?: string;
  warnings?: string[];
}

async function ask<T>(path: string, params: Record<string, string | number | undefined>, options?: CallOptions): Promise<T> {
  const answer = await getJson<Answer<T>>(withQuery(path, params), { timeoutMs: 60_000, ...options });
  if (answer.status !== 'success') throw new ApiError('refused', answer.error ?? 'The query failed.');
  return answer.data;
}

export interface Span {
  fromMs: number;
  toMs: number;
  stepSeconds: number;
}

/** Ends on a whole step, so that a refreshed graph keeps its points where they are. */
export function aligned({ fromMs, toMs, stepSeconds }: Span): { start: number; end: number } {
  const floor = (ms: number) => Math.floor(ms / 1000 / stepSeconds) * stepSeconds;
  return { start: floor(fromMs), end: floor(toMs) };
}

/** `schema`: how fine native histograms are at most, in 2^schema buckets to a doubling. */
export async function queryRange(query: string, span: Span, options?: CallOptions, schema?: number): Promise<MatrixSeries[]> {
  const data = await ask<{ result: MatrixSeries[] }>('/api/v1/query_range', { query, ...aligned(span), step: span.stepSeconds, histogram_schema: schema }, options);
  return data.result;
}

export async function queryAt(query: string, timeMs: number, options?: CallOptions): Promise<VectorSample[]> {
  const data = await ask<{ resultType: string; result: VectorSample[] | [number, string] }>('/api/v1/query', { query, time: timeMs / 1000 }, options);
  if (data.resultType === 'scalar') return [{ metric: {}, value: data.result as [number, string] }];
  return data.resultType === 'vector' ? (data.result as VectorSample[]) : [];
}

export const queryExemplars = (query: string, span: Span, options?: CallOptions) =>
  ask<{ seriesLabels: Labels; exemplars: Exemplar[] }[]>('/api/v1/query_exemplars', { query, ...aligned(span) }, options);

const ofMetric = (metric: string) => ({ 'match[]': metric === '' ? undefined : `{__name__=${JSON.stringify(metric)}}` });

/** Names of labels; those of one metric's series where it is named. */
export const labelNames = (metric = '', options?: CallOptions) => ask<string[]>('/api/v1/labels', ofMetric(metric), options);

export const labelValues = (label: string, metric = '', options?: CallOptions) =>
  ask<string[]>(`/api/v1/label/${encodeURIComponent(label)}/values`, ofMetric(metric), options);

export const metricMetadata = (options?: CallOptions) =>
  ask<Record<string, { type: string; help: string; unit: string }[]>>('/api/v1/metadata', {}, options);

// SPDX-License-Identifier: Apache-2.0
/* A trace explained, and two of them side by side, as the collector tells it (docs/api.md). */
import { getJson, withQuery, type CallOptions } from './client';
import type { SpanKind } from './wire';

export interface Culprit {
  span_id: string;
  sentence: string;
  chain: string[];
}

export interface Hole {
  kind: 'parent' | 'server' | 'attributes';
  reason: string;
  span_id?: string;
  missing_span_id?: string;
  count: number;
  service?: string;
  sentence: string;
}

export interface Clock {
  host?: string;
  process: number;
  offset_ns: number;
  against?: number;
  uncertainty_ns?: number;
  pairs: number;
  agreeing: number;
}

/** What is known of the other end of a client span. */
export interface CallShares {
  server_ns?: number;
  network_ns?: number;
  observed?: boolean;
  not_observed?: string;
}

export interface SpanAnalysis {
  span_id: string;
  self_ns: number;
  critical_ns: number;
  rank?: number;
  among?: number;
  start_correction_ns?: number;
  call?: CallShares;
}

/** All but what is told span by span. */
export interface Findings {
  culprit?: Culprit;
  suspect_span_id?: string;
  critical_path: { total_ns: number; unknown_ns: number };
  skew: { corrected: boolean; clocks: Clock[] };
  holes: Hole[];
  holes_beyond: number;
  ranked_among_traces: number;
  calls: { span_id: string; sentence: string }[];
}

export interface PathSegment {
  offset_ns: number;
  duration_ns: number;
  span_id?: string;
}

export interface Explanation extends Findings {
  critical_path: { total_ns: number; unknown_ns: number; segments: PathSegment[] };
  spans: SpanAnalysis[];
}

/** With a list of all its spans, or of `limit` of them from the place `offset` on. */
export const getExplanation = (traceId: string, part: { offset?: number; limit?: number } = {}, options?: CallOptions) =>
  getJson<Explanation>(withQuery(`/api/v1/analysis/traces/${encodeURIComponent(traceId)}`, part), { timeoutMs: 60_000, ...options });

export interface DiffOperation {
  service: string;
  operation: string;
  kind: SpanKind;
}

export interface DiffSide {
  traces: number;
  spans: number;
  errors: number;
  died: number;
  self_ns: number;
  total_ns: number;
  critical_ns: number;
  exemplar?: string;
}

export interface DiffRow {
  rest: boolean;
  operation?: DiffOperation;
  path?: DiffOperation[];
  a: DiffSide;
  b: DiffSide;
  critical_change_ns: number;
  self_change_ns: number;
  spans_change: number;
}

export interface Diff {
  by: 'operation' | 'path';
  a: { traces: number; total_ns: number };
  b: { traces: number; total_ns: number };
  rows: DiffRow[];
}

/** `a` and `b`: trace ids or TraceQL queries. */
export const getDiff = (a: string, b: string, by: Diff['by'], options?: CallOptions) =>
  getJson<Diff>(withQuery('/api/v1/analysis/diff', { a, b, by }), { timeoutMs: 60_000, ...options });

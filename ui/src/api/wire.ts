// SPDX-License-Identifier: Apache-2.0
/*
 * The collector's answers, as docs/api.md fixes them. Nothing here is a class and nothing is
 * computed: what the page derives lives in model/.
 *
 * A moment (`*_unix_ns`) is a string of decimal nanoseconds, a duration (`*_ns`) a number.
 */

export type UnixNs = string;

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type SpanStatus = 'unset' | 'ok' | 'error' | 'died' | 'in_flight';
export type SpanFlag = 'remote_parent' | 'observed' | 'orphan' | 'duplicate' | 'cycle';

export interface Attribute {
  key: string;
  type: 'string' | 'int' | 'double' | 'bool' | 'bytes';
  value: string | number | boolean;
}

export interface Operation {
  service: string;
  operation: string;
}

export interface ServiceCount {
  name: string;
  spans: number;
}

export interface Service {
  name: string;
  spans: number;
  errors: number;
  died: number;
  operations: string[];
  versions: string[];
  cells: string[];
  instances: string[];
}

export interface Services {
  services: Service[];
}

export interface TraceSummary {
  trace_id: string;
  start_unix_ns: UnixNs;
  duration_ns: number;
  root?: Operation;
  span_count: number;
  error_count: number;
  died_count: number;
  in_flight_count: number;
  services: ServiceCount[];
  complete: boolean;
}

export interface Process {
  service: string;
  version?: string;
  instance?: string;
  cell?: string;
  host?: string;
  pid?: number;
  start_unix_ns?: UnixNs;
  state?: 'alive' | 'exited' | 'died';
  state_unix_ns?: UnixNs;
  resource?: Attribute[];
}

export interface SpanEvent {
  name: string;
  offset_ns: number;
  attributes?: Attribute[];
}

export interface SpanLink {
  trace_id: string;
  span_id: string;
  attributes?: Attribute[];
}

export interface Span {
  span_id: string;
  parent_id: string;
  process: number;
  name: string;
  kind: SpanKind;
  status: SpanStatus;
  status_message?: string;
  start_offset_ns: number;
  duration_ns: number;
  attributes?: Attribute[];
  events?: SpanEvent[];
  links?: SpanLink[];
  tracestate?: string;
  dropped_attributes?: number;
  flags?: SpanFlag[];
}

export interface TraceLoss {
  /** Which process lost it; without one, `service` or `agent` says as much as is known. */
  process?: number;
  service?: string;
  agent?: string;
  place: string;
  reason: string;
  explanation?: string;
  count: number;
  from_unix_ns?: UnixNs;
  to_unix_ns?: UnixNs;
}

export interface Trace {
  trace_id: string;
  start_unix_ns: UnixNs;
  duration_ns: number;
  root?: Operation;
  complete: boolean;
  span_count: number;
  error_count: number;
  died_count: number;
  in_flight_count: number;
  processes: Process[];
  spans: Span[];
  losses?: TraceLoss[];
}

export interface InflightSpan {
  trace_id: string;
  span_id: string;
  parent_id: string;
  name: string;
  kind: SpanKind;
  service: string;
  instance?: string;
  cell?: string;
  host?: string;
  pid?: number;
  start_unix_ns: UnixNs;
  age_ns: number;
  attributes?: Attribute[];
}

export interface Inflight {
  as_of_unix_ns: UnixNs;
  spans: InflightSpan[];
  more: boolean;
}

export interface CollectorStatus {
  version: string;
  start_unix_ns: UnixNs;
  now_unix_ns: UnixNs;
  ready: boolean;
  accepted: {
    batches: number;
    spans: number;
    bytes: number;
    duplicate_batches: number;
    spans_per_s: number;
  };
  head: {
    traces: number;
    spans: number;
    bytes: number;
    limit_bytes: number;
  };
  segments: {
    count: number;
    traces: number;
    spans: number;
    bytes: number;
    limit_bytes: number;
    resident_bytes: number;
    oldest_unix_ns?: UnixNs;
    aged_spans: number;
    cuts: number;
    merges: number;
    state: 'ok' | 'full' | 'failed';
    error?: string;
    damaged: { file: string; why: string }[];
  };
  ledger: {
    bytes: number;
    limit_bytes: number;
    segments: number;
    oldest_unix_ns?: UnixNs;
    dropped_segments: number;
    state: 'ok' | 'full' | 'failed';
    error?: string;
  };
}

/** What the collector knows by itself, and, once the agent has reported, what that said of itself. */
export interface AgentStatus {
  id: string;
  connected: boolean;
  last_seen_unix_ns: UnixNs;
  clock_skew_ns: number;
  host?: string;
  version?: string;
  processes?: number;
  spans?: number;
  sweep_lag_ns?: number;
  spool?: { bytes: number; limit_bytes: number; batches: number };
  problem?: string;
}

export interface Loss {
  place: string;
  reason: string;
  agent?: string;
  service?: string;
  count: number;
  explanation?: string;
  first_unix_ns?: UnixNs;
  last_unix_ns?: UnixNs;
}

export interface Status {
  collector: CollectorStatus;
  agents: AgentStatus[];
  losses: Loss[];
  freshness?: { count: number; p50_ns?: number; p99_ns?: number };
}

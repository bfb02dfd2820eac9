// SPDX-License-Identifier: Apache-2.0
/* Who calls whom, of the newest traces in a window: docs/api.md. */
import type { Window } from '../model/time-range';
import { getJson, withQuery, type CallOptions } from './client';

export interface SideLatency {
  count: number;
  p50_ns: number;
  p90_ns: number;
  p99_ns: number;
  max_ns: number;
}

export interface WireNode {
  kind: 'service' | 'database' | 'messaging' | 'external' | 'user' | 'rest';
  name?: string;
}

export interface WireEdge {
  /** Left out where it stands for all edges beyond the most that are told. */
  from?: number;
  to?: number;
  rest?: boolean;
  type?: 'call' | 'message';
  calls: number;
  errors: number;
  died: number;
  caller?: SideLatency;
  callee?: SideLatency;
  exemplar?: string;
}

export interface WireGraph {
  traces: number;
  nodes: WireNode[];
  edges: WireEdge[];
}

export const getGraph = ({ fromMs, toMs }: Window, limit: number, options?: CallOptions) =>
  getJson<WireGraph>(
    withQuery('/api/v1/graph', { start: `${Math.floor(fromMs)}000000`, end: `${Math.ceil(toMs)}000000`, limit }),
    { timeoutMs: 60_000, ...options },
  );

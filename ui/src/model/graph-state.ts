// SPDX-License-Identifier: Apache-2.0
/* What the graph page shows, as its address says it: `q` for each query, `as`, `log`, `unit`, `marks`, and the point that was picked. Pure. */
import { UNITS, type Unit } from './units';

export const SHAPES = ['lines', 'areas', 'stacked', 'heatmap', 'table'] as const;
export type Shape = (typeof SHAPES)[number];

export interface GraphState {
  queries: string[];
  shape: Shape;
  log: boolean;
  /** Undefined: as the first query suggests. */
  unit: Unit | undefined;
  marks: boolean;
  /** The series' name and the moment, in seconds since 1970, whose traces are looked at. */
  picked: { series: string; at: number } | undefined;
}

export const QUERIES_MOST = 8;

export function graphFrom(query: URLSearchParams): GraphState {
  const at = Number(query.get('at') ?? '');
  return {
    queries: query.getAll('q').slice(0, QUERIES_MOST),
    shape: SHAPES.find((shape) => shape === query.get('as')) ?? 'lines',
    log: query.get('log') === 'on',
    unit: UNITS.find((unit) => unit === query.get('unit')),
    marks: query.get('marks') !== 'off',
    picked: at > 0 ? { series: query.get('of') ?? '', at } : undefined,
  };
}

export function graphParams(state: Partial<GraphState>): Record<string, string | string[] | undefined> {
  const params: Record<string, string | string[] | undefined> = {};
  if (state.queries) params['q'] = state.queries;
  if (state.shape) params['as'] = state.shape === 'lines' ? undefined : state.shape;
  if (state.log !== undefined) params['log'] = state.log ? 'on' : undefined;
  if ('unit' in state) params['unit'] = state.unit;
  if (state.marks !== undefined) params['marks'] = state.marks ? undefined : 'off';
  if ('picked' in state) {
    params['at'] = state.picked ? String(state.picked.at) : undefined;
    params['of'] = state.picked?.series;
  }
  return params;
}

/** The address of a graph of these queries, for links from other pages. */
export function graphHref(state: Partial<GraphState>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(graphParams(state))) {
    for (const each of typeof value === 'string' ? [value] : (value ?? [])) query.append(key, each);
  }
  return `/graph?${query.toString()}`;
}

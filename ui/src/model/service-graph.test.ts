// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { WireGraph } from '../api/graph';
import { layoutOf } from './graph-layout';
import { pathOf } from './graph-path';
import { busiest, graphOf, neighbourhood, scopeOf, SHOWN_AT_ONCE } from './service-graph';

const latency = (p50_ns: number) => ({ count: 1, p50_ns, p90_ns: 1, p99_ns: 1, max_ns: 1 });
const WIRE: WireGraph = {
  traces: 9,
  nodes: [{ kind: 'rest' }, { kind: 'user', name: '' }, { kind: 'service', name: 'web' }, { kind: 'service', name: 'cell' }, { kind: 'database', name: 'redis' }, { kind: 'service', name: 'redis' }, { kind: 'database', name: 'mysql' }],
  edges: [
    { from: 1, to: 2, calls: 10, errors: 0, died: 0, callee: latency(5) },
    { from: 2, to: 3, calls: 8, errors: 1, died: 1, caller: latency(3), callee: latency(2) },
    { from: 3, to: 4, calls: 3, errors: 0, died: 0, caller: latency(7) },
    { from: 3, to: 5, calls: 1, errors: 1, died: 0, caller: latency(9) },
    { from: 3, to: 6, calls: 1, errors: 0, died: 0 },
    { rest: true, calls: 4, errors: 0, died: 0 },
  ],
};

describe('the graph of services', () => {
  const graph = graphOf(WIRE);
  it('leaves out what nobody calls, and names the outside', () => {
    expect(graph.nodes.map(({ name }) => name)).toEqual(['outside', 'web', 'cell', 'redis', 'mysql']);
  });
  it('has a cache that was observed once, with both of its edges as one', () => {
    const redis = graph.edges.find(({ to }) => to === 'service redis')!;
    expect([redis.calls, redis.errors, redis.latency?.p50_ns]).toEqual([4, 0.25, 7]);
  });
  it('counts what died as failed, and takes the caller’s latency', () => {
    expect(graph.edges[1]).toMatchObject({ errors: 0.25, latency: { p50_ns: 3 } });
  });
  it('has a neighbourhood of one hop around a service', () => {
    expect(neighbourhood(graph, 'cell').nodes.map(({ name }) => name)).toEqual(['web', 'cell', 'redis', 'mysql']);
    expect(neighbourhood(graph, 'nobody')).toEqual({ nodes: [], edges: [] });
  });
  it('reaches two calls far, and no further', () => {
    expect(neighbourhood(graph, 'outside', 2).nodes.map(({ name }) => name)).toEqual(['outside', 'web', 'cell']);
    expect(neighbourhood(graph, 'mysql').nodes.map(({ name }) => name)).toEqual(['cell', 'mysql']);
  });
  it('is shown whole where it is small, else around the busiest or what is asked for', () => {
    expect(scopeOf(graph, { focal: '', reach: undefined })).toMatchObject({ focal: '', reach: 'all', shown: graph });
    expect(scopeOf(graph, { focal: 'mysql', reach: undefined })).toMatchObject({ focal: 'mysql', reach: 1 });
    const nodes = Array.from({ length: SHOWN_AT_ONCE + 5 }, (_, i) => ({ id: `service s${i}`, kind: 'service' as const, name: `s${i}` }));
    const edges = nodes.slice(1).map(({ id }, i) => ({ id, from: i < 9 ? 'service s0' : `service s${i}`, to: id, message: false, calls: 1, errors: 0, latency: undefined, exemplar: undefined }));
    const large = { nodes, edges };
    expect(busiest(large)).toBe('s0');
    const scope = scopeOf(large, { focal: 'gone', reach: undefined });
    expect([scope.focal, scope.reach, scope.shown.nodes.length]).toEqual(['s0', 1, 10]);
    expect(scopeOf(large, { focal: 's7', reach: 'all' })).toMatchObject({ focal: 's7', shown: large });
  });
});

describe('a layout', () => {
  it('goes from left to right, within its bounds', () => {
    const graph = graphOf(WIRE);
    const { nodes, width, height } = layoutOf({ ...graph, labelled: true });
    expect(nodes['service web']!.x).toBeLessThan(nodes['service cell']!.x);
    for (const { x, y } of Object.values(nodes)) expect(x > 0 && x < width && y > 0 && y < height).toBe(true);
  });
  it('takes 300 nodes', () => {
    const nodes = Array.from({ length: 300 }, (_, i) => ({ id: `n${i}`, name: `service-${i}` }));
    const edges = nodes.slice(1).map(({ id }, i) => ({ id: `e${i}`, from: `n${Math.floor(i / 3)}`, to: id }));
    expect(Object.keys(layoutOf({ nodes, edges, labelled: false }).nodes)).toHaveLength(300);
  });
  it('takes nothing, too', () => expect(layoutOf({ nodes: [], edges: [], labelled: true }).nodes).toEqual({}));
  it('draws one line through its points', () => {
    expect(pathOf([{ x: 0, y: 0 }, { x: 10, y: 10 }, { x: 20, y: 0 }])).toBe('M0 0Q10 10 15 5L20 0');
  });
});

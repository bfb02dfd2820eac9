// SPDX-License-Identifier: Apache-2.0
/* The graph of services as pages show it: all of it, or what is around one service. Pure. */
import type { SideLatency, WireGraph, WireNode } from '../api/graph';

export interface GraphNode {
  id: string;
  kind: WireNode['kind'];
  name: string;
}

export interface GraphEdge {
  id: string;
  from: string;
  to: string;
  message: boolean;
  calls: number;
  /** Failed and died, 0 to 1. */
  errors: number;
  /** As the caller saw it; as the callee did where nobody recorded the call. */
  latency: SideLatency | undefined;
  exemplar: string | undefined;
}

export interface ServiceGraph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

const NAMES: Partial<Record<WireNode['kind'], string>> = { user: 'outside', rest: 'others' };

/* A cache that a tap saw is both a database and a service: one place in the picture. */
const idOf = ({ kind, name = '' }: WireNode, recorded: ReadonlySet<string>) =>
  kind === 'service' || recorded.has(name) ? `service ${name}` : `${kind} ${name}`;

/** Nodes without a call are left out; edges between the same two are one. */
export function graphOf(wire: WireGraph): ServiceGraph {
  const recorded = new Set(wire.nodes.flatMap(({ kind, name }) => (kind === 'service' && name ? [name] : [])));
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  for (const edge of wire.edges) {
    const [from, to] = [wire.nodes[edge.from ?? -1], wire.nodes[edge.to ?? -1]];
    if (!from || !to) continue;
    const [fromId, toId] = [from, to].map((node) => {
      const id = idOf(node, recorded);
      nodes.set(id, { id, kind: id.startsWith('service ') ? 'service' : node.kind, name: node.name || (NAMES[node.kind] ?? node.kind) });
      return id;
    }) as [string, string];
    const id = JSON.stringify([fromId, toId]);
    const known = edges.get(id);
    const failed = edge.errors + edge.died + (known ? known.errors * known.calls : 0);
    const calls = edge.calls + (known?.calls ?? 0);
    const busier = known && known.calls >= edge.calls ? known : undefined;
    edges.set(id, {
      id, from: fromId, to: toId, calls,
      message: edge.type === 'message' && (known?.message ?? true),
      errors: calls > 0 ? failed / calls : 0,
      latency: busier?.latency ?? edge.caller ?? edge.callee ?? known?.latency,
      exemplar: busier?.exemplar ?? edge.exemplar,
    });
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** How much of the graph is shown: so many calls away from its middle, or all of it. */
export type Reach = 1 | 2 | 'all';

/** Beyond it the graph is shown around one node, unless all is asked for. */
export const SHOWN_AT_ONCE = 40;

/** The node of that name; the service where there are several. */
export const nodeNamed = ({ nodes }: ServiceGraph, name: string) =>
  nodes.find((node) => node.kind === 'service' && node.name === name) ?? nodes.find((node) => node.name === name);

/** The service with most calls from and to it; '' where there is none. */
export function busiest({ nodes, edges }: ServiceGraph): string {
  const calls = new Map<string, number>();
  for (const edge of edges) for (const id of [edge.from, edge.to]) calls.set(id, (calls.get(id) ?? 0) + edge.calls);
  const services = nodes.filter(({ kind }) => kind === 'service');
  return services.reduce<GraphNode | undefined>((best, node) => (best && (calls.get(best.id) ?? 0) >= (calls.get(node.id) ?? 0) ? best : node), undefined)?.name ?? '';
}

/** What is `reach` calls away from `name` at most, in either direction, with the calls among these. */
export function neighbourhood({ nodes, edges }: ServiceGraph, name: string, reach: 1 | 2 = 1): ServiceGraph {
  const focal = nodeNamed({ nodes, edges }, name);
  if (!focal) return { nodes: [], edges: [] };
  const near = new Set([focal.id]);
  for (let step = 0; step < reach; step++) {
    for (const { from, to } of edges.filter((edge) => near.has(edge.from) !== near.has(edge.to))) near.add(from).add(to);
  }
  return {
    nodes: nodes.filter(({ id }) => near.has(id)),
    edges: edges.filter(({ from, to }) => near.has(from) && near.has(to)),
  };
}

export interface Scope {
  shown: ServiceGraph;
  focal: string;
  reach: Reach;
}

/** What of the graph is shown; where nothing is asked for, all of a small one, or what is around the busiest. */
export function scopeOf(graph: ServiceGraph, asked: { focal: string; reach: Reach | undefined }): Scope {
  const small = graph.nodes.length <= SHOWN_AT_ONCE;
  const known = asked.focal !== '' && nodeNamed(graph, asked.focal) !== undefined;
  const reach = asked.reach ?? (small && !known ? 'all' : 1);
  const focal = known ? asked.focal : reach === 'all' ? '' : busiest(graph);
  return { focal, reach, shown: reach === 'all' ? graph : neighbourhood(graph, focal, reach) };
}

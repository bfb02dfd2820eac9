// SPDX-License-Identifier: Apache-2.0
/* Where the nodes of a graph stand and how its edges run, from left to right. Pure; a worker calls it. */
import dagre from '@dagrejs/dagre';

export const NODE_HEIGHT = 40;
const LEAST_WIDTH = 88;
const MOST_WIDTH = 236;
const LETTER = 8.2;
const LABEL = { width: 116, height: 30 };

export interface LayoutRequest {
  nodes: { id: string; name: string }[];
  edges: { id: string; from: string; to: string }[];
  /** Whether edges have room for words. */
  labelled: boolean;
}

export interface Placed {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Way {
  points: { x: number; y: number }[];
  label: { x: number; y: number };
}

export interface Layout {
  width: number;
  height: number;
  nodes: Record<string, Placed>;
  edges: Record<string, Way>;
}

export const nodeWidth = (name: string) => Math.min(Math.max(name.length * LETTER + 38, LEAST_WIDTH), MOST_WIDTH);

export function layoutOf({ nodes, edges, labelled }: LayoutRequest): Layout {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: labelled ? 26 : 14, ranksep: labelled ? 40 : 70, marginx: 12, marginy: 12 });
  for (const { id, name } of nodes) graph.setNode(id, { width: nodeWidth(name), height: NODE_HEIGHT });
  for (const { id, from, to } of edges) {
    graph.setEdge(from, to, labelled ? { ...LABEL, labelpos: 'c' } : {}, id);
  }
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const placed = (id: string): Placed => {
    const { x, y, width: wide, height: high } = graph.node(id);
    return { x, y, width: wide, height: high };
  };
  const way = ({ id, from, to }: LayoutRequest['edges'][number]): Way => {
    const edge = graph.edge({ v: from, w: to, name: id }) as { points: Way['points']; x?: number; y?: number };
    const middle = edge.points[Math.floor(edge.points.length / 2)] ?? { x: 0, y: 0 };
    return { points: edge.points.map(({ x, y }) => ({ x, y })), label: { x: edge.x ?? middle.x, y: edge.y ?? middle.y } };
  };
  return {
    width: Math.ceil(Number.isFinite(width) ? width : 0),
    height: Math.ceil(Number.isFinite(height) ? height : 0),
    nodes: Object.fromEntries(nodes.map(({ id }) => [id, placed(id)])),
    edges: Object.fromEntries(edges.map((edge) => [edge.id, way(edge)])),
  };
}

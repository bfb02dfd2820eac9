// SPDX-License-Identifier: Apache-2.0
/* What a graph of services is drawn of, in SVG: nodes and edges, which are links with names, and edges' figures. */
import { formatDuration, formatPercent, formatShort } from '../../model/format';
import type { Layout } from '../../model/graph-layout';
import { pathOf } from '../../model/graph-path';
import { serviceColour } from '../../model/service-colour';
import type { GraphEdge, GraphNode } from '../../model/service-graph';
import { inRange } from '../../routes/location';
import { pageHref, traceHref } from '../../routes/routes';

const LETTERS = 24;
const LABEL_LETTER = 6.3;

export const KINDS: Record<GraphNode['kind'], string> = {
  service: 'service', database: 'database', messaging: 'queue', external: 'external', user: 'callers', rest: 'not told',
};

export const cut = (name: string) => (name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name);

const callsText = ({ calls }: GraphEdge) => `${formatShort(calls)} ${calls === 1 ? 'call' : 'calls'}`;

function edgeText({ latency, errors }: GraphEdge): string {
  const took = latency ? formatDuration(latency.p50_ns) : '';
  return [took, errors > 0 ? `${formatPercent(errors)} fail` : ''].filter(Boolean).join(', ');
}

const told = (edge: GraphEdge) => [callsText(edge), edgeText(edge)].filter(Boolean).join(', ');

export function Node({ node, at, focal, first }: { node: GraphNode; at: Layout['nodes'][string]; focal: boolean; first: boolean }) {
  const { x, y, width, height } = at;
  const reach = { 'data-node': node.id, tabIndex: first ? 0 : -1 };
  const drawn = (
    <g class={`node ${node.kind} s${serviceColour(node.name)}${focal ? ' focal' : ''}`}>
      <title>{`${node.name}: ${KINDS[node.kind]}`}</title>
      <rect x={x - width / 2} y={y - height / 2} width={width} height={height} rx={node.kind === 'service' ? 5 : 20} />
      <rect class="swatch" x={x - width / 2 + 10} y={y - 11} width="8" height="8" rx="2" />
      <text x={x - width / 2 + 24} y={y - 3}>{cut(node.name)}</text>
      <text class="kind" x={x - width / 2 + 24} y={y + 12}>{KINDS[node.kind]}</text>
    </g>
  );
  if (node.kind !== 'service') {
    return <g {...reach} role="img" aria-label={`${node.name}, ${KINDS[node.kind]}`}>{drawn}</g>;
  }
  return (
    <a {...reach} href={inRange(pageHref('services', node.name))} aria-label={focal ? `${node.name}, in the middle` : node.name} draggable={false}>
      {drawn}
    </a>
  );
}

const classOf = (edge: GraphEdge) => `edge${edge.errors > 0 ? ' failing' : ''}${edge.message ? ' message' : ''}`;

export function Edge({ edge, way, most, name }: { edge: GraphEdge; way: Layout['edges'][string]; most: number; name: string }) {
  const width = 1 + 3 * (Math.log1p(edge.calls) / Math.log1p(most));
  const path = pathOf(way.points);
  const reach = { 'data-edge': edge.id, tabIndex: -1 };
  const drawn = (
    <g class={classOf(edge)}>
      <title>{`${name}: ${told(edge)}`}</title>
      <path class="hit" d={path} />
      <path d={path} stroke-width={width.toFixed(1)} marker-end={`url(#${edge.errors > 0 ? 'arrow-failing' : 'arrow'})`} />
    </g>
  );
  if (!edge.exemplar) return <g {...reach} role="img" aria-label={`${name}: ${told(edge)}`}>{drawn}</g>;
  return (
    <a {...reach} href={inRange(traceHref(edge.exemplar))} aria-label={`${name}: ${told(edge)}. Opens a trace of it`} draggable={false}>
      {drawn}
    </a>
  );
}

/** Above all edges, on ground of its own. */
export function EdgeLabel({ edge, way: { label: { x, y } } }: { edge: GraphEdge; way: Layout['edges'][string] }) {
  const width = Math.max(callsText(edge).length, edgeText(edge).length) * LABEL_LETTER + 8;
  return (
    <g class={`label ${classOf(edge)}`}>
      <rect x={x - width / 2} y={y - 14} width={width} height="29" rx="3" />
      <text x={x} y={y - 3}>{callsText(edge)}</text>
      <text class="figures" x={x} y={y + 11}>{edgeText(edge)}</text>
    </g>
  );
}

/** An edge of what is pointed at, once more and strong. */
export const NearEdge = ({ edge, way }: { edge: GraphEdge; way: Layout['edges'][string] }) => (
  <g class={`near ${classOf(edge)}`}>
    <path d={pathOf(way.points)} marker-end={`url(#${edge.errors > 0 ? 'arrow-failing' : 'arrow'})`} />
  </g>
);

export const Arrow = ({ id }: { id: string }) => (
  <marker id={id} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
    <path d="M0 0L8 4L0 8z" />
  </marker>
);

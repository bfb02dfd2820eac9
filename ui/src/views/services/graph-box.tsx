// SPDX-License-Identifier: Apache-2.0
/*
 * The graph of services as SVG: nodes are links, edges are as thick as they are busy and say their calls,
 * latency and errors, where there is room for words. What it shows is in the table of calls, too.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { layOut } from '../../api/layout';
import { BoxMessage } from '../../components/panel';
import { formatDuration, formatPercent, formatShort } from '../../model/format';
import type { Layout, LayoutRequest } from '../../model/graph-layout';
import { pathOf } from '../../model/graph-path';
import { serviceColour } from '../../model/service-colour';
import type { GraphEdge, GraphNode, ServiceGraph } from '../../model/service-graph';
import { inRange } from '../../routes/location';
import { pageHref } from '../../routes/routes';

const HEIGHT = 300;
const MOST_LABELLED = 40;
const LETTERS = 24;
const LABEL_LETTER = 6.3;

const KINDS: Record<GraphNode['kind'], string> = {
  service: 'service', database: 'database', messaging: 'queue', external: 'external', user: 'callers', rest: 'not told',
};

const cut = (name: string) => (name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name);

const callsText = ({ calls }: GraphEdge) => `${formatShort(calls)} ${calls === 1 ? 'call' : 'calls'}`;

function edgeText({ latency, errors }: GraphEdge): string {
  const took = latency ? formatDuration(latency.p50_ns) : '';
  return [took, errors > 0 ? `${formatPercent(errors)} fail` : ''].filter(Boolean).join(', ');
}

function Node({ node, at, focal }: { node: GraphNode; at: Layout['nodes'][string]; focal: boolean }) {
  const { x, y, width, height } = at;
  const drawn = (
    <g class={`node ${node.kind} s${serviceColour(node.name)}${focal ? ' focal' : ''}`}>
      <title>{`${node.name}: ${KINDS[node.kind]}`}</title>
      <rect x={x - width / 2} y={y - height / 2} width={width} height={height} rx={node.kind === 'service' ? 5 : 20} />
      <rect class="swatch" x={x - width / 2 + 10} y={y - 11} width="8" height="8" rx="2" />
      <text x={x - width / 2 + 24} y={y - 3}>{cut(node.name)}</text>
      <text class="kind" x={x - width / 2 + 24} y={y + 12}>{KINDS[node.kind]}</text>
    </g>
  );
  if (node.kind !== 'service' || focal) return drawn;
  return (
    <a href={inRange(pageHref('services', node.name))} aria-label={node.name}>
      {drawn}
    </a>
  );
}

const classOf = (edge: GraphEdge) => `edge${edge.errors > 0 ? ' failing' : ''}${edge.message ? ' message' : ''}`;

function Edge({ edge, way, most, name }: { edge: GraphEdge; way: Layout['edges'][string]; most: number; name: string }) {
  const width = 1 + 3 * (Math.log1p(edge.calls) / Math.log1p(most));
  return (
    <g class={classOf(edge)}>
      <title>{`${name}: ${callsText(edge)}, ${edgeText(edge)}`}</title>
      <path d={pathOf(way.points)} stroke-width={width.toFixed(1)} marker-end={`url(#${edge.errors > 0 ? 'arrow-failing' : 'arrow'})`} />
    </g>
  );
}

/* Above all edges, on ground of their own. */
function EdgeLabel({ edge, way: { label: { x, y } } }: { edge: GraphEdge; way: Layout['edges'][string] }) {
  const width = Math.max(callsText(edge).length, edgeText(edge).length) * LABEL_LETTER + 8;
  return (
    <g class={classOf(edge)}>
      <rect x={x - width / 2} y={y - 14} width={width} height="29" rx="3" />
      <text x={x} y={y - 3}>{callsText(edge)}</text>
      <text class="figures" x={x} y={y + 11}>{edgeText(edge)}</text>
    </g>
  );
}

const Arrow = ({ id }: { id: string }) => (
  <marker id={id} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
    <path d="M0 0L8 4L0 8z" />
  </marker>
);

/* Asked for again only when what is to be laid out changes: figures alone move nothing. */
function useLayout(graph: ServiceGraph, labelled: boolean) {
  const layout = useSignal<Layout | undefined>(undefined);
  const request: LayoutRequest = {
    nodes: graph.nodes.map(({ id, name }) => ({ id, name: cut(name) })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    edges: graph.edges.map(({ id, from, to }) => ({ id, from, to })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    labelled,
  };
  const key = JSON.stringify(request);
  useEffect(() => {
    let wanted = true;
    void layOut(request).then((made) => {
      if (wanted) layout.value = made;
    });
    return () => {
      wanted = false;
    };
  }, [key]);
  return layout.value;
}

export function GraphBox({ graph, focal = '', label }: { graph: ServiceGraph; focal?: string; label: string }) {
  const labelled = graph.edges.length <= MOST_LABELLED;
  const layout = useLayout(graph, labelled);
  if (graph.nodes.length === 0) return <BoxMessage height={HEIGHT}>No trace of this time has a call in it.</BoxMessage>;
  if (!layout) return <div class="skeleton" style={{ height: `${HEIGHT}px` }} aria-busy="true" />;
  const names = new Map(graph.nodes.map(({ id, name }) => [id, name]));
  const most = Math.max(...graph.edges.map(({ calls }) => calls), 1);
  return (
    <div class="graph-scroll" tabIndex={0} role="region" aria-label={label} style={{ minHeight: `${HEIGHT}px` }}>
      <svg class="service-graph" width={layout.width} height={layout.height} viewBox={`0 0 ${layout.width} ${layout.height}`}>
        <defs>
          <Arrow id="arrow" />
          <Arrow id="arrow-failing" />
        </defs>
        {graph.edges.map((edge) => {
          const way = layout.edges[edge.id];
          return way && <Edge key={edge.id} edge={edge} way={way} most={most} name={`${names.get(edge.from) ?? ''} to ${names.get(edge.to) ?? ''}`} />;
        })}
        {labelled && graph.edges.map((edge) => {
          const way = layout.edges[edge.id];
          return way && <EdgeLabel key={edge.id} edge={edge} way={way} />;
        })}
        {graph.nodes.map((node) => {
          const at = layout.nodes[node.id];
          return at && <Node key={node.id} node={node} at={at} focal={node.kind === 'service' && node.name === focal} />;
        })}
      </svg>
    </div>
  );
}

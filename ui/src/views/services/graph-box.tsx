// SPDX-License-Identifier: Apache-2.0
/*
 * The graph of services as SVG: nodes are links, edges are as thick as they are busy and say their calls,
 * latency and errors where there is room for words, else when they are pointed at. What it shows is in the
 * table of calls, too.
 */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { asApiError } from '../../api/error';
import { layOut } from '../../api/layout';
import { Icon } from '../../components/icon';
import { BoxMessage } from '../../components/panel';
import type { Layout, LayoutRequest } from '../../model/graph-layout';
import { nodeNamed, type ServiceGraph } from '../../model/service-graph';
import { useHands } from './graph-hands';
import { Arrow, cut, Edge, EdgeLabel, NearEdge, Node } from './graph-parts';

const HEIGHT = 300;
const MOST_HEIGHT = 560;
const MOST_LABELLED = 40;
const STEP = 1.4;

/* Asked for again only when what is to be laid out changes: figures alone move nothing. */
function useLayout(graph: ServiceGraph, labelled: boolean): { layout: Layout | undefined; current: boolean; error: string } {
  const made = useSignal<{ key: string; layout: Layout } | undefined>(undefined);
  const failed = useSignal({ key: '', error: '' });
  const request: LayoutRequest = {
    nodes: graph.nodes.map(({ id, name }) => ({ id, name: cut(name) })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    edges: graph.edges.map(({ id, from, to }) => ({ id, from, to })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    labelled,
  };
  const key = JSON.stringify(request);
  useEffect(() => {
    const control = new AbortController();
    layOut(request, control.signal).then(
      (layout) => {
        if (!control.signal.aborted) made.value = { key, layout };
      },
      (error) => {
        if (!control.signal.aborted) failed.value = { key, error: asApiError(error).message };
      },
    );
    return () => control.abort();
  }, [key]);
  return { layout: made.value?.layout, current: made.value?.key === key, error: failed.value.key === key ? failed.value.error : '' };
}

/** The edges of what is pointed at or has the focus, strong and with their figures. */
function Near({ graph, layout, pointed }: { graph: ServiceGraph; layout: Layout; pointed: Signal<string> }) {
  const id = pointed.value;
  const near = id === '' ? [] : graph.edges.filter((edge) => edge.id === id || edge.from === id || edge.to === id);
  return (
    <g class="nears">
      {near.map((edge) => layout.edges[edge.id] && <NearEdge key={edge.id} edge={edge} way={layout.edges[edge.id]!} />)}
      {near.map((edge) => layout.edges[edge.id] && <EdgeLabel key={edge.id} edge={edge} way={layout.edges[edge.id]!} />)}
    </g>
  );
}

const idOf = (target: EventTarget | null) => {
  const found = target instanceof Element ? target.closest('[data-node], [data-edge]') : null;
  return found?.getAttribute('data-node') ?? found?.getAttribute('data-edge') ?? '';
};

interface Props {
  graph: ServiceGraph;
  /** The node that is in the middle, by its name. */
  focal?: string;
  /** Whether all is shown at once, however small. */
  whole?: boolean;
  label: string;
}

export function GraphBox({ graph, focal = '', whole = false, label }: Props) {
  const labelled = graph.edges.length <= MOST_LABELLED;
  const { layout, current, error } = useLayout(graph, labelled);
  if (graph.nodes.length === 0) return <BoxMessage height={HEIGHT}>No trace of this time has a call in it.</BoxMessage>;
  if (error !== '') return <BoxMessage height={HEIGHT} failed>{error}</BoxMessage>;
  if (!layout) return <div class="skeleton" style={{ height: `${HEIGHT}px` }} aria-busy="true" />;
  return <LaidOut graph={graph} layout={layout} focal={focal} whole={whole} label={label} labelled={labelled} current={current} />;
}

function LaidOut({ graph, layout, focal, whole, label, labelled, current }: Required<Props> & { layout: Layout; labelled: boolean; current: boolean }) {
  const pointed = useSignal('');
  const focalId = (focal !== '' && nodeNamed(graph, focal)?.id) || '';
  const { frame, moved, onKeyDown, zoom, fit } = useHands({ layout, focal: focalId, whole, scope: current ? `${focal} ${whole}` : undefined, edges: graph.edges });
  const drawn = useMemo(() => {
    const names = new Map(graph.nodes.map(({ id, name }) => [id, name]));
    const most = Math.max(...graph.edges.map(({ calls }) => calls), 1);
    const first = focalId || Object.entries(layout.nodes).sort(([, a], [, b]) => a.x - b.x || a.y - b.y)[0]?.[0];
    return (
      <>
        {graph.edges.map((edge) => {
          const way = layout.edges[edge.id];
          return way && <Edge key={edge.id} edge={edge} way={way} most={most} name={`${names.get(edge.from) ?? ''} to ${names.get(edge.to) ?? ''}`} />;
        })}
        {labelled && graph.edges.map((edge) => layout.edges[edge.id] && <EdgeLabel key={edge.id} edge={edge} way={layout.edges[edge.id]!} />)}
        {graph.nodes.map((node) => {
          const at = layout.nodes[node.id];
          return at && <Node key={node.id} node={node} at={at} focal={node.id === focalId} first={node.id === first} />;
        })}
      </>
    );
  }, [graph, layout, focalId, labelled]);
  return (
    <>
      <div
        class="graph-frame"
        ref={frame}
        role="region"
        aria-label={label}
        style={{ height: `${Math.min(Math.max(layout.height, HEIGHT), MOST_HEIGHT)}px` }}
        onKeyDown={onKeyDown}
        onPointerOver={(event) => (pointed.value = idOf(event.target))}
        onPointerLeave={() => (pointed.value = '')}
        onFocusIn={(event) => (pointed.value = idOf(event.target))}
        onFocusOut={() => (pointed.value = '')}
      >
        <svg class="service-graph">
          <defs>
            <Arrow id="arrow" />
            <Arrow id="arrow-failing" />
          </defs>
          <g ref={moved}>
            {drawn}
            <Near graph={graph} layout={layout} pointed={pointed} />
          </g>
        </svg>
        <div class="graph-zoom" role="group" aria-label="Zoom">
          <button type="button" class="button square" aria-label="Zoom in" title="Zoom in (+)" onClick={() => zoom(STEP)}>
            <Icon name="plus" />
          </button>
          <button type="button" class="button square" aria-label="Zoom out" title="Zoom out (−)" onClick={() => zoom(1 / STEP)}>
            <Icon name="minus" />
          </button>
          <button type="button" class="button" title="All of it (0)" onClick={() => fit()}>
            All
          </button>
        </div>
      </div>
      <p class="graph-keys muted">
        <kbd>↑ ↓ ← →</kbd> among nodes <kbd>[ ]</kbd> along calls <kbd>Enter</kbd> opens <kbd>+ − 0</kbd> zoom; drag, or <kbd>Ctrl</kbd> and the wheel
      </p>
    </>
  );
}

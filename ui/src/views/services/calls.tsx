// SPDX-License-Identifier: Apache-2.0
/* The calls of a graph in a table: from whom to whom, how many, how they went. */
import { DataTable, sortingFrom, sortRows, type Column } from '../../components/panel';
import { ServiceName } from '../../components/parts';
import { formatCount, formatDuration, formatPercent, plural } from '../../model/format';
import type { GraphEdge, ServiceGraph } from '../../model/service-graph';
import { hrefWith, inRange, navigate } from '../../routes/location';
import { pageHref, traceHref } from '../../routes/routes';

const MOST = 100;

function columns({ nodes }: ServiceGraph): Column<GraphEdge>[] {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const name = (id: string) => known.get(id)?.name ?? '';
  const link = (id: string) =>
    known.get(id)?.kind === 'service' ? <a href={inRange(pageHref('services', name(id)))}><ServiceName name={name(id)} /></a> : <ServiceName name={name(id)} />;
  return [
    { id: 'from', title: 'From', cell: ({ from }) => link(from), sortBy: ({ from }) => name(from) },
    { id: 'to', title: 'To', cell: ({ to }) => link(to), sortBy: ({ to }) => name(to) },
    { id: 'kind', title: 'As', cell: ({ message }) => (message ? 'message' : 'call') },
    { id: 'calls', title: 'Calls', number: true, cell: ({ calls }) => formatCount(calls), sortBy: ({ calls }) => calls },
    { id: 'errors', title: 'Errors', number: true, cell: ({ errors }) => <span class={errors > 0 ? 'failing' : 'muted'}>{formatPercent(errors)}</span>, sortBy: ({ errors }) => errors },
    { id: 'p50', title: 'p50', number: true, cell: ({ latency }) => formatDuration(latency?.p50_ns ?? NaN), sortBy: ({ latency }) => latency?.p50_ns ?? 0 },
    { id: 'p99', title: 'p99', number: true, cell: ({ latency }) => formatDuration(latency?.p99_ns ?? NaN), sortBy: ({ latency }) => latency?.p99_ns ?? 0 },
    { id: 'trace', title: 'For example', cell: ({ exemplar }) => (exemplar ? <a href={inRange(traceHref(exemplar))}>a trace</a> : '') },
  ];
}

export function Calls({ graph, sort, hold }: { graph: ServiceGraph; sort: string | null; hold: string }) {
  const sorting = sortingFrom(sort, 'calls');
  const all = columns(graph);
  const left = graph.edges.length - MOST;
  return (
    <>
      <DataTable
        label="Calls" rows={left > 0 ? sortRows(graph.edges, all, sorting).slice(0, MOST) : graph.edges} columns={all} keyOf={({ id }) => id} hold={hold}
        sorting={sorting} onSort={(by) => navigate(hrefWith({ sort: by }), { replace: true })}
      />
      {left > 0 && <p class="muted graph-keys">and {plural(left, 'more pair')}: show less of the graph, or sort by what matters</p>}
    </>
  );
}

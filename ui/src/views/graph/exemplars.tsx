// SPDX-License-Identifier: Apache-2.0
/* Traces behind a point of a graph: the exemplars of its series around that moment. */
import { useEffect, useRef } from 'preact/hooks';
import { queryExemplars, type Labels } from '../../api/prom';
import { usePoll } from '../../api/use-poll';
import { Box, BoxMessage, DataTable, type Column } from '../../components/panel';
import { parseValue, seriesName } from '../../model/chart-data';
import { formatClock } from '../../model/format';
import { momentText } from '../../model/time-range';
import { formatValue, unitOf, type Unit } from '../../model/units';
import { hrefWith, inRange, navigate, utc } from '../../routes/location';
import { traceHref } from '../../routes/routes';
import { graphParams } from '../../model/graph-state';

const MOST = 20;
const NEVER_MS = 2 ** 31 - 1;

interface Row {
  traceId: string;
  spanId: string;
  value: number;
  atMs: number;
  from: string;
}

/** Whether the exemplar's series went into one with these labels: where both have a label, it is the same. */
const belongs = (exemplar: Labels, series: Labels) =>
  Object.entries(series).every(([name, value]) => name === '__name__' || name === 'le' || (exemplar[name] ?? value) === value);

const columns = (unit: Unit): Column<Row>[] => [
  { id: 'trace', title: 'Trace', cell: (row) => <a class="mono" href={inRange(traceHref(row.traceId, row.spanId))}>{row.traceId}</a> },
  { id: 'value', title: 'Value', number: true, cell: (row) => formatValue(row.value, unit) },
  { id: 'at', title: 'When', number: true, cell: (row) => formatClock(row.atMs, utc.value) },
  { id: 'from', title: 'Series', grows: true, cell: (row) => <span title={row.from}>{row.from}</span> },
];

interface Props {
  query: string;
  labels: Labels;
  name: string;
  at: number;
  stepSeconds: number;
}

export function Exemplars({ query, labels, name, at, stepSeconds }: Props) {
  const poll = usePoll<Row[]>(
    JSON.stringify([query, labels, at, stepSeconds]),
    async (options) => {
      const around = Math.max(stepSeconds, 30);
      const found = await queryExemplars(query, { fromMs: (at - 2 * around) * 1000, toMs: (at + around) * 1000, stepSeconds: 1 }, options);
      return found
        .filter(({ seriesLabels }) => belongs(seriesLabels, labels))
        .flatMap(({ seriesLabels, exemplars }) =>
          exemplars.flatMap((exemplar): Row[] => {
            const traceId = exemplar.labels['trace_id'];
            if (!traceId) return [];
            const { __name__: _, host: __, ...told } = seriesLabels;
            return [{ traceId, spanId: exemplar.labels['span_id'] ?? '', value: parseValue(exemplar.value), atMs: exemplar.timestamp * 1000, from: seriesName(told) }];
          }),
        )
        .sort((a, b) => b.value - a.value)
        .slice(0, MOST);
    },
    NEVER_MS,
  );
  const rows = poll.data.value;
  /* Who picked a point by keys goes on among its traces. */
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const chart = document.activeElement;
    if (rows && rows.length > 0 && chart?.matches('.chart-plot:focus-visible, .heat-plot canvas:focus-visible')) list.current?.querySelector('a')?.focus();
  }, [rows]);
  const close = () => navigate(hrefWith(graphParams({ picked: undefined })), { replace: true });
  return (
    <Box
      title="Traces behind this point"
      note={`${momentText(at * 1000, utc.value)}, ${name}`}
      aside={
        <button type="button" class="button quiet" onClick={close}>
          Close
        </button>
      }
    >
      <div ref={list}>{rows && rows.length > 0 && <DataTable label="Exemplars" rows={rows} columns={columns(unitOf(query))} keyOf={(row) => `${row.traceId} ${row.spanId} ${row.atMs} ${row.from}`} />}</div>
      {rows?.length === 0 && <BoxMessage height={90}>No exemplar was told around this moment. Those of spans are with histograms such as traces_span_metrics_duration_seconds.</BoxMessage>}
      {!rows && poll.error.value && <BoxMessage height={90} failed>{poll.error.value.message}</BoxMessage>}
      {!rows && !poll.error.value && <div class="skeleton graph-exemplars" aria-busy="true" />}
    </Box>
  );
}

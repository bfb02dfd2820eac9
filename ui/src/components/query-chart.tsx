// SPDX-License-Identifier: Apache-2.0
/* A chart of what PromQL answers over the page's time range, renewed while the range moves. */
import { useMemo } from 'preact/hooks';
import { aligned, queryRange, type MatrixSeries, type Span } from '../api/prom';
import { serverNowMs } from '../api/session';
import { usePoll } from '../api/use-poll';
import { distinctColours, seriesName, toColumns } from '../model/chart-data';
import { SERVICE_COLOURS } from '../model/service-colour';
import { stepSeconds, type Window } from '../model/time-range';
import { unitOf, type Unit } from '../model/units';
import { timeRange, windowNow } from '../routes/location';
import { Chart, type ChartKind, type ChartMark, type ChartSeries } from './chart';
import { colourOf } from './chart-options';
import { BoxMessage } from './panel';

export interface Query {
  query: string;
  /** "p99 of {{service_name}}"; the labels themselves where it is left out. */
  legend?: string;
  colour?: number;
}

export interface QueryChartProps {
  label: string;
  queries: readonly Query[];
  kind?: ChartKind;
  unit?: Unit;
  log?: boolean;
  marks?: readonly ChartMark[];
  height?: number;
  legend?: boolean;
  syncKey?: string;
  /** In place of the page's time range. */
  window?: Window;
}

const POINTS = 300;
const SLOWEST_MS = 300_000;
const NEVER_MS = 2 ** 31 - 1;

interface Answer {
  span: Span;
  results: MatrixSeries[][];
}

export function spanNow(points = POINTS, window = windowNow(serverNowMs())): Span {
  return { ...window, stepSeconds: stepSeconds(window, points) };
}

/** How often what lies over the present range is asked for again. */
export function refreshMs(): number {
  if (timeRange.value.kind === 'between') return NEVER_MS;
  return Math.min(Math.max(spanNow().stepSeconds * 1000, 5000), SLOWEST_MS);
}

export function QueryChart(props: QueryChartProps) {
  const { queries, height = 220 } = props;
  const key = JSON.stringify([queries.map(({ query }) => query), props.window ?? timeRange.value]);
  const poll = usePoll<Answer>(
    key,
    async (options) => {
      const span = spanNow(POINTS, props.window);
      return { span, results: await Promise.all(queries.map(({ query }) => queryRange(query, span, options))) };
    },
    refreshMs(),
  );
  const answer = poll.data.value;
  const drawn = useMemo(() => {
    if (!answer) return undefined;
    const { start, end } = aligned(answer.span);
    const columns = answer.results.map((matrix) => toColumns(matrix, start, end, answer.span.stepSeconds));
    const series = columns.flatMap(({ series: found }, i): ChartSeries[] =>
      found.map(({ labels, values }) => ({
        name: seriesName(labels, queries[i]?.legend),
        values,
        ...(queries[i]?.colour === undefined ? {} : { colour: queries[i]!.colour! }),
      })),
    );
    const colours = distinctColours(series.map((one) => colourOf(one)), SERVICE_COLOURS);
    return { times: columns[0]?.times ?? [], series: series.map((one, i) => ({ ...one, colour: colours[i]! })) };
  }, [answer]);

  if (!drawn && poll.error.value) return <BoxMessage height={height} failed>{poll.error.value.message}</BoxMessage>;
  if (!drawn) return <div class="skeleton" style={{ height: `${height}px` }} aria-busy="true" />;
  if (drawn.series.length === 0) return <BoxMessage height={height}>Nothing was told in this time.</BoxMessage>;
  return (
    <Chart
      label={props.label}
      times={drawn.times}
      series={drawn.series}
      kind={props.kind ?? 'lines'}
      unit={props.unit ?? unitOf(queries[0]?.query ?? '')}
      log={props.log ?? false}
      {...(props.marks === undefined ? {} : { marks: props.marks })}
      height={height}
      legend={props.legend ?? true}
      {...(props.syncKey === undefined ? {} : { syncKey: props.syncKey })}
    />
  );
}

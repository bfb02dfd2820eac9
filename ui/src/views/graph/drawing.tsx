// SPDX-License-Identifier: Apache-2.0
/* What the queries answered, in the shape that the reader chose. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { aligned, type Labels } from '../../api/prom';
import { Chart, type ChartKind, type ChartMark, type ChartSeries } from '../../components/chart';
import { Heatmap } from '../../components/heatmap';
import { BoxMessage, DataTable, type Column } from '../../components/panel';
import { distinctColours, seriesName, summarise, toColumns } from '../../model/chart-data';
import { heatOf } from '../../model/heat';
import { plural } from '../../model/format';
import type { GraphState } from '../../model/graph-state';
import { SERVICE_COLOURS, serviceColour } from '../../model/service-colour';
import { formatValue, unitOf, type Unit } from '../../model/units';
import type { Answers } from './answers';

export const HEIGHT = 360;
const DRAWN_MOST = 100;
const LISTED_MOST = 1000;

export interface Series extends ChartSeries {
  labels: Labels;
  /** Which of the queries it answers. */
  query: string;
}

interface Drawn {
  times: number[];
  series: Series[];
  left: number;
}

function drawnOf({ span, answers }: Answers, most: number): Drawn {
  const { start, end } = aligned(span);
  const queries = answers.filter(({ matrix }) => matrix.length > 0).length;
  const all = answers.flatMap(({ query, matrix }, i) =>
    toColumns(matrix.filter(({ values }) => values), start, end, span.stepSeconds).series.map(({ labels, values }) => {
      const name = seriesName(labels);
      return { query, labels, values, name: name === 'value' ? query : queries > 1 ? `${i + 1}: ${name}` : name };
    }),
  );
  const kept = all.slice(0, most);
  const colours = distinctColours(kept.map(({ name }) => serviceColour(name.replace(/^\d+: /, ''))), SERVICE_COLOURS);
  const { times } = toColumns([], start, end, span.stepSeconds);
  return { times, series: kept.map((each, i) => ({ ...each, colour: colours[i]! })), left: all.length - kept.length };
}

const columnsOf = (unit: Unit): Column<Series>[] => {
  const number = (id: string, title: string, pick: (series: Series) => number | null): Column<Series> => ({
    id, title, number: true, cell: (series) => formatValue(pick(series), unit), sortBy: (series) => pick(series) ?? -Infinity,
  });
  const least = ({ values }: Series) => values.reduce<number | null>((low, value) => (value !== null && (low === null || value < low) ? value : low), null);
  return [
    { id: 'name', title: 'Series', grows: true, cell: (series) => <span title={series.name}>{series.name}</span>, sortBy: (series) => series.name },
    number('last', 'Last', (series) => summarise(series.values).last),
    number('mean', 'Mean', (series) => summarise(series.values).mean),
    number('least', 'Least', least),
    number('most', 'Most', (series) => summarise(series.values).most),
  ];
};

interface DrawingProps {
  state: GraphState;
  answers: Answers;
  marks: readonly ChartMark[];
  sort: { by: string; ascending: boolean };
  onSort: (sort: string) => void;
  onPick: (series: Series, time: number) => void;
}

function Note({ left }: { left: number }) {
  return left > 0 ? <p class="muted graph-note">{`${plural(left, 'more series', 'more series')} not shown: aggregate, or choose with topk(10, …).`}</p> : null;
}

function Heatmaps({ answers, state, marks, onPick }: DrawingProps) {
  const heats = useMemo(() => {
    const { start, end } = aligned(answers.span);
    return answers.answers.flatMap(({ query, matrix }) => {
      const heat = heatOf(matrix, start, end, answers.span.stepSeconds);
      return heat ? [{ query, heat }] : [];
    });
  }, [answers]);
  if (heats.length === 0) {
    return (
      <BoxMessage height={HEIGHT}>
        No query answers with histograms. Native ones: sum(rate(x_seconds[1m])); classic ones: sum by (le) (rate(x_seconds_bucket[1m])).
      </BoxMessage>
    );
  }
  return (
    <>
      {heats.map(({ query, heat }) => (
        <Heatmap
          key={query}
          label={`Heatmap of ${query}`}
          heat={heat}
          unit={state.unit ?? unitOf(query)}
          height={heats.length > 1 ? 240 : HEIGHT}
          marks={marks}
          onPick={(time) => onPick({ name: query, query, labels: {}, values: [] }, time)}
        />
      ))}
    </>
  );
}

export function Drawing(props: DrawingProps) {
  const { state, answers, marks, sort, onSort, onPick } = props;
  const shape = state.shape;
  const drawn = useMemo(() => drawnOf(answers, shape === 'table' ? LISTED_MOST : DRAWN_MOST), [answers, shape]);
  const unit = state.unit ?? unitOf(answers.answers.find(({ query }) => query !== '')?.query ?? '');
  const columns = useMemo(() => columnsOf(unit), [unit]);
  const histograms = answers.answers.some(({ matrix }) => matrix.some((series) => series.histograms));
  let body: ComponentChildren;
  if (shape === 'heatmap' || (drawn.series.length === 0 && histograms)) return <Heatmaps {...props} />;
  if (drawn.series.length === 0) {
    const failed = answers.answers.some(({ error }) => error !== '');
    return <BoxMessage height={HEIGHT}>{failed ? 'The query above is wrong: it says where.' : 'No series answers this in this time.'}</BoxMessage>;
  }
  if (shape === 'table') {
    body = <DataTable label="Series" rows={drawn.series} columns={columns} keyOf={(series) => `${series.query} ${series.name}`} sorting={sort} onSort={onSort} />;
  } else {
    body = (
      <Chart
        label="Graph of the queries"
        times={drawn.times}
        series={drawn.series}
        kind={shape as ChartKind}
        unit={unit}
        log={state.log}
        marks={marks}
        height={HEIGHT}
        onPick={(i, time) => onPick(drawn.series[i]!, time)}
      />
    );
  }
  return (
    <>
      {body}
      <Note left={drawn.left} />
    </>
  );
}

/** The series of that name, as it was picked from a drawing. */
export const seriesNamed = (answers: Answers, name: string) =>
  drawnOf(answers, LISTED_MOST).series.find((series) => series.name === name);

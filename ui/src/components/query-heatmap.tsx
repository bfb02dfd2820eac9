// SPDX-License-Identifier: Apache-2.0
/* A heatmap of what one PromQL query answers over the page's time range. */
import { useMemo } from 'preact/hooks';
import { aligned, queryRange, type MatrixSeries, type Span } from '../api/prom';
import { usePoll } from '../api/use-poll';
import { HEAT_POINTS, HEAT_SCHEMA, heatOf } from '../model/heat';
import { unitOf, type Unit } from '../model/units';
import { timeRange } from '../routes/location';
import type { ChartMark } from './chart';
import { Heatmap } from './heatmap';
import { BoxMessage } from './panel';
import { refreshMs, spanNow } from './query-chart';

interface Props {
  label: string;
  query: string;
  unit?: Unit;
  height?: number;
  marks?: readonly ChartMark[];
}

export function QueryHeatmap({ label, query, unit, height = 220, marks }: Props) {
  const poll = usePoll<{ span: Span; matrix: MatrixSeries[] }>(
    JSON.stringify([query, timeRange.value]),
    async (options) => {
      const span = spanNow(HEAT_POINTS);
      return { span, matrix: await queryRange(query, span, options, HEAT_SCHEMA) };
    },
    refreshMs(),
  );
  const answer = poll.data.value;
  const heat = useMemo(() => {
    if (!answer) return undefined;
    const { start, end } = aligned(answer.span);
    return heatOf(answer.matrix, start, end, answer.span.stepSeconds);
  }, [answer]);
  if (!answer && poll.error.value) return <BoxMessage height={height} failed>{poll.error.value.message}</BoxMessage>;
  if (!answer) return <div class="skeleton" style={{ height: `${height}px` }} aria-busy="true" />;
  if (!heat) return <BoxMessage height={height}>No histogram was told in this time.</BoxMessage>;
  return <Heatmap label={label} heat={heat} unit={unit ?? unitOf(query)} height={height} {...(marks ? { marks } : {})} />;
}

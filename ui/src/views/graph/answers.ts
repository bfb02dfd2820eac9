// SPDX-License-Identifier: Apache-2.0
/* Several queries over one time: one that is wrong does not keep the others from their answers. */
import { useMemo } from 'preact/hooks';
import { asApiError } from '../../api/error';
import { chartMark, getMarks } from '../../api/marks';
import { queryRange, type MatrixSeries, type Span } from '../../api/prom';
import { usePoll } from '../../api/use-poll';
import { refreshMs, spanNow } from '../../components/query-chart';
import { HEAT_POINTS, HEAT_SCHEMA } from '../../model/heat';
import { timeRange } from '../../routes/location';
import type { ChartMark } from '../../components/chart';

export interface Answer {
  query: string;
  matrix: MatrixSeries[];
  /** The collector's sentence about this query; '' where it answered. */
  error: string;
}

export interface Answers {
  span: Span;
  answers: Answer[];
}

const POINTS = 400;
const TOO_MUCH = /bytes of memory$/;

/** `schema` as queryRange has it. */
export function useAnswers(queries: readonly string[], schema?: number) {
  const key = JSON.stringify([queries, schema, timeRange.value]);
  /* Those of which the fine answer was too much: a refresh does not ask for it again. */
  const coarse = useMemo(() => new Set<string>(), [key]);
  return usePoll<Answers>(
    key,
    async (options) => {
      const span = spanNow(schema === undefined ? POINTS : HEAT_POINTS);
      const ask = async (query: string, fine?: number): Promise<Answer> => {
        if (query === '') return { query, matrix: [], error: '' };
        try {
          return { query, matrix: await queryRange(query, span, options, fine), error: '' };
        } catch (error) {
          const { kind, message } = asApiError(error);
          if (kind !== 'refused') throw error;
          /* Whole histograms at fine steps: less fine ones are better than none. */
          if (fine === undefined && TOO_MUCH.test(message)) {
            coarse.add(query);
            return ask(query, HEAT_SCHEMA);
          }
          return { query, matrix: [], error: message };
        }
      };
      return { span, answers: await Promise.all(queries.map((query) => ask(query, coarse.has(query) ? HEAT_SCHEMA : schema))) };
    },
    refreshMs(),
  );
}

const NONE: { marks: ChartMark[]; more: boolean } = { marks: [], more: false };

/** Nothing while they are off, or cannot be had: the graph stands without them. */
export function useMarks(on: boolean) {
  const poll = usePoll(
    JSON.stringify([on, timeRange.value]),
    async (options) => {
      if (!on) return NONE;
      const { marks, more } = await getMarks(spanNow(), {}, options);
      return { marks: marks.map(chartMark), more };
    },
    refreshMs(),
  );
  return poll.data.value ?? NONE;
}

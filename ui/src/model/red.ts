// SPDX-License-Identifier: Apache-2.0
/*
 * Rate, errors and durations of requests, as PromQL asks for them and as rows that pages show.
 * Requests are spans that begin a piece of work (server and consumer); of what has none of these,
 * all its spans. Pure.
 */
import type { Labels, MatrixSeries, VectorSample } from '../api/prom';
import { parseValue } from './chart-data';

export interface Red {
  labels: Labels;
  /** Requests a second. */
  rate: number;
  /** Failed ones, 0 to 1; NaN where there were none at all. */
  errors: number;
  p50: number;
  p99: number;
}

const CALLS = 'traces_span_metrics_calls_total';
const SECONDS = 'traces_span_metrics_duration_seconds';
const ENTRIES = 'span_kind=~"SPAN_KIND_(SERVER|CONSUMER)"';
const FAILED = 'status_code="STATUS_CODE_ERROR"';
/* Agents tell each second; a rate needs a few of these. */
const LEAST_SECONDS = 10;

/** A label's value as a selector has it. */
export const quoted = (text: string) => JSON.stringify(text);

/** The text of a selector: those that are undefined are left out. */
export const matching = (labels: Record<string, string | undefined>) =>
  Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`])).join(',');

const selector = (metric: string, ...matchers: string[]) => `${metric}{${matchers.filter(Boolean).join(',')}}`;

export interface RedScope {
  /** Labels that it is told by. */
  by: readonly string[];
  /** Of which series, as a selector's inside. */
  of?: string;
  /** Over how long, ending at the moment of each answer. */
  seconds: number;
  /** Every span, not requests alone. */
  allKinds?: boolean;
}

type Figure = 'rate' | 'failed' | 'p50' | 'p99';
export type RedAnswers = Record<Figure, readonly VectorSample[]>;

export function redQueries({ by, of = '', seconds, allKinds = false }: RedScope): Record<Figure, string> {
  const window = `[${Math.max(Math.round(seconds), LEAST_SECONDS)}s]`;
  const labels = by.length > 0 ? ` by (${by.join(', ')})` : '';
  const either = (make: (kinds: string) => string) => (allKinds ? make('') : `${make(ENTRIES)} or ${make('')}`);
  const calls = (more: string) => either((kinds) => `sum${labels} (rate(${selector(CALLS, of, more, kinds)}${window}))`);
  const quantile = (q: number) =>
    either((kinds) => `histogram_quantile(${q}, sum${labels} (rate(${selector(SECONDS, of, kinds)}${window})))`);
  /* Without entries there are failed ones of the other kinds: only where there is no request at all. */
  const failed = allKinds
    ? calls(FAILED)
    : `sum${labels} (rate(${selector(CALLS, of, FAILED, ENTRIES)}${window})) or (sum${labels} (rate(${selector(CALLS, of, FAILED)}${window})) unless sum${labels} (rate(${selector(CALLS, of, ENTRIES)}${window})))`;
  return { rate: calls(''), failed, p50: quantile(0.5), p99: quantile(0.99) };
}

/** Failed requests as a part of all; 0 where none failed. */
export function errorShare(of: string, seconds: number): string {
  const { rate, failed } = redQueries({ by: [], of, seconds });
  return `(${failed} or vector(0)) / (${rate})`;
}

/** How long requests took, as one histogram. */
export function requestHistogram(of: Record<string, string | undefined>, seconds: number): string {
  const sum = (kinds: string) => `sum(increase(${selector(SECONDS, matching(of), kinds)}[${Math.max(Math.round(seconds), LEAST_SECONDS)}s]))`;
  return `${sum(ENTRIES)} or ${sum('')}`;
}

const valueOf = (sample: VectorSample) => parseValue(sample.value?.[1] ?? 'NaN');

/** One row for each that had requests. */
export function redRows(keyOf: (labels: Labels) => string, answers: RedAnswers): Map<string, Red> {
  const rows = new Map<string, Red>();
  for (const sample of answers.rate) {
    rows.set(keyOf(sample.metric), { labels: sample.metric, rate: valueOf(sample), errors: 0, p50: NaN, p99: NaN });
  }
  for (const row of rows.values()) if (row.rate === 0) row.errors = NaN;
  for (const sample of answers.failed) {
    const row = rows.get(keyOf(sample.metric));
    if (row && row.rate > 0) row.errors = Math.min(valueOf(sample) / row.rate, 1);
  }
  for (const figure of ['p50', 'p99'] as const) {
    for (const sample of answers[figure]) {
      const row = rows.get(keyOf(sample.metric));
      if (row) row[figure] = valueOf(sample);
    }
  }
  return rows;
}

/** Values for a sparkline, oldest first: what says nothing counts as 0. */
export function sparkValues(series: MatrixSeries | undefined, start: number, end: number, step: number): number[] {
  const values = new Array<number>(Math.max(Math.round((end - start) / step) + 1, 0)).fill(0);
  for (const [at, text] of series?.values ?? []) {
    const row = Math.round((at - start) / step);
    const value = parseValue(text);
    if (row >= 0 && row < values.length && Number.isFinite(value)) values[row] = value;
  }
  return values;
}

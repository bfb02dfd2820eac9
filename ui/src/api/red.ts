// SPDX-License-Identifier: Apache-2.0
/* Rate, errors and durations, asked for at the end of a window over all of it, and over time as small lines. */
import { redQueries, redRows, sparkValues, type Red, type RedScope } from '../model/red';
import { stepSeconds, type Window } from '../model/time-range';
import type { CallOptions } from './client';
import { aligned, queryAt, queryRange, type Labels } from './prom';

export const SPARK_POINTS = 60;

export const secondsOf = ({ fromMs, toMs }: Window) => (toMs - fromMs) / 1000;

export async function getRed(scope: Omit<RedScope, 'seconds'>, window: Window, keyOf: (labels: Labels) => string, options?: CallOptions): Promise<Map<string, Red>> {
  const queries = redQueries({ ...scope, seconds: secondsOf(window) });
  const [rate, failed, p50, p99] = await Promise.all(
    [queries.rate, queries.failed, queries.p50, queries.p99].map((query) => queryAt(query, window.toMs, options)),
  );
  return redRows(keyOf, { rate: rate ?? [], failed: failed ?? [], p50: p50 ?? [], p99: p99 ?? [] });
}

/** The rate over the window by key: SPARK_POINTS values or fewer. */
export async function getRateLines(scope: Omit<RedScope, 'seconds'>, window: Window, keyOf: (labels: Labels) => string, options?: CallOptions): Promise<Map<string, number[]>> {
  const step = stepSeconds(window, SPARK_POINTS);
  const span = { ...window, stepSeconds: step };
  const { start, end } = aligned(span);
  const matrix = await queryRange(redQueries({ ...scope, seconds: step }).rate, span, options);
  return new Map(matrix.map((series) => [keyOf(series.metric), sparkValues(series, start, end, step)]));
}

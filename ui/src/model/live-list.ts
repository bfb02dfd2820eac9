// SPDX-License-Identifier: Apache-2.0
/*
 * A list that refreshes under a reader's eyes. While it is held (the pointer or the focus
 * is on it) the rows that are shown keep their places and only take new values; what else
 * arrived waits and is counted. Let go, the newest answer takes over whole.
 */
import type { TraceSummary } from '../api/wire';

export interface LiveList {
  shown: TraceSummary[];
  /** Traces in the newest answer that are not shown. */
  waiting: number;
}

export function mergeLive(shown: readonly TraceSummary[], fresh: readonly TraceSummary[], held: boolean): LiveList {
  if (!held) return { shown: [...fresh], waiting: 0 };
  const byId = new Map(fresh.map((trace) => [trace.trace_id, trace]));
  const kept = shown.map((trace) => byId.get(trace.trace_id) ?? trace);
  const places = new Set(shown.map((trace) => trace.trace_id));
  return { shown: kept, waiting: fresh.filter((trace) => !places.has(trace.trace_id)).length };
}

/** Whether two summaries draw the same row, so that an unchanged row need not be drawn again. */
export function sameRow(a: TraceSummary, b: TraceSummary): boolean {
  return (
    a.trace_id === b.trace_id &&
    a.duration_ns === b.duration_ns &&
    a.span_count === b.span_count &&
    a.error_count === b.error_count &&
    a.died_count === b.died_count &&
    a.in_flight_count === b.in_flight_count &&
    a.complete === b.complete &&
    a.start_unix_ns === b.start_unix_ns &&
    a.services.length === b.services.length
  );
}

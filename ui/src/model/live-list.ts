// SPDX-License-Identifier: Apache-2.0
/*
 * A list that refreshes under a reader's eyes. While it is held (the pointer or the focus
 * is on it) the rows that are shown keep their places and only take new values; what else
 * arrived waits and is counted. Let go, the newest answer takes over whole.
 */
import type { TraceSummary } from '../api/wire';

export interface LiveList<T extends TraceSummary = TraceSummary> {
  shown: T[];
  /** Traces in the newest answer that are not shown. */
  waiting: number;
}

export function mergeLive<T extends TraceSummary>(shown: readonly T[], fresh: readonly T[], held: boolean): LiveList<T> {
  if (!held) return { shown: [...fresh], waiting: 0 };
  const byId = new Map(fresh.map((trace) => [trace.trace_id, trace]));
  const kept = shown.map((trace) => byId.get(trace.trace_id) ?? trace);
  const places = new Set(shown.map((trace) => trace.trace_id));
  return { shown: kept, waiting: fresh.filter((trace) => !places.has(trace.trace_id)).length };
}

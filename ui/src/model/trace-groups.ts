// SPDX-License-Identifier: Apache-2.0
/* Found traces by the operation of their root. */
import type { TraceSummary } from '../api/wire';

export interface TraceGroup {
  key: string;
  service: string;
  operation: string;
  traces: number;
  failed: number;
  p50Ns: number;
  p90Ns: number;
  longestNs: number;
  longestId: string;
}

export function groupByRoot(traces: readonly TraceSummary[]): TraceGroup[] {
  const groups = new Map<string, TraceSummary[]>();
  for (const trace of traces) {
    const key = trace.root ? `${trace.root.service}\n${trace.root.operation}` : '';
    groups.set(key, [...(groups.get(key) ?? []), trace]);
  }
  return [...groups].map(([key, members]) => {
    const sorted = [...members].sort((a, b) => a.duration_ns - b.duration_ns);
    const quantile = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!.duration_ns;
    const longest = sorted.at(-1)!;
    return {
      key, service: longest.root?.service ?? '', operation: longest.root?.operation ?? '', traces: members.length,
      failed: members.filter(({ error_count, died_count }) => error_count + died_count > 0).length,
      p50Ns: quantile(0.5), p90Ns: quantile(0.9), longestNs: longest.duration_ns, longestId: longest.trace_id,
    };
  });
}

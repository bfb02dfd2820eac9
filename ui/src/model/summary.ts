// SPDX-License-Identifier: Apache-2.0
/* The spans of a trace summed up by service, and by operation. */
import type { Process } from '../api/wire';
import { KIND_ORDER, STATUS, type TraceColumns } from './columns';

export interface SummaryRow {
  key: string;
  service: string;
  /** '' in a summary by service. */
  operation: string;
  kind: string;
  spans: number;
  failed: number;
  died: number;
  totalNs: number;
  selfNs: number;
  /** Of the trace's answer; undefined while no analysis is there. */
  criticalNs: number | undefined;
  longestNs: number;
  /** Where the longest one is. */
  longest: number;
}

export type SummaryBy = 'service' | 'operation';

export function summarise(c: TraceColumns, processes: readonly Process[], by: SummaryBy, self: Float64Array, critical?: Float64Array): SummaryRow[] {
  const rows = new Map<string | number, SummaryRow>();
  const services = processes.map(({ service }) => service);
  const serviceNumber = services.map((service) => services.indexOf(service));
  for (let i = 0; i < c.count; i++) {
    const process = c.process[i]!;
    const service = services[process] ?? '';
    const key = by === 'service' ? serviceNumber[process] ?? -1 : ((serviceNumber[process] ?? 0) * 8 + c.kind[i]!) * 0x1000000 + c.name[i]!;
    let row = rows.get(key);
    if (!row) {
      row = {
        key: String(key), service, operation: by === 'service' ? '' : c.names[c.name[i]!]!,
        kind: by === 'service' ? '' : KIND_ORDER[c.kind[i]!]!, spans: 0, failed: 0, died: 0, totalNs: 0, selfNs: 0,
        criticalNs: critical ? 0 : undefined, longestNs: -1, longest: i,
      };
      rows.set(key, row);
    }
    add(row, c, i, self[i]!, critical?.[i]);
  }
  return [...rows.values()];
}

function add(row: SummaryRow, c: TraceColumns, i: number, selfNs: number, criticalNs: number | undefined): void {
  row.spans++;
  if (c.status[i] === STATUS.error) row.failed++;
  if (c.status[i] === STATUS.died) row.died++;
  row.totalNs += c.duration[i]!;
  row.selfNs += Number.isFinite(selfNs) ? selfNs : 0;
  if (criticalNs !== undefined && row.criticalNs !== undefined && Number.isFinite(criticalNs)) row.criticalNs += criticalNs;
  if (c.duration[i]! <= row.longestNs) return;
  row.longestNs = c.duration[i]!;
  row.longest = i;
}

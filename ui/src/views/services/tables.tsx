// SPDX-License-Identifier: Apache-2.0
/* The tables of a service's page. */
import type { CacheSummary } from '../../api/caches';
import type { MarkOfTime } from '../../api/marks';
import { DataTable, sortingFrom, type Column } from '../../components/panel';
import { Ago } from '../../components/parts';
import { formatBytes, formatPercent, formatRate } from '../../model/format';
import type { Red } from '../../model/red';
import type { RunningRow } from '../../model/running';
import { formatValue } from '../../model/units';
import { hrefWith, inRange, navigate } from '../../routes/location';
import { pageHref, searchHref } from '../../routes/routes';

const kindOf = ({ labels }: Red) => (labels['span_kind'] ?? '').replace('SPAN_KIND_', '').toLowerCase();
const nameOf = ({ labels }: Red) => labels['span_name'] ?? '';

const operationColumns = (service: string): Column<Red>[] => [
  { id: 'name', title: 'Operation', grows: true, cell: (row) => <a href={inRange(searchHref({ service, operation: nameOf(row) }))}>{nameOf(row)}</a>, sortBy: nameOf },
  { id: 'kind', title: 'Kind', cell: kindOf, sortBy: kindOf },
  { id: 'rate', title: 'Rate', number: true, cell: ({ rate }) => formatRate(rate), sortBy: ({ rate }) => rate },
  { id: 'errors', title: 'Errors', number: true, cell: ({ errors }) => <span class={errors > 0 ? 'failing' : 'muted'}>{formatPercent(errors)}</span>, sortBy: ({ errors }) => errors || 0 },
  { id: 'p50', title: 'p50', number: true, cell: ({ p50 }) => formatValue(p50, 'seconds'), sortBy: ({ p50 }) => p50 || 0 },
  { id: 'p99', title: 'p99', number: true, cell: ({ p99 }) => formatValue(p99, 'seconds'), sortBy: ({ p99 }) => p99 || 0 },
];

export function OperationsTable({ service, operations, sort, hold }: { service: string; operations: readonly Red[]; sort: string | null; hold: string }) {
  return (
    <DataTable
      label="Operations" rows={operations} columns={operationColumns(service)} keyOf={(row) => `${nameOf(row)} ${kindOf(row)}`} hold={hold}
      sorting={sortingFrom(sort, 'rate')} onSort={(by) => navigate(hrefWith({ by }), { replace: true })}
    />
  );
}

const runningColumns = (service: string): Column<RunningRow>[] => [
  { id: 'cell', title: 'Cell', cell: ({ cell }) => cell || '–' },
  { id: 'host', title: 'Host', cell: ({ host }) => host || '–' },
  { id: 'version', title: 'Version', grows: true, cell: ({ version }) => (version ? <a href={inRange(searchHref({ service, version }))} title={`Traces of ${service} ${version}`}>{version}</a> : '–') },
  { id: 'processes', title: 'Processes', number: true, cell: ({ processes }) => String(processes) },
  { id: 'cpu', title: 'CPU', number: true, cell: ({ cpu }) => formatPercent(cpu) },
  { id: 'memory', title: 'Memory', number: true, cell: ({ bytes }) => (Number.isNaN(bytes) ? '–' : formatBytes(bytes)) },
];

export const RunningTable = ({ service, rows }: { service: string; rows: readonly RunningRow[] }) => (
  <DataTable label="Where it runs" rows={rows} columns={runningColumns(service)} keyOf={({ key }) => key} />
);

const DEPLOYS: Column<MarkOfTime>[] = [
  { id: 'version', title: 'Version', grows: true, cell: (mark) => <a href={inRange(pageHref('deploys', String(mark.id)))}>{mark.previous ? `${mark.previous} → ` : ''}{mark.version}</a> },
  { id: 'cell', title: 'Cell', cell: ({ cell }) => cell || '–' },
  { id: 'hosts', title: 'Hosts', number: true, cell: ({ count }) => String(count) },
  { id: 'when', title: 'When', number: true, cell: ({ from_unix_ns }) => <Ago unixNs={from_unix_ns} suffix=" ago" /> },
];

export const DeploysTable = ({ deploys }: { deploys: readonly MarkOfTime[] }) => (
  <DataTable label="Deploys of it" rows={deploys} columns={DEPLOYS} keyOf={({ id }) => String(id)} />
);

const CACHES: Column<CacheSummary>[] = [
  { id: 'address', title: 'Cache', cell: ({ id, address }) => <a href={inRange(pageHref('caches', String(id)))}>{address}</a> },
  { id: 'protocol', title: 'Speaks', cell: ({ protocol }) => protocol },
  { id: 'host', title: 'Host', grows: true, cell: ({ host }) => host },
  { id: 'commands', title: 'Commands', number: true, cell: ({ commands_per_s: perS }) => (perS === undefined ? '–' : formatRate(perS)) },
  { id: 'hits', title: 'Hit rate', number: true, cell: ({ hit_rate: rate }) => (rate === undefined ? '–' : formatPercent(rate)) },
  { id: 'p99', title: 'p99', number: true, cell: ({ p99_seconds: p99 }) => formatValue(p99, 'seconds') },
];

export const CachesTable = ({ caches }: { caches: readonly CacheSummary[] }) => (
  <DataTable label="Caches that it may call" rows={caches} columns={CACHES} keyOf={({ id }) => String(id)} />
);

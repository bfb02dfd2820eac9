// SPDX-License-Identifier: Apache-2.0
/* The trace summed up by operation and by service: where its time went. */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { Box, DataTable, sortingFrom, type Column } from '../../components/panel';
import { ServiceName } from '../../components/parts';
import { formatCount, formatDuration } from '../../model/format';
import { selfTimes } from '../../model/insight';
import { summarise, type SummaryBy, type SummaryRow } from '../../model/summary';
import type { TraceStore } from './store';

const bad = (count: number) => (count === 0 ? <span class="muted">0</span> : <span class="bad">{formatCount(count)}</span>);

function columns(by: SummaryBy, show: (i: number) => void): Column<SummaryRow>[] {
  const what: Column<SummaryRow>[] = [{ id: 'service', title: 'Service', cell: (row) => <ServiceName name={row.service} />, sortBy: (row) => row.service }];
  if (by === 'operation') {
    what.push({ id: 'operation', title: 'Operation', grows: true, cell: (row) => <span title={row.operation}>{row.operation}</span>, sortBy: (row) => row.operation });
    what.push({ id: 'kind', title: 'Kind', cell: (row) => <span class="muted">{row.kind}</span>, sortBy: (row) => row.kind });
  }
  return [
    ...what,
    { id: 'spans', title: 'Spans', number: true, cell: (row) => formatCount(row.spans), sortBy: (row) => row.spans },
    { id: 'failed', title: 'Failed', number: true, cell: (row) => bad(row.failed), sortBy: (row) => row.failed },
    { id: 'died', title: 'Died', number: true, cell: (row) => bad(row.died), sortBy: (row) => row.died },
    { id: 'critical', title: 'Critical path', number: true, cell: (row) => (row.criticalNs === undefined ? '–' : formatDuration(row.criticalNs)), sortBy: (row) => row.criticalNs ?? -1 },
    { id: 'self', title: 'Self', number: true, cell: (row) => formatDuration(row.selfNs), sortBy: (row) => row.selfNs },
    { id: 'total', title: 'In all', number: true, cell: (row) => formatDuration(row.totalNs), sortBy: (row) => row.totalNs },
    { id: 'mean', title: 'Mean', number: true, cell: (row) => formatDuration(row.totalNs / row.spans), sortBy: (row) => row.totalNs / row.spans },
    {
      id: 'longest', title: 'Longest', number: true, sortBy: (row) => row.longestNs,
      cell: (row) => (
        <button type="button" class="as-link" aria-label={`Show the longest, ${formatDuration(row.longestNs)}`} onClick={() => show(row.longest)}>
          {formatDuration(row.longestNs)}
        </button>
      ),
    },
  ];
}

const TITLES: Record<SummaryBy, string> = { operation: 'By operation', service: 'By service' };

export function Sums({ store, show }: { store: TraceStore; show: (i: number) => void }) {
  const sort = useSignal('self');
  const trace = store.trace.value;
  const insight = store.insight.value;
  const self = useMemo(() => (insight?.whole ? insight.self : selfTimes(trace.columns)), [trace, insight]);
  const rows = (by: SummaryBy) => summarise(trace.columns, trace.processes, by, self, insight?.critical);
  const [operations, services] = useMemo(() => [rows('operation'), rows('service')] as const, [trace, insight, self]);
  return (
    <div class="trace-panel sums">
      {(['service', 'operation'] as const).map((by) => (
        <Box key={by} title={TITLES[by]}>
          <DataTable
            label={TITLES[by]}
            rows={by === 'operation' ? operations : services}
            columns={columns(by, show)}
            keyOf={(row) => row.key}
            sorting={sortingFrom(sort.value, 'self')}
            onSort={(text) => (sort.value = text)}
          />
        </Box>
      ))}
    </div>
  );
}

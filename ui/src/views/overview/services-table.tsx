// SPDX-License-Identifier: Apache-2.0
/* Each service in a line: requests, errors, how long they take, which versions run, the last deploy. */
import type { ApiError } from '../../api/error';
import { MOST_MARKS } from '../../api/marks';
import { NOW_SECONDS, type ServiceRows } from '../../api/overview';
import { SPARK_POINTS } from '../../api/red';
import { Box, BoxMessage, DataTable, sortingFrom, type Column } from '../../components/panel';
import { Ago, ServiceName } from '../../components/parts';
import { Sparkline } from '../../components/sparkline';
import { formatCount, formatPercent, formatRate, plural, unixMs } from '../../model/format';
import type { ServiceRow } from '../../model/overview';
import { formatSpan } from '../../model/time-range';
import { formatValue } from '../../model/units';
import { hrefWith, inRange, navigate } from '../../routes/location';
import { pageHref, searchHref } from '../../routes/routes';
import { ENTRIES } from '../pages';

const HEIGHT = 240;

const hrefOf = (name: string) =>
  ENTRIES.services ? inRange(pageHref('services', name)) : inRange(searchHref({ service: name }));

function Versions({ versions }: { versions: ServiceRow['versions'] }) {
  const named = versions.filter(({ version }) => version !== '');
  if (named.length === 0) return <span class="muted">–</span>;
  const all = named.map(({ version, processes }) => `${version} (${plural(processes, 'process', 'processes')})`).join(', ');
  return (
    <span title={all}>
      {named[0]!.version}
      {named.length > 1 && <span class="muted"> and {named.length - 1} more</span>}
    </span>
  );
}

function LastDeploy({ deploy }: { deploy: ServiceRow['deploy'] }) {
  if (!deploy) return <span class="muted">–</span>;
  const ago = <Ago unixNs={deploy.from_unix_ns} suffix=" ago" />;
  return ENTRIES.deploys ? <a href={inRange(pageHref('deploys', String(deploy.id)))}>{ago}</a> : ago;
}

function Errors({ share }: { share: number | undefined }) {
  if (share === undefined || Number.isNaN(share)) return <span class="muted">–</span>;
  return <span class={share > 0 ? 'failing' : 'muted'}>{formatPercent(share)}</span>;
}

const COLUMNS: Column<ServiceRow>[] = [
  { id: 'name', title: 'Service', cell: ({ name }) => <a href={hrefOf(name)}><ServiceName name={name} /></a>, sortBy: ({ name }) => name },
  { id: 'line', title: 'Over time', cell: ({ name, line }) => (line.length > 1 ? <Sparkline values={line} room={Math.max(line.length, SPARK_POINTS)} label={`Requests of ${name} over the time`} /> : '') },
  { id: 'rate', title: 'Rate', number: true, cell: ({ red }) => (red ? formatRate(red.rate) : '–'), sortBy: ({ red }) => red?.rate ?? -1 },
  { id: 'errors', title: 'Errors', number: true, cell: ({ red }) => <Errors share={red?.errors} />, sortBy: ({ red }) => red?.errors || 0 },
  { id: 'p50', title: 'p50', number: true, cell: ({ red }) => formatValue(red?.p50, 'seconds'), sortBy: ({ red }) => red?.p50 || 0 },
  { id: 'p99', title: 'p99', number: true, cell: ({ red }) => formatValue(red?.p99, 'seconds'), sortBy: ({ red }) => red?.p99 || 0 },
  { id: 'version', title: 'Version', cell: ({ versions }) => <Versions versions={versions} />, sortBy: ({ versions }) => versions[0]?.version ?? '' },
  { id: 'deploy', title: 'Last deploy', cell: ({ deploy }) => <LastDeploy deploy={deploy} />, sortBy: ({ deploy }) => (deploy ? unixMs(deploy.from_unix_ns) : 0) },
];

interface Props {
  told: ServiceRows | undefined;
  error: ApiError | undefined;
  sort: string | null;
  hold: string;
}

export function ServicesTable({ told, error, sort, hold }: Props) {
  const rows = told?.rows;
  const deploys = told?.moreDeploys ? `; deploys are looked for among the newest ${formatCount(MOST_MARKS)}` : '';
  return (
    <Box title="Services" note={rows ? `${plural(rows.length, 'service')}; figures of the last ${formatSpan(NOW_SECONDS)} at most, lines over the whole time${deploys}` : '\u00a0'}>
      {rows && rows.length > 0 && (
        <DataTable
          label="Services" rows={rows} columns={COLUMNS} keyOf={({ name }) => name} hold={hold}
          sorting={sortingFrom(sort, '-name')} onSort={(by) => navigate(hrefWith({ sort: by }), { replace: true })}
        />
      )}
      {rows?.length === 0 && <BoxMessage height={HEIGHT}>Nothing has recorded yet. Link a service with libweft, or send OTLP to /v1/traces: it shows here within a second.</BoxMessage>}
      {!rows && error && <BoxMessage height={HEIGHT} failed>{error.message}</BoxMessage>}
      {!rows && !error && <div class="skeleton" style={{ height: `${HEIGHT}px` }} aria-busy="true" />}
    </Box>
  );
}

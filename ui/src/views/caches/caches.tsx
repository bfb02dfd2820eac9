// SPDX-License-Identifier: Apache-2.0
/* All caches that taps see, each in a line, and what is hot in all of them together. */
import { getCaches, type CacheSummary } from '../../api/caches';
import { serverNowMs } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import { Box, DataTable, PageHead, sortingFrom, type Column } from '../../components/panel';
import { refreshMs } from '../../components/query-chart';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { formatPercent, formatRate, formatShort, plural } from '../../model/format';
import { formatValue } from '../../model/units';
import { hrefWith, inRange, navigate, timeRange, windowNow } from '../../routes/location';
import { pageHref } from '../../routes/routes';
import type { PageProps } from '../pages';
import { CacheView } from './cache';
import './caches.css';
import { Heavy, heavyFrom } from './heavy';

const or = (value: number | undefined, show: (value: number) => string) => (value === undefined ? '–' : show(value));

const COLUMNS: Column<CacheSummary>[] = [
  { id: 'address', title: 'Cache', cell: (c) => <a href={inRange(pageHref('caches', String(c.id)))}>{c.address}</a>, sortBy: (c) => c.address },
  { id: 'host', title: 'Host', cell: (c) => c.host, sortBy: (c) => c.host },
  { id: 'protocol', title: 'Speaks', cell: (c) => c.protocol, sortBy: (c) => c.protocol },
  { id: 'commands', title: 'Commands', number: true, cell: (c) => or(c.commands_per_s, formatRate), sortBy: (c) => c.commands_per_s ?? 0 },
  { id: 'hits', title: 'Hit rate', number: true, cell: (c) => or(c.hit_rate, formatPercent), sortBy: (c) => c.hit_rate ?? -1 },
  { id: 'errors', title: 'Errors', number: true, cell: (c) => or(c.errors_per_s, formatRate), sortBy: (c) => c.errors_per_s ?? 0 },
  { id: 'p50', title: 'p50', number: true, cell: (c) => formatValue(c.p50_seconds, 'seconds'), sortBy: (c) => c.p50_seconds ?? 0 },
  { id: 'p99', title: 'p99', number: true, cell: (c) => formatValue(c.p99_seconds, 'seconds'), sortBy: (c) => c.p99_seconds ?? 0 },
  { id: 'keys', title: 'Keys', number: true, cell: (c) => `≈ ${formatShort(c.distinct_keys)}`, sortBy: (c) => c.distinct_keys },
  { id: 'peak', title: 'Peak/mean', number: true, cell: (c) => or(c.peak_ratio, (r) => r.toFixed(1)), sortBy: (c) => c.peak_ratio ?? 0 },
  { id: 'share', title: 'Hottest', number: true, cell: (c) => or(c.hottest?.share, formatPercent), sortBy: (c) => c.hottest?.share ?? 0 },
  { id: 'hottest', title: 'Hottest key', grows: true, cell: (c) => <span class="mono" title={c.hottest?.key}>{c.hottest?.key ?? ''}</span> },
];

function NoCaches() {
  return (
    <State icon="threads" title="No cache was seen in this time">
      <p>
        weft-tap watches memcached, Redis and Valkey on their hosts without touching them. Start it there, or choose
        another time.
      </p>
    </State>
  );
}

function CacheList({ query }: { query: URLSearchParams }) {
  const poll = usePoll(JSON.stringify(timeRange.value), (options) => getCaches(windowNow(serverNowMs()), options), refreshMs());
  const caches = poll.data.value;
  if (!caches && poll.error.value) return <ErrorState error={poll.error.value} retry={poll.refresh} />;
  if (!caches) return <div class="skeleton page-skeleton" aria-busy="true" />;
  if (caches.length === 0) return <NoCaches />;
  return (
    <>
      <PageHead title="Caches" note={plural(caches.length, 'cache')} />
      <div class="page-body">
        <Box title="Each cache">
          <DataTable
            label="Caches"
            rows={caches}
            columns={COLUMNS}
            keyOf={(cache) => String(cache.id)}
            sorting={sortingFrom(query.get('sort'), 'commands')}
            onSort={(sort) => navigate(hrefWith({ sort }), { replace: true })}
          />
        </Box>
        <Heavy id="" state={heavyFrom(query)} />
      </div>
      <StaleNotice error={poll.error.value} />
    </>
  );
}

export default function CachesPage({ id, query }: PageProps) {
  return id === '' ? <CacheList query={query} /> : <CacheView id={id} heavy={heavyFrom(query)} />;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The first page: what changed and needs somebody, how the fleet is, and each service in a line.
 * Each part asks for itself; figures have places of fixed width and rows keep theirs, so that nothing
 * moves when they are renewed.
 */
import { useEffect } from 'preact/hooks';
import { getFleet, getHappenings, getServiceRows } from '../../api/overview';
import { noteServerTime, serverNowMs } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import { PageHead } from '../../components/panel';
import { refreshMs } from '../../components/query-chart';
import { ErrorState, StaleNotice } from '../../components/states';
import { rangeLabel } from '../../model/time-range';
import { timeRange, utc, windowNow } from '../../routes/location';
import type { PageProps } from '../pages';
import { Changes } from './changes';
import { FleetFacts } from './fleet';
import './overview.css';
import { ServicesTable } from './services-table';

const FLEET_MS = 5000;

export default function OverviewPage({ query }: PageProps) {
  const range = JSON.stringify(timeRange.value);
  const fleet = usePoll('fleet', (options) => getFleet(serverNowMs(), options), FLEET_MS);
  const changes = usePoll(`changes ${range}`, (options) => getHappenings(windowNow(serverNowMs()), options), refreshMs());
  const services = usePoll(`services ${range}`, (options) => getServiceRows(windowNow(serverNowMs()), options), refreshMs());
  const now = fleet.data.value?.status.collector.now_unix_ns;
  useEffect(() => {
    if (now !== undefined) noteServerTime(now);
  }, [now]);

  const nothing = !fleet.data.value && !changes.data.value && !services.data.value;
  const refusal = fleet.error.value ?? services.error.value;
  if (nothing && refusal) return <ErrorState error={refusal} retry={() => [fleet, changes, services].forEach((poll) => poll.refresh())} />;
  return (
    <>
      <PageHead title="Overview" note={rangeLabel(timeRange.value, utc.value)} />
      <div class="page-body overview">
        <Changes told={changes.data.value} error={changes.error.value} />
        <FleetFacts fleet={fleet.data.value} />
        <ServicesTable told={services.data.value} error={services.error.value} sort={query.get('sort')} hold={range} />
      </div>
      <StaleNotice error={nothing ? undefined : (fleet.error.value ?? changes.error.value ?? services.error.value)} />
    </>
  );
}

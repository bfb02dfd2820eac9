// SPDX-License-Identifier: Apache-2.0
/* One service: how it does, what is around it, its operations, versions, cells and hosts, deploys and caches. */
import { getService, getSurroundings, type ServiceFigures } from '../../api/service';
import { serverNowMs } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import { Fact, Facts } from '../../components/facts';
import { Box, BoxMessage, PageHead } from '../../components/panel';
import { Ago, ServiceName } from '../../components/parts';
import { QueryChart, refreshMs, spanNow } from '../../components/query-chart';
import { ErrorState, StaleNotice } from '../../components/states';
import { formatPercent, formatRate, plural, unixMs } from '../../model/format';
import { errorShare, matching, redQueries } from '../../model/red';
import { formatValue } from '../../model/units';
import { inRange, timeRange, windowNow } from '../../routes/location';
import { pageHref, searchHref } from '../../routes/routes';
import { Calls } from './calls';
import { GraphBox } from './graph-box';
import { CachesTable, DeploysTable, OperationsTable, RunningTable } from './tables';

const GRAPH_TRACES = 1000;
const GRAPH_LEAST_MS = 15_000;
const HEIGHT = 120;

function Figures({ figures }: { figures: ServiceFigures }) {
  const { red, running, deploys } = figures;
  const versions = [...new Set(running.map(({ version }) => version).filter(Boolean))];
  const processes = running.reduce((sum, row) => sum + row.processes, 0);
  return (
    <Facts label="The service">
      <Fact label="Rate" under="requests, over the time">{red ? formatRate(red.rate) : '–'}</Fact>
      <Fact label="Errors" bad={(red?.errors ?? 0) > 0} under="of its requests">{red && !Number.isNaN(red.errors) ? formatPercent(red.errors) : '–'}</Fact>
      <Fact label="p99" under={`p50 ${formatValue(red?.p50, 'seconds')}`}>{formatValue(red?.p99, 'seconds')}</Fact>
      <Fact label="Processes" under={`on ${plural(new Set(running.map(({ host }) => host)).size, 'host')}`}>{String(processes)}</Fact>
      <Fact label="Version" under={deploys[0] ? <>deployed <Ago unixNs={deploys[0].from_unix_ns} suffix=" ago" /></> : 'no deploy seen'}>
        {versions.length === 0 ? '–' : versions.length === 1 ? versions[0] : plural(versions.length, 'version')}
      </Fact>
    </Facts>
  );
}

function Charts({ name, figures }: { name: string; figures: ServiceFigures }) {
  const seconds = Math.max(4 * spanNow().stepSeconds, 10);
  const of = matching({ service_name: name });
  const red = redQueries({ by: [], of, seconds });
  const marks = figures.deploys.map((mark) => ({ atMs: unixMs(mark.from_unix_ns), title: mark.title, text: mark.cell ? `in cell ${mark.cell}` : '' }));
  const shared = { marks, syncKey: `service ${name}`, height: 160 };
  return (
    <div class="three">
      <Box title="Requests">
        <QueryChart {...shared} label="Requests a second" kind="areas" unit="rate" queries={[{ query: red.rate, legend: 'requests', colour: 0 }]} />
      </Box>
      <Box title="Latency">
        <QueryChart {...shared} label="Quantiles of latency" unit="seconds" queries={[{ query: red.p99, legend: 'p99', colour: 0 }, { query: red.p50, legend: 'p50', colour: 1 }]} />
      </Box>
      <Box title="Errors" note="part of the requests">
        <QueryChart {...shared} label="Errors" kind="areas" unit="share" queries={[{ query: errorShare(of, seconds), legend: 'failed', colour: 5 }]} />
      </Box>
    </div>
  );
}

function Around({ name, range, sort }: { name: string; range: string; sort: string | null }) {
  const poll = usePoll(`${name} ${range}`, (options) => getSurroundings(name, windowNow(serverNowMs()), GRAPH_TRACES, options), Math.max(refreshMs(), GRAPH_LEAST_MS));
  const around = poll.data.value;
  return (
    <>
      <Box title="Around it" note="calls, median latency and failures on the way, of the newest traces">
        {around && <GraphBox graph={around.graph} focal={name} label={`Around ${name}`} />}
        {!around && poll.error.value && <BoxMessage height={HEIGHT} failed>{poll.error.value.message}</BoxMessage>}
        {!around && !poll.error.value && <div class="skeleton" style={{ height: '300px' }} aria-busy="true" />}
        {around && around.graph.edges.length > 0 && <Calls graph={around.graph} sort={sort} hold={range} />}
      </Box>
      {around && around.caches.length > 0 && (
        <Box title="Caches" note="of the kinds that it calls">
          <CachesTable caches={around.caches} />
        </Box>
      )}
    </>
  );
}

export function ServiceView({ name, query }: { name: string; query: URLSearchParams }) {
  const range = JSON.stringify(timeRange.value);
  const poll = usePoll(`${name} ${range}`, (options) => getService(name, windowNow(serverNowMs()), options), refreshMs());
  const figures = poll.data.value;
  if (!figures && poll.error.value) return <ErrorState error={poll.error.value} retry={poll.refresh} />;
  if (!figures) return <div class="skeleton page-skeleton" aria-busy="true" />;
  return (
    <>
      <PageHead title={<><a href={inRange(pageHref('services'))}>Services</a> <span class="muted">/</span> <ServiceName name={name} /></>}>
        <a href={inRange(searchHref({ service: name }))}>Its traces</a>
      </PageHead>
      <div class="page-body services">
        <Figures figures={figures} />
        <Charts name={name} figures={figures} />
        <Box title="Operations" note={plural(figures.operations.length, 'operation')}>
          {figures.operations.length > 0 ? (
            <OperationsTable service={name} operations={figures.operations} sort={query.get('by')} hold={range} />
          ) : (
            <BoxMessage height={HEIGHT}>No span of it was counted in this time.</BoxMessage>
          )}
        </Box>
        <div class="two">
          <Box title="Where it runs" note="versions by cell and host">
            {figures.running.length > 0 ? <RunningTable service={name} rows={figures.running} /> : <BoxMessage height={HEIGHT}>No process of it runs now.</BoxMessage>}
          </Box>
          <Box title="Deploys" note={figures.moreDeploys ? <>the newest {figures.deploys.length}; <a href={pageHref('deploys', '', { range: '30d' })}>there are more</a></> : plural(figures.deploys.length, 'deploy')}>
            {figures.deploys.length > 0 ? <DeploysTable deploys={figures.deploys} /> : <BoxMessage height={HEIGHT}>No deploy of it was seen.</BoxMessage>}
          </Box>
        </div>
        <Around name={name} range={range} sort={query.get('sort')} />
      </div>
      <StaleNotice error={poll.error.value} />
    </>
  );
}

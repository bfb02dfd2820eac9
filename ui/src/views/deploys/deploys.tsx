// SPDX-License-Identifier: Apache-2.0
/* Deploys, newest first, each with its verdict. */
import { getDeploys, getVerdicts, type Change, type Deploy } from '../../api/deploys';
import type { MarkOfTime } from '../../api/marks';
import { serverNowMs } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import { Box, DataTable, PageHead, sortingFrom, type Column } from '../../components/panel';
import { Ago, ServiceName } from '../../components/parts';
import { refreshMs } from '../../components/query-chart';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { plural, unixMs } from '../../model/format';
import { verdictOf, verdictText } from '../../model/verdict';
import { hrefWith, inRange, navigate, timeRange, windowNow } from '../../routes/location';
import { pageHref } from '../../routes/routes';
import type { PageProps } from '../pages';
import { ChangeTag } from './change-tag';
import { DeployView } from './deploy';
import './deploys.css';

/** Verdicts are worked out for so many, the newest. */
const MOST_VERDICTS = 40;

interface Row {
  mark: MarkOfTime;
  deploy: Deploy | undefined;
}

const RANKS: readonly Change[] = ['unknown', 'none', 'different', 'better', 'worse'];

const hrefOf = ({ id }: MarkOfTime) => inRange(pageHref('deploys', String(id)));

const COLUMNS: Column<Row>[] = [
  { id: 'when', title: 'When', cell: ({ mark }) => <Ago unixNs={mark.from_unix_ns} suffix=" ago" />, sortBy: ({ mark }) => unixMs(mark.from_unix_ns) },
  { id: 'service', title: 'Service', cell: ({ mark }) => <ServiceName name={mark.service ?? ''} />, sortBy: ({ mark }) => mark.service ?? '' },
  { id: 'version', title: 'Version', cell: ({ mark }) => <a href={hrefOf(mark)}>{mark.previous ? `${mark.previous} → ` : ''}{mark.version}</a>, sortBy: ({ mark }) => mark.version ?? '' },
  { id: 'cell', title: 'Cell', cell: ({ mark }) => mark.cell || '–', sortBy: ({ mark }) => mark.cell ?? '' },
  { id: 'hosts', title: 'Hosts', number: true, cell: ({ mark, deploy }) => (deploy?.rollout.of_hosts ? `${mark.count} of ${deploy.rollout.of_hosts}` : String(mark.count)), sortBy: ({ mark }) => mark.count },
  { id: 'verdict', title: 'Verdict', cell: ({ deploy }) => <ChangeTag change={verdictOf(deploy)} />, sortBy: ({ deploy }) => RANKS.indexOf(verdictOf(deploy)) },
  { id: 'text', title: 'What changed', grows: true, cell: ({ deploy }) => <span title={deploy && verdictText(deploy)}>{deploy ? verdictText(deploy) : 'open it for its verdict'}</span> },
];

function NoDeploys() {
  return (
    <State icon="threads" title="Nothing was deployed in this time">
      <p>
        A deploy shows by itself when a service’s processes begin to run with another WEFT_VERSION. Or look at{' '}
        <a href={hrefWith({ range: '7d', from: undefined, to: undefined })}>the last week</a>.
      </p>
    </State>
  );
}

function DeployList({ query }: { query: URLSearchParams }) {
  const range = JSON.stringify(timeRange.value);
  const poll = usePoll(
    range,
    async (options) => {
      const { marks, more } = await getDeploys(windowNow(serverNowMs()), options);
      const verdicts = await getVerdicts(marks, MOST_VERDICTS, options);
      return { more, rows: marks.map((mark): Row => ({ mark, deploy: verdicts.get(mark.id) })) };
    },
    refreshMs(),
  );
  const rows = poll.data.value?.rows;
  if (!rows && poll.error.value) return <ErrorState error={poll.error.value} retry={poll.refresh} />;
  if (!rows) return <div class="skeleton page-skeleton" aria-busy="true" />;
  const worse = rows.filter(({ deploy }) => verdictOf(deploy) === 'worse').length;
  return (
    <>
      <PageHead title="Deploys" note={rows.length === 0 ? '' : `${poll.data.value?.more ? 'the newest ' : ''}${plural(rows.length, 'deploy')}, ${worse === 0 ? 'none worse' : `${worse} worse`}${poll.data.value?.more ? '; choose an earlier time for older ones' : ''}`} />
      {rows.length === 0 && <NoDeploys />}
      {rows.length > 0 && (
        <div class="page-body deploys">
          <Box title="Each deploy" note="the new version against the old one, or the time after against the time before">
            <DataTable
              label="Deploys" rows={rows} columns={COLUMNS} keyOf={({ mark }) => String(mark.id)} hold={range}
              sorting={sortingFrom(query.get('sort'), 'when')} onSort={(sort) => navigate(hrefWith({ sort }), { replace: true })}
            />
          </Box>
        </div>
      )}
      <StaleNotice error={poll.error.value} />
    </>
  );
}

export default function DeploysPage({ id, query }: PageProps) {
  return id === '' ? <DeployList query={query} /> : <DeployView id={id} query={query} />;
}

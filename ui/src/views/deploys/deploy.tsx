// SPDX-License-Identifier: Apache-2.0
/*
 * One deploy: what it did, in figures with their confidence; how far it came; the old version against
 * the new one in lines, shapes and traces. Its time is the deploy's own until somebody chooses another.
 */
import { getDeploy, getDeploys, getVerdicts, type Deploy } from '../../api/deploys';
import type { MarkOfTime } from '../../api/marks';
import { serverNowMs } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import { Fact, Facts } from '../../components/facts';
import { Box, DataTable, PageHead, type Column } from '../../components/panel';
import { Ago, ServiceName } from '../../components/parts';
import { ErrorState, StaleNotice } from '../../components/states';
import { formatDuration, plural, unixMs } from '../../model/format';
import { momentText, type Window } from '../../model/time-range';
import { changeWord, verdictOf, verdictText } from '../../model/verdict';
import { inRange, utc, windowNow } from '../../routes/location';
import { pageHref } from '../../routes/routes';
import { ChangeTag } from './change-tag';
import { Comparisons } from './comparisons';
import { DeployCharts } from './charts';
import { Shapes } from './shapes';
import { VersionTraces } from './traces';

const REFRESH_MS = 10_000;
const BEFORE_MS = 15 * 60_000;
const AFTER_MS = 30 * 60_000;
const DAY_MS = 86_400_000;

interface Known {
  deploy: Deploy;
  /** The same version in all cells, the first one first. */
  cells: { mark: MarkOfTime; deploy: Deploy | undefined }[];
}

async function ask(id: string, options: Parameters<typeof getDeploy>[1]): Promise<Known> {
  const deploy = await getDeploy(id, options);
  const at = unixMs(deploy.mark.from_unix_ns);
  const { marks: near } = await getDeploys({ fromMs: at - DAY_MS, toMs: at + DAY_MS }, options);
  const same = near.filter(({ service, version }) => service === deploy.mark.service && version === deploy.mark.version).reverse();
  const verdicts = await getVerdicts(same.filter((mark) => mark.id !== deploy.mark.id), 20, options);
  verdicts.set(deploy.mark.id, deploy);
  return { deploy, cells: same.map((mark) => ({ mark, deploy: verdicts.get(mark.id) })) };
}

const CELL_COLUMNS: Column<Known['cells'][number]>[] = [
  { id: 'cell', title: 'Cell', cell: ({ mark }) => <a href={inRange(pageHref('deploys', String(mark.id)))}>{mark.cell || 'without a cell'}</a> },
  { id: 'from', title: 'First host', cell: ({ mark }) => momentText(unixMs(mark.from_unix_ns), utc.value) },
  { id: 'to', title: 'Last host so far', cell: ({ mark }) => momentText(unixMs(mark.to_unix_ns), utc.value) },
  { id: 'hosts', title: 'Hosts', number: true, cell: ({ mark, deploy }) => (deploy?.rollout.of_hosts ? `${mark.count} of ${deploy.rollout.of_hosts}` : String(mark.count)) },
  { id: 'verdict', title: 'Verdict', cell: ({ deploy }) => <ChangeTag change={deploy?.cell.change ?? 'unknown'} /> },
  { id: 'text', title: 'What changed', grows: true, cell: ({ deploy }) => (deploy ? verdictText(deploy) : '') },
];

const BASIS = { none: 'too early, or too few requests', versions: 'new against old version', times: 'after against before' };

function Figures({ deploy }: { deploy: Deploy }) {
  const { mark, rollout, cell, service } = deploy;
  const tookNs = (unixMs(mark.to_unix_ns) - unixMs(mark.from_unix_ns)) * 1e6;
  const hosts = rollout.first_host ? (rollout.hosts === 1 ? `on ${rollout.first_host}` : `from ${rollout.first_host} to ${rollout.last_host ?? ''}`) : '';
  return (
    <Facts label="The deploy">
      <Fact label={mark.cell ? `In cell ${mark.cell}` : 'Verdict'} bad={cell.change === 'worse'} under={BASIS[cell.basis]}>
        {changeWord(cell.change)}
      </Fact>
      <Fact label="In the whole service" bad={service.change === 'worse'} under={BASIS[service.basis]}>
        {changeWord(service.change)}
      </Fact>
      <Fact label="Came to" under={hosts}>{rollout.of_hosts ? `${rollout.hosts} of ${plural(rollout.of_hosts, 'host')}` : plural(rollout.hosts, 'host')}</Fact>
      <Fact label="Began" under={momentText(unixMs(mark.from_unix_ns), utc.value)}><Ago unixNs={mark.from_unix_ns} suffix=" ago" /></Fact>
      <Fact label="Took" under="from the first host to the last">{tookNs > 0 ? formatDuration(tookNs) : 'one host'}</Fact>
    </Facts>
  );
}

function windowOf({ mark }: Deploy, query: URLSearchParams): Window {
  if (query.has('range') || query.has('from')) return windowNow(serverNowMs());
  const fromMs = unixMs(mark.from_unix_ns);
  const wanted = unixMs(mark.to_unix_ns) + AFTER_MS;
  /* By whole ten seconds, so that what is asked changes as seldom as the answer does. */
  const toMs = Math.min(wanted, Math.floor(serverNowMs() / REFRESH_MS) * REFRESH_MS);
  return { fromMs: fromMs - BEFORE_MS, toMs: Math.max(toMs, fromMs) };
}

export function DeployView({ id, query }: { id: string; query: URLSearchParams }) {
  const poll = usePoll(id, (options) => ask(id, options), REFRESH_MS);
  const known = poll.data.value;
  if (!known && poll.error.value) return <ErrorState error={poll.error.value} retry={poll.refresh} />;
  if (!known) return <div class="skeleton page-skeleton" aria-busy="true" />;
  const { deploy, cells } = known;
  const { mark } = deploy;
  const window = windowOf(deploy, query);
  return (
    <>
      <PageHead
        title={<><a href={inRange(pageHref('deploys'))}>Deploys</a> <span class="muted">/</span> {mark.title}{mark.cell ? ` in ${mark.cell}` : ''}</>}
        note={<><ServiceName name={mark.service ?? ''} /> {mark.previous ? `${mark.previous} → ${mark.version ?? ''}` : mark.version}</>}
      >
        <ChangeTag change={verdictOf(deploy)} />
      </PageHead>
      <div class="page-body deploys">
        <Figures deploy={deploy} />
        <Box title="Roll-out by cell" note={plural(cells.length, 'cell')}>
          <DataTable label="Roll-out by cell" rows={cells} columns={CELL_COLUMNS} keyOf={({ mark: each }) => String(each.id)} />
        </Box>
        <div class="two">
          <Comparisons title={mark.cell ? `Cell ${mark.cell}` : 'The service where it was deployed'} verdict={deploy.cell} />
          <Comparisons title="The whole service" verdict={deploy.service} />
        </div>
        <Shapes deploy={deploy} />
        <DeployCharts deploy={deploy} cells={cells.map((each) => each.mark)} window={window} />
        <VersionTraces mark={mark} window={window} />
      </div>
      <StaleNotice error={poll.error.value} />
    </>
  );
}

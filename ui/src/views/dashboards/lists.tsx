// SPDX-License-Identifier: Apache-2.0
/* Panels that PromQL does not answer: deploys with their verdicts, phases, losses, the heaviest keys and clients. */
import type { ComponentChildren } from 'preact';
import { getHeavy, type HeavyRow, type List } from '../../api/caches';
import { getJson, getStatus, withQuery, type CallOptions } from '../../api/client';
import { getDeploys, getVerdicts, type Change, type Deploy } from '../../api/deploys';
import type { MarkOfTime } from '../../api/marks';
import { serverNowMs } from '../../api/session';
import type { Loss } from '../../api/wire';
import { usePoll } from '../../api/use-poll';
import { BoxMessage, DataTable, type Column } from '../../components/panel';
import { Ago, ServiceName } from '../../components/parts';
import { refreshMs } from '../../components/query-chart';
import { formatCount, formatDuration, formatPercent, formatRate } from '../../model/format';
import { placeInWords } from '../../model/losses';
import type { PanelKind } from '../../model/dashboard';
import { inRange, timeRange, windowNow } from '../../routes/location';
import { traceHref } from '../../routes/routes';

const JUDGED_MOST = 12;
const SHOWN_MOST = 50;

interface ListProps<Row> {
  kind: string;
  title: string;
  height: number;
  empty: string;
  ask: (options: CallOptions) => Promise<Row[]>;
  columns: Column<Row>[];
  keyOf: (row: Row) => string;
}

function List<Row>({ kind, title, height, empty, ask, columns, keyOf }: ListProps<Row>) {
  const poll = usePoll(JSON.stringify([kind, timeRange.value]), ask, Math.max(refreshMs(), 10_000));
  const rows = poll.data.value;
  let body: ComponentChildren;
  if (!rows && poll.error.value) body = <BoxMessage height={height} failed>{poll.error.value.message}</BoxMessage>;
  else if (!rows) body = <div class="skeleton dashboard-fill" aria-busy="true" />;
  else if (rows.length === 0) body = <BoxMessage height={height - 8}>{empty}</BoxMessage>;
  else body = <DataTable label={title} rows={rows} columns={columns} keyOf={keyOf} />;
  return <div class="dashboard-list" style={{ '--height': `${height}px` }}>{body}</div>;
}

const now = () => windowNow(serverNowMs());

interface Judged {
  mark: MarkOfTime;
  deploy: Deploy | undefined;
}

const CHANGES: Record<Change, string> = { better: 'better', worse: 'worse', different: 'different', none: 'no change', unknown: 'too early' };

const DEPLOYS: Column<Judged>[] = [
  { id: 'title', title: 'Deploy', grows: true, cell: ({ mark }) => <a href={inRange(`/deploys/${mark.id}`)} title={mark.text}>{mark.title}</a> },
  { id: 'cell', title: 'Cell', cell: ({ mark }) => mark.cell ?? '' },
  {
    id: 'verdict', title: 'Verdict',
    cell: ({ deploy }) => (deploy ? <span class={`verdict ${deploy.cell.change}`}>{CHANGES[deploy.cell.change]}</span> : <span class="muted">–</span>),
  },
  { id: 'when', title: 'When', number: true, cell: ({ mark }) => <Ago unixNs={mark.from_unix_ns} suffix=" ago" /> },
];

interface Phase {
  what: 'operation' | 'unknown' | 'rest';
  service?: string;
  operation?: string;
  traces: number;
  share: number;
  p50_ns: number;
  p99_ns: number;
  exemplars?: string[];
}

const WHAT = { operation: '', unknown: 'in no known span', rest: 'other operations' } as const;

const PHASES: Column<Phase>[] = [
  {
    id: 'operation', title: 'Operation', grows: true,
    cell: (phase) => (phase.service ? <span class="dashboard-operation"><ServiceName name={phase.service} /> {phase.operation}</span> : <span class="muted">{WHAT[phase.what]}</span>),
  },
  { id: 'share', title: 'Of the time', number: true, cell: (phase) => formatPercent(phase.share) },
  { id: 'p50', title: 'p50', number: true, cell: (phase) => formatDuration(phase.p50_ns) },
  { id: 'p99', title: 'p99', number: true, cell: (phase) => formatDuration(phase.p99_ns) },
  { id: 'trace', title: 'Example', cell: ({ exemplars }) => (exemplars?.[0] ? <a class="mono" href={inRange(traceHref(exemplars[0]))}>{exemplars[0].slice(0, 8)}</a> : '') },
];

const LOSSES: Column<Loss>[] = [
  { id: 'count', title: 'Lost', number: true, cell: (loss) => formatCount(loss.count) },
  { id: 'reason', title: 'Reason', grows: true, cell: (loss) => <span title={loss.explanation}>{loss.reason}</span> },
  { id: 'place', title: 'Where', cell: (loss) => placeInWords(loss.place) },
  { id: 'service', title: 'Service', cell: (loss) => (loss.service ? <ServiceName name={loss.service} /> : '–') },
  { id: 'agent', title: 'Agent', cell: (loss) => loss.agent ?? '–' },
];

const heavyColumns = (what: string): Column<HeavyRow>[] => [
  { id: 'key', title: what, grows: true, cell: (row) => <span class="mono" title={row.key}>{row.key}</span> },
  { id: 'share', title: 'Of the calls', number: true, cell: (row) => formatPercent(row.share) },
  { id: 'rate', title: 'Calls', number: true, cell: (row) => formatRate(row.per_second) },
];

const heavy = (list: List) => async (options: CallOptions) => (await getHeavy('', list, 'calls', now(), SHOWN_MOST, options)).rows;

async function judged(options: CallOptions): Promise<Judged[]> {
  const { marks } = await getDeploys(now(), options);
  const verdicts = await getVerdicts(marks, JUDGED_MOST, options);
  return marks.slice(0, SHOWN_MOST).map((mark) => ({ mark, deploy: verdicts.get(mark.id) }));
}

async function phases(options: CallOptions): Promise<Phase[]> {
  const { fromMs, toMs } = now();
  const asked = { limit: 200, start: `${Math.floor(fromMs)}000000`, end: `${Math.ceil(toMs)}000000` };
  return (await getJson<{ phases: Phase[] }>(withQuery('/api/v1/analysis/phases', asked), { timeoutMs: 40_000, ...options })).phases.slice(0, SHOWN_MOST);
}

export function ListPanel({ kind, title, height }: { kind: PanelKind; title: string; height: number }) {
  const shared = { kind, title, height };
  switch (kind) {
    case 'deploys':
      return <List {...shared} empty="Nothing was deployed in this time." ask={judged} columns={DEPLOYS} keyOf={({ mark }) => String(mark.id)} />;
    case 'phases':
      return <List {...shared} empty="No trace is of this time." ask={phases} columns={PHASES} keyOf={(phase) => `${phase.what} ${phase.service} ${phase.operation}`} />;
    case 'losses':
      return (
        <List
          {...shared} empty="Nothing was lost since the ledger was begun." columns={LOSSES}
          ask={async (options) => (await getStatus(options)).losses} keyOf={(loss) => [loss.place, loss.reason, loss.agent, loss.service].join('\n')}
        />
      );
    case 'heavy-keys':
      return <List {...shared} empty="No cache was seen in this time." ask={heavy('keys')} columns={heavyColumns('Key')} keyOf={(row) => row.key} />;
    default:
      return <List {...shared} empty="No cache was seen in this time." ask={heavy('clients')} columns={heavyColumns('Client')} keyOf={(row) => row.key} />;
  }
}

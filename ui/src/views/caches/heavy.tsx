// SPDX-License-Identifier: Apache-2.0
/* The heaviest keys, patterns or clients, of one cache or of all, with how wrong a count may be. */
import { getHeavy, LISTS, ORDERS, type HeavyRow, type HeavyRows, type List, type Order } from '../../api/caches';
import { serverNowMs } from '../../api/session';
import { usePoll } from '../../api/use-poll';
import { Box, BoxMessage, DataTable, type Column } from '../../components/panel';
import { Segments } from '../../components/parts';
import { refreshMs } from '../../components/query-chart';
import { formatBytes, formatCount, formatPercent, formatRate } from '../../model/format';
import { hrefWith, navigate, timeRange, windowNow } from '../../routes/location';

const SHOWN = 50;
const HEIGHT = 240;

export interface HeavyState {
  list: List;
  by: Order;
}

export const heavyFrom = (query: URLSearchParams): HeavyState => ({
  list: LISTS.find((list) => list === query.get('list')) ?? 'keys',
  by: ORDERS.find((by) => by === query.get('by')) ?? 'calls',
});

const ONE: Record<List, string> = { keys: 'Key', patterns: 'Pattern', clients: 'Client' };

/* Bars are as long as a row is heavy, the heaviest one fills its own. */
function columns({ list, by }: HeavyState, most: number): Column<HeavyRow>[] {
  return [
    { id: 'key', title: ONE[list], grows: true, cell: (row) => <span class="mono" title={row.key}>{row.key === '' ? '(empty)' : row.key}</span> },
    {
      id: 'share', title: 'Share', number: true,
      cell: (row) => (
        <>
          <span class="share-bar" aria-hidden="true" style={{ '--share': `${(row.share / most) * 100}%` }} />
          {formatPercent(row.share)}
        </>
      ),
    },
    { id: 'rate', title: by === 'bytes' ? 'Bytes/s' : `${by === 'misses' ? 'Misses' : 'Calls'}/s`, number: true, cell: (row) => (by === 'bytes' ? `${formatBytes(row.per_second)}/s` : formatRate(row.per_second)) },
    { id: 'calls', title: 'Calls', number: true, cell: (row) => formatCount(row.calls) },
    { id: 'bytes', title: 'Bytes', number: true, cell: (row) => formatBytes(row.bytes) },
    { id: 'misses', title: 'Misses', number: true, cell: (row) => formatCount(row.misses) },
    { id: 'error', title: 'Too low by at most', number: true, cell: (row) => (row.error === 0 ? 'exact' : by === 'bytes' ? formatBytes(row.error) : formatCount(row.error)) },
  ];
}

function note(answer: HeavyRows | undefined, by: Order): string {
  if (!answer) return '\u00a0';
  const amount = (count: number) => (by === 'bytes' ? formatBytes(count) : formatCount(count));
  const rest = answer.rest === 0 ? 'all are told' : `none beyond these has more than ${amount(answer.rest)}`;
  return `${amount(answer.total)} ${by} in ${formatCount(answer.windows)} windows; about ${formatCount(answer.distinct_keys)} different keys; ${rest}`;
}

/** `id` '': of all caches together. */
export function Heavy({ id, state }: { id: string; state: HeavyState }) {
  const { list, by } = state;
  const poll = usePoll(
    JSON.stringify([id, list, by, timeRange.value]),
    (options) => getHeavy(id, list, by, windowNow(serverNowMs()), SHOWN, options),
    refreshMs(),
  );
  const answer = poll.data.value;
  const set = (params: Record<string, string | undefined>) => navigate(hrefWith(params));
  return (
    <Box
      title="Heaviest"
      note={note(answer, by)}
      aside={
        <span class="heavy-controls">
          <Segments
            name="list" legend="Of what" value={list} onChange={(value) => set({ list: value === 'keys' ? undefined : value })}
            choices={[{ value: 'keys', label: 'Keys' }, { value: 'patterns', label: 'Patterns' }, { value: 'clients', label: 'Clients' }]}
          />
          <Segments
            name="by" legend="By what" value={by} onChange={(value) => set({ by: value === 'calls' ? undefined : value })}
            choices={[{ value: 'calls', label: 'Calls' }, { value: 'bytes', label: 'Bytes' }, { value: 'misses', label: 'Misses' }]}
          />
        </span>
      }
    >
      {answer && answer.rows.length > 0 && <DataTable label={`Heaviest ${list}`} rows={answer.rows} columns={columns(state, answer.rows[0]?.share || 1)} keyOf={(row) => row.key} />}
      {answer?.rows.length === 0 && <BoxMessage height={HEIGHT}>No window of a cache touches this time.</BoxMessage>}
      {!answer && poll.error.value && <BoxMessage height={HEIGHT} failed>{poll.error.value.message}</BoxMessage>}
      {!answer && !poll.error.value && <div class="skeleton" style={{ height: `${HEIGHT}px` }} aria-busy="true" />}
    </Box>
  );
}

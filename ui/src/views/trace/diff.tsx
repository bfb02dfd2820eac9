// SPDX-License-Identifier: Apache-2.0
/* This trace beside another: which operations took more of the answer's time, or less. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { getDiff, type Diff, type DiffRow } from '../../api/analysis';
import { asApiError, isAbort } from '../../api/error';
import { token } from '../../api/session';
import { Box, BoxMessage, DataTable, type Column } from '../../components/panel';
import { ServiceName } from '../../components/parts';
import { formatCount, formatDuration } from '../../model/format';
import { inRange } from '../../routes/location';
import { traceHref, traceIdIn } from '../../routes/routes';
import type { LookProps } from './toolbar';

const HEIGHT = 220;

const signed = (ns: number) => (ns > 0 ? `+${formatDuration(ns)}` : formatDuration(ns));
const toneOf = (change: number) => (change > 0 ? 'worse' : change < 0 ? 'better' : 'muted');

function Change({ ns, most }: { ns: number; most: number }) {
  return (
    <span class={`change ${toneOf(ns)}`}>
      <span class="change-bar" aria-hidden="true">
        <span class={ns > 0 ? 'up' : 'down'} style={{ width: `${(Math.abs(ns) / most) * 50}%` }} />
      </span>
      <span class="amount">{ns === 0 ? '0' : signed(ns)}</span>
    </span>
  );
}

function columns(most: number): Column<DiffRow>[] {
  return [
    { id: 'service', title: 'Service', cell: ({ operation }) => (operation ? <ServiceName name={operation.service} /> : '') },
    { id: 'operation', title: 'Operation', grows: true, cell: ({ operation, rest }) => (rest ? 'all others' : <span title={operation?.operation}>{operation?.operation}</span>) },
    { id: 'change', title: 'Critical path', number: true, cell: (row) => <Change ns={row.critical_change_ns} most={most} /> },
    { id: 'a', title: 'Here', number: true, cell: (row) => formatDuration(row.b.critical_ns) },
    { id: 'b', title: 'There', number: true, cell: (row) => formatDuration(row.a.critical_ns) },
    { id: 'self', title: 'Self', number: true, cell: (row) => signed(row.self_change_ns) },
    { id: 'spans', title: 'Spans here, there', number: true, cell: (row) => `${formatCount(row.b.spans)}, ${formatCount(row.a.spans)}` },
    { id: 'errors', title: 'Failed', number: true, cell: (row) => `${formatCount(row.b.errors + row.b.died)}, ${formatCount(row.a.errors + row.a.died)}` },
  ];
}

function useDiff(other: string, traceId: string) {
  const state = useSignal<{ diff?: Diff; fault?: string }>({});
  useEffect(() => {
    const control = new AbortController();
    state.value = {};
    if (other === '') return undefined;
    getDiff(other, traceId, 'operation', { signal: control.signal, token: token.value }).then(
      (diff) => (state.value = { diff }),
      (caught: unknown) => {
        if (!isAbort(caught)) state.value = { fault: asApiError(caught).message };
      },
    );
    return () => control.abort();
  }, [other, traceId]);
  return state.value;
}

function Choose({ look, setLook }: LookProps) {
  const text = useSignal(look.other);
  const wrong = useSignal(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const other = traceIdIn(text.value);
    wrong.value = other === undefined && text.value.trim() !== '';
    if (!wrong.value) setLook({ other: other ?? '' });
  };
  return (
    <form class="diff-form" onSubmit={submit}>
      <label>
        The other trace
        <input class="field mono" value={text.value} placeholder="its id, or an address with it" aria-invalid={wrong.value} spellcheck={false} onInput={(event) => (text.value = event.currentTarget.value)} />
      </label>
      <button class="button primary">Compare</button>
      {wrong.value && (
        <span class="bad" role="alert">
          A trace id has 32 hexadecimal digits.
        </span>
      )}
    </form>
  );
}

export function DiffPanel(props: LookProps) {
  const { store, look } = props;
  const traceId = store.trace.value.trace_id;
  const { diff, fault } = useDiff(look.other, traceId);
  const most = Math.max(1, ...(diff?.rows ?? []).map((row) => Math.abs(row.critical_change_ns)));
  const change = diff ? diff.b.total_ns - diff.a.total_ns : 0;
  return (
    <div class="trace-panel">
      <Box title="Compared with another trace" aside={<Choose key={look.other} {...props} />}>
        {look.other === '' && <BoxMessage height={HEIGHT}>Give the id of a trace of the same kind: a quick one beside a slow one tells where the time went.</BoxMessage>}
        {fault !== undefined && <BoxMessage height={HEIGHT} failed>{fault}</BoxMessage>}
        {look.other !== '' && !diff && fault === undefined && <div class="skeleton diff-skeleton" aria-busy="true" />}
        {diff && (
          <>
            <p class="diff-sum">
              This one took <strong>{formatDuration(diff.b.total_ns)}</strong>,{' '}
              <a href={inRange(traceHref(look.other))}>the other</a> {formatDuration(diff.a.total_ns)}:{' '}
              <strong class={toneOf(change)}>{change === 0 ? 'the same' : signed(change)}</strong>
            </p>
            <DataTable label="Differences" rows={diff.rows} columns={columns(most)} keyOf={(row) => JSON.stringify(row.operation ?? 'rest')} />
          </>
        )}
      </Box>
    </div>
  );
}

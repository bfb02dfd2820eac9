// SPDX-License-Identifier: Apache-2.0
/* The traces found: while the search goes on, as a table with columns of one's choice, or by root operation. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { FoundTrace } from '../../api/search';
import { Box, BoxMessage, DataTable, sortingFrom, type Column } from '../../components/panel';
import { Icon } from '../../components/icon';
import { Mark, Segments, ServiceName } from '../../components/parts';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { formatBytes, formatCount, formatDuration, formatMoment, plural, unixMs } from '../../model/format';
import type { Region } from '../../model/duration-map';
import { mergeLive } from '../../model/live-list';
import { groupByRoot, type TraceGroup } from '../../model/trace-groups';
import { hrefWith, inRange, navigate, utc } from '../../routes/location';
import { traceHref } from '../../routes/routes';
import { LIMITS } from './search';
import { stands, type SearchState } from './use-search';

const HEIGHT = 160;
const DEFAULT_COLUMNS = 'started,root,duration,spans,matched,status,services';

const hrefOf = (trace: FoundTrace) => inRange(traceHref(trace.trace_id, trace.spansets[0]?.spans[0]?.span_id));
const failures = (trace: FoundTrace) => trace.error_count + trace.died_count;

function Status({ trace }: { trace: FoundTrace }) {
  return (
    <span class="found-status">
      <Worst trace={trace} />
      {!trace.complete && <Mark kind="incomplete" title="A root or some parent has not arrived">incomplete</Mark>}
    </span>
  );
}

function Worst({ trace }: { trace: FoundTrace }) {
  if (trace.died_count > 0) return <Mark kind="died">{formatCount(trace.died_count)} died</Mark>;
  if (trace.error_count > 0) return <Mark kind="error">{plural(trace.error_count, 'error')}</Mark>;
  if (trace.in_flight_count > 0) return <Mark kind="in_flight">in flight</Mark>;
  return <span class="muted">ok</span>;
}

const COLUMNS: Column<FoundTrace>[] = [
  { id: 'started', title: 'Started', cell: (t) => <time title={formatMoment(unixMs(t.start_unix_ns), utc.value)}>{formatMoment(unixMs(t.start_unix_ns), utc.value).slice(5)}</time>, sortBy: (t) => t.start_unix_ns },
  {
    id: 'root', title: 'Root', grows: true, sortBy: (t) => `${t.root?.service} ${t.root?.operation}`,
    cell: (t) => (
      <a class="trace-row" href={hrefOf(t)}>
        {t.root && <ServiceName name={t.root.service} />}
        <span class="clip">{t.root?.operation ?? 'no root yet'}</span>
      </a>
    ),
  },
  { id: 'duration', title: 'Duration', number: true, cell: (t) => formatDuration(t.duration_ns), sortBy: (t) => t.duration_ns },
  { id: 'spans', title: 'Spans', number: true, cell: (t) => formatCount(t.span_count), sortBy: (t) => t.span_count },
  { id: 'matched', title: 'Matched', number: true, cell: (t) => formatCount(matchedOf(t)), sortBy: matchedOf },
  { id: 'longest', title: 'Longest match', number: true, cell: (t) => formatDuration(longestOf(t)), sortBy: longestOf },
  { id: 'status', title: 'Status', cell: (t) => <Status trace={t} />, sortBy: failures },
  { id: 'services', title: 'Services', cell: (t) => <span class="found-services">{t.services.slice(0, 4).map(({ name }) => <ServiceName key={name} name={name} />)}{t.services.length > 4 && ` +${t.services.length - 4}`}</span>, sortBy: (t) => t.services.length },
  { id: 'id', title: 'Trace', cell: (t) => <a class="mono" href={hrefOf(t)}>{t.trace_id}</a> },
];

function matchedOf({ spansets }: FoundTrace): number {
  return spansets.reduce((sum, { matched }) => sum + matched, 0);
}

function longestOf({ spansets }: FoundTrace): number {
  return Math.max(0, ...spansets.flatMap(({ spans }) => spans.map(({ duration_ns }) => duration_ns)));
}

/** A column for each field that the query mentions. */
function valueColumns(traces: readonly FoundTrace[]): Column<FoundTrace>[] {
  const fields = new Set<string>();
  for (const { spansets } of traces) for (const { spans } of spansets) for (const { values } of spans) for (const key of Object.keys(values ?? {})) fields.add(key);
  return [...fields].sort().map((field) => {
    const text = ({ spansets }: FoundTrace) => {
      const all = new Set(spansets.flatMap(({ spans }) => spans.flatMap(({ values }) => (values && field in values ? [String(values[field])] : []))));
      return [...all].join(', ');
    };
    return { id: `v:${field}`, title: field, cell: (t) => <span class="mono found-value" title={text(t)}>{text(t)}</span>, sortBy: text };
  });
}

const GROUP_COLUMNS: Column<TraceGroup>[] = [
  { id: 'service', title: 'Service', cell: (g) => (g.service ? <ServiceName name={g.service} /> : '–'), sortBy: (g) => g.service },
  { id: 'operation', title: 'Root operation', grows: true, cell: (g) => g.operation || 'no root yet', sortBy: (g) => g.operation },
  { id: 'traces', title: 'Traces', number: true, cell: (g) => formatCount(g.traces), sortBy: (g) => g.traces },
  { id: 'failed', title: 'Failed', number: true, cell: (g) => formatCount(g.failed), sortBy: (g) => g.failed },
  { id: 'p50', title: 'p50', number: true, cell: (g) => formatDuration(g.p50Ns), sortBy: (g) => g.p50Ns },
  { id: 'p90', title: 'p90', number: true, cell: (g) => formatDuration(g.p90Ns), sortBy: (g) => g.p90Ns },
  { id: 'longest', title: 'Longest', number: true, cell: (g) => <a href={inRange(traceHref(g.longestId))}>{formatDuration(g.longestNs)}</a>, sortBy: (g) => g.longestNs },
];

/** How far the search is; it keeps its place when it is done. */
function Progress({ state }: { state: SearchState }) {
  const { progress, busy } = state;
  const share = !busy ? 1 : progress && progress.units > 0 ? progress.units_done / progress.units : 0;
  return (
    <div class={busy ? 'search-progress busy' : 'search-progress'} role="progressbar" aria-label="Search" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
      <div style={{ width: `${share * 100}%` }} />
    </div>
  );
}

const ENDS: Record<string, string> = {
  limit: 'there are more', deadline: 'the time for a search was over', memory: 'the memory for a search was used up', no_memory: 'other searches had the memory', cancelled: 'cancelled',
};

function note(state: SearchState): string {
  const { progress, result, traces } = state;
  /* What is still shown then was found by the search before. */
  if (!progress && !result) return traces.length > 0 ? 'Searching…' : '\u00a0';
  const looked = progress ? ` · ${formatCount(progress.spans_done)} of ${formatCount(progress.spans)} spans looked at, ${formatBytes(progress.bytes_done)}` : '';
  if (!result) return `${plural(traces.length, 'trace')} so far${looked}`;
  const parts = [ENDS[result.end], result.explanation, result.partial ? 'something was not looked at, or is damaged' : undefined];
  if (result.complete_since_unix_ns) parts.push(`older ones than ${formatMoment(unixMs(result.complete_since_unix_ns), utc.value).slice(0, 19)} were aged out`);
  return [plural(traces.length, 'trace'), ...parts.filter(Boolean)].join('; ') + looked;
}

function ColumnChooser({ all, chosen }: { all: readonly Column<FoundTrace>[]; chosen: readonly string[] }) {
  const toggle = (id: string) => {
    const next = chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id];
    const cols = all.map((column) => column.id).filter((each) => next.includes(each)).join(',');
    navigate(hrefWith({ cols: cols === DEFAULT_COLUMNS ? undefined : cols }), { replace: true });
  };
  return (
    <details class="columns">
      <summary class="button small">Columns</summary>
      <div class="columns-list">
        {all.map(({ id, title }) => (
          <label key={id} class="check">
            <input type="checkbox" checked={chosen.includes(id)} onChange={() => toggle(id)} />
            {title}
          </label>
        ))}
      </div>
    </details>
  );
}

/* While the reader is on the list its rows keep their places, and what is newer waits. Only rows of a whole answer
 * are kept, and only for the search that found them. */
function useHeld({ traces, of, result }: SearchState, holding: boolean) {
  const last = useRef<{ of: string | undefined; shown: readonly FoundTrace[] }>({ of: undefined, shown: [] });
  const list = useMemo(() => mergeLive(last.current.shown, traces, holding && last.current.of === of && last.current.shown.length > 0), [traces, of, holding]);
  last.current = { of: result ? of : undefined, shown: list.shown };
  return list;
}

/* The pointer and the focus each keep the rows that are shown where they are: the pointer in the whole box, as on the
 * way to the button that lets go it must not; the focus in the list alone. */
function useReader() {
  const box = useRef<HTMLDivElement>(null);
  const pointed = useSignal(false);
  const focused = useSignal(false);
  /* What is taken away tells of no loss of the focus. */
  useEffect(() => {
    if (!box.current?.contains(document.activeElement)) focused.value = false;
  });
  return {
    reads: pointed.value || focused.value,
    letGo: () => {
      pointed.value = false;
      focused.value = false;
    },
    pointer: {
      onPointerEnter: (event: PointerEvent) => (pointed.value = event.pointerType === 'mouse'),
      onPointerLeave: () => (pointed.value = false),
    },
    focus: {
      ref: box,
      onFocusIn: () => (focused.value = true),
      onFocusOut: (event: FocusEvent) => (focused.value = box.current?.contains(event.relatedTarget as Node | null) ?? false),
    },
  };
}

function Nothing({ query }: { query: URLSearchParams }) {
  if (query.has('q')) return <BoxMessage height={HEIGHT}>No trace fits. Widen the time range, or leave a condition out.</BoxMessage>;
  return (
    <State icon="threads" title="No traces in this time">
      <p>
        Widen the time range. If nothing was ever recorded: is an agent connected? The <a href={inRange('/status')}>pipeline page</a> says so. A
        service records once it links libweft and an agent runs on its host; <span class="mono">weft demo</span> starts a small site that does.
      </p>
    </State>
  );
}

export function Results(props: { state: SearchState; live: boolean | undefined; limit: number; query: URLSearchParams; region: Region | undefined; retry: () => void }) {
  const { state, live, limit, query, region, retry } = props;
  const { reads, letGo, pointer, focus } = useReader();
  const { shown, waiting } = useHeld(state, live === true && reads);
  const grouped = query.get('group') === 'root';
  const fields = valueColumns(state.traces);
  const all = [...COLUMNS, ...fields];
  const chosen = (query.get('cols') ?? [DEFAULT_COLUMNS, ...fields.map(({ id }) => id)].join(',')).split(',');
  const onSort = (sort: string) => navigate(hrefWith({ sort }), { replace: true });
  const stale = state.traces.length > 0 && state.error && !stands(state.error) ? state.error : undefined;
  if (state.error && !('column' in state.error) && !stale) return <ErrorState error={state.error} retry={retry} />;
  if (state.error && !stale) return null;
  return (
    <div class="results" {...pointer}>
      <Box
        title={region ? 'Traces of the region' : 'Traces'}
        note={note(state)}
        aside={
          <span class="result-tools">
            {live && (
              <button type="button" class={waiting > 0 ? 'button waiting' : 'button waiting none'} disabled={waiting === 0} onClick={letGo}>
                {plural(waiting, 'new trace')}
              </button>
            )}
            {live !== undefined && (
              <button type="button" class={live ? 'button live on' : 'button live'} aria-pressed={live} onClick={() => navigate(hrefWith({ live: live ? undefined : 'on' }), { replace: true })}>
                <Icon name={live ? 'pause' : 'play'} />
                {live ? 'Following' : 'Follow'}
              </button>
            )}
            <Segments
              name="group" legend="How traces are listed" value={grouped ? 'root' : ''}
              choices={[{ value: '', label: 'Each' }, { value: 'root', label: 'By root' }]}
              onChange={(value) => navigate(hrefWith({ group: value || undefined, sort: undefined }))}
            />
            {!grouped && <ColumnChooser all={all} chosen={chosen} />}
            <label class="check">
              At most
              <select class="field" aria-label="Traces at most" value={String(limit)} onChange={(event) => navigate(hrefWith({ limit: event.currentTarget.value }))}>
                {LIMITS.map((each) => (
                  <option key={each} value={String(each)}>
                    {each}
                  </option>
                ))}
              </select>
            </label>
          </span>
        }
      >
        <Progress state={state} />
        <div {...focus}>
          {state.traces.length === 0 && (
            state.busy ? <BoxMessage height={HEIGHT}>Searching…</BoxMessage> : <Nothing query={query} />
          )}
          {state.traces.length > 0 && grouped && (
            <DataTable label="Traces by root operation" rows={groupByRoot(state.traces)} columns={GROUP_COLUMNS} keyOf={(group) => group.key} sorting={sortingFrom(query.get('sort'), 'traces')} onSort={onSort} />
          )}
          {state.traces.length > 0 && !grouped && (
            <DataTable label="Traces" rows={shown} columns={all.filter(({ id }) => chosen.includes(id))} keyOf={(trace) => trace.trace_id} sorting={sortingFrom(query.get('sort'), 'started')} onSort={onSort} />
          )}
        </div>
        <StaleNotice error={stale} />
      </Box>
    </div>
  );
}

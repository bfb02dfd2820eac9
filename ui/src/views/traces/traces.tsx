// SPDX-License-Identifier: Apache-2.0
/*
 * Recent traces, newest first, refreshed while one looks. The list holds still while the
 * pointer or the focus is on it (model/live-list.ts); new traces are counted in the bar above.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { getServices, getTraces } from '../../api/client';
import { createPoll, type Poll } from '../../api/poll';
import { serverNowMs, token } from '../../api/session';
import type { Traces } from '../../api/wire';
import { Icon } from '../../components/icon';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { apiParams, isFiltered, NO_FILTERS, queryFromFilters, type Filters } from '../../model/filters';
import { formatCount, plural } from '../../model/format';
import { mergeLive, type LiveList } from '../../model/live-list';
import { navigate } from '../../routes/location';
import { tracesHref } from '../../routes/routes';
import { FilterBar } from './filter-bar';
import { TraceRow } from './trace-row';
import './traces.css';

const REFRESH_MS = 2000;

function useTraces(filters: Filters, live: boolean): Poll<Traces> {
  const key = queryFromFilters(filters).toString();
  const poll = useMemo(
    () =>
      createPoll(
        (signal) => getTraces(apiParams(filters, serverNowMs()), { signal, token: token.value }),
        { intervalMs: REFRESH_MS, paused: !live },
      ),
    [key],
  );
  useEffect(() => () => poll.stop(), [poll]);
  useEffect(() => poll.pause(!live), [poll, live]);
  return poll;
}

function useServices() {
  const poll = useMemo(
    () => createPoll((signal) => getServices({ signal, token: token.value }), { intervalMs: 15_000 }),
    [],
  );
  useEffect(() => () => poll.stop(), [poll]);
  return poll.data.value?.services ?? [];
}

/** The answer as it may be shown now; `held` is true while the reader is on the list. */
function useHeldList(answer: Traces | undefined, held: boolean): LiveList {
  const list = useSignal<LiveList>({ shown: [], waiting: 0 });
  useEffect(() => {
    if (answer) list.value = mergeLive(list.peek().shown, answer.traces, held && list.peek().shown.length > 0);
  }, [answer, held]);
  return list.value;
}

function LoadingRows() {
  return (
    <ol class="trace-list" aria-hidden="true">
      {Array.from({ length: 12 }, (_, i) => (
        <li key={i}>
          <span class="trace-row loading">
            <span class="skeleton when" />
            <span class={`skeleton root w${i % 4}`} />
            <span class="skeleton duration" />
            <span class={`skeleton strip w${(i * 7) % 4}`} />
          </span>
        </li>
      ))}
    </ol>
  );
}

function Empty({ filters }: { filters: Filters }) {
  if (isFiltered(filters)) {
    return (
      <State icon="search" title="No trace fits these filters">
        <p>
          Widen the time range or <a href={tracesHref({ ...NO_FILTERS, limit: filters.limit })}>clear the filters</a>.
          The list fills as soon as one arrives.
        </p>
      </State>
    );
  }
  return (
    <State icon="threads" title="No traces yet">
      <p>
        Nothing has been recorded so far. Is an agent connected? The <a href="/status">pipeline page</a> says so. A
        service records once it links libweft and an agent runs on its host; <span class="mono">script/demo</span> starts
        a small site that does.
      </p>
    </State>
  );
}

function LiveButton({ filters, live }: { filters: Filters; live: boolean }) {
  const toggle = () => navigate(tracesHref(filters, !live), { replace: true });
  return (
    <button type="button" class={live ? 'button live on' : 'button live'} aria-pressed={live} onClick={toggle}>
      <Icon name={live ? 'pause' : 'play'} />
      {live ? 'Live' : 'Paused'}
    </button>
  );
}

function ListHead() {
  return (
    <div class="trace-row head" aria-hidden="true">
      <span class="when">Started</span>
      <span class="root">Root</span>
      <span class="duration">Duration</span>
      <span class="strip">
        {['100 µs', '1 ms', '10 ms', '100 ms', '1 s'].map((label) => (
          <span key={label}>{label}</span>
        ))}
      </span>
      <span class="spans">Spans</span>
      <span class="services">Services</span>
    </div>
  );
}

export function TracesView({ filters, live }: { filters: Filters; live: boolean }) {
  const poll = useTraces(filters, live);
  const services = useServices();
  const held = useSignal(false);
  const key = queryFromFilters(filters).toString();
  const answer = poll.data.value;
  const error = poll.error.value;
  return (
    <>
      <h1 class="sr">Recent traces</h1>
      <FilterBar
        filters={filters}
        services={services}
        onChange={(next) => navigate(tracesHref(next, live))}
      />
      {answer ? (
        <TraceList key={key} answer={answer} filters={filters} live={live} held={held.value} hold={(on) => (held.value = on)} />
      ) : error ? (
        <ErrorState error={error} retry={poll.refresh} />
      ) : (
        <>
          <div class="list-bar" role="status">
            <span class="muted">Loading traces…</span>
          </div>
          <LoadingRows />
        </>
      )}
      <StaleNotice error={answer ? error : undefined} />
    </>
  );
}

function TraceList(props: {
  answer: Traces;
  filters: Filters;
  live: boolean;
  held: boolean;
  hold: (on: boolean) => void;
}) {
  const { answer, filters, live, held, hold } = props;
  const { shown, waiting } = useHeldList(answer, held);
  return (
    <>
      <div class="list-bar">
        <span class="muted" role="status">
          {plural(shown.length, 'trace')}, newest first
          {answer.more && '; there are more'}
          <span class="scanned"> · {formatCount(answer.scanned)} looked at</span>
        </span>
        <button
          type="button"
          class={waiting > 0 ? 'button waiting' : 'button waiting none'}
          disabled={waiting === 0}
          onClick={() => hold(false)}
        >
          {plural(waiting, 'new trace')}
        </button>
        <LiveButton filters={filters} live={live} />
      </div>
      {answer.traces.length === 0 && shown.length === 0 ? (
        <Empty filters={filters} />
      ) : (
        <div
          class="trace-table"
          onPointerEnter={(event) => event.pointerType === 'mouse' && hold(true)}
          onPointerLeave={() => hold(false)}
          onFocusIn={() => hold(true)}
          onFocusOut={() => hold(false)}
        >
          <ListHead />
          <ol class="trace-list">
            {shown.map((trace) => (
              <TraceRow key={trace.trace_id} trace={trace} />
            ))}
          </ol>
        </div>
      )}
    </>
  );
}

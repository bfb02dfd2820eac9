// SPDX-License-Identifier: Apache-2.0
/*
 * One trace. Loads it, follows it while spans of it are open, and keeps the address and the store
 * in step: a selection or zoom is written into the address once it rests; a change of the
 * address from outside (back, forward, a link) is applied to the store.
 */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../../api/error';
import { loadTrace } from '../../api/trace-loader';
import { ErrorState, StaleNotice, State } from '../../components/states';
import { findSpan, spanIdAt } from '../../model/columns';
import { isWhole } from '../../model/scale';
import { inRange, navigate } from '../../routes/location';
import { recentHref, traceHref, PLAIN_LOOK, type TraceLook, type Zoom } from '../../routes/routes';
import { Detail } from './detail';
import { DiffPanel } from './diff';
import { useFindings } from './findings';
import { FlameGraph } from './flame';
import { TraceHeader } from './header';
import { escape, isTyping } from './keys';
import { createTraceStore, type TraceStore } from './store';
import { Sums } from './sums';
import { Toolbar } from './toolbar';
import './panels.css';
import './trace.css';
import './waterfall.css';
import './detail.css';
import './narrow.css';
import { Waterfall } from './waterfall';

interface Props {
  traceId: string;
  spanId: string;
  zoom: Zoom | undefined;
  look: TraceLook;
}

const FOLLOW_MS = 1500;
const RETRY_MS = 2000;
const ADDRESS_RESTS_MS = 150;

interface Loading {
  store: Signal<TraceStore | undefined>;
  error: Signal<ApiError | undefined>;
  retry: () => void;
}

/** Loads the trace; again and again while it has open spans or the collector is away. */
function useTrace(traceId: string): Loading {
  const store = useSignal<TraceStore | undefined>(undefined);
  const error = useSignal<ApiError | undefined>(undefined);
  const attempt = useSignal(0);
  useEffect(() => {
    const control = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (afterMs: number) => {
      timer = setTimeout(() => void load(), afterMs);
    };
    const load = async () => {
      if (document.hidden && store.peek()) return again(FOLLOW_MS);
      const began = performance.now();
      try {
        const trace = await loadTrace(traceId, control.signal);
        error.value = undefined;
        if (store.peek()) store.peek()?.update(trace);
        else store.value = createTraceStore(trace);
        /* A trace that takes long to load is not asked for all the time. */
        if (trace.in_flight_count > 0) again(Math.max(FOLLOW_MS, (performance.now() - began) * 10));
      } catch (caught) {
        if (isAbort(caught)) return;
        error.value = asApiError(caught);
        if (error.value.kind === 'unreachable') again(RETRY_MS);
      }
    };
    void load();
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [traceId, attempt.value]);
  return { store, error, retry: () => attempt.value++ };
}

function hrefOf(store: TraceStore, look: TraceLook): string {
  const { trace_id, columns } = store.trace.value;
  const view = store.view.value;
  const zoom = isWhole(view, store.whole.value) ? undefined : { fromNs: view.from, toNs: view.to };
  const spanId = store.selected.value >= 0 ? spanIdAt(columns, store.selected.value) : '';
  return traceHref(trace_id, spanId, zoom, look);
}

function useAddress(store: TraceStore, { traceId, spanId, zoom, look }: Props): void {
  const ours = traceHref(traceId, spanId, zoom);
  const written = useRef<string | undefined>(undefined);
  const looked = useRef(look);
  looked.current = look;
  useEffect(() => {
    if (written.current === ours) return;
    written.current = ours;
    if (zoom) store.setView({ from: zoom.fromNs, to: zoom.toNs });
    else store.setView(store.whole.peek());
    store.select(findSpan(store.trace.peek().columns, spanId));
  }, [store, ours]);
  const wanted = hrefOf(store, PLAIN_LOOK);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (written.current === wanted) return;
      written.current = wanted;
      navigate(inRange(hrefOf(store, looked.current)), { replace: true });
    }, ADDRESS_RESTS_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
}

/** Escape goes one step back: out of the search, the details, the zoom. */
function useEscape(store: TraceStore, look: TraceLook, setLook: (change: Partial<TraceLook>) => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || isTyping(event.target)) return;
      if (look.find !== '') setLook({ find: '' });
      else escape(store);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  });
}

function OpenTrace({ store, ...props }: Props & { store: TraceStore }) {
  const { look } = props;
  useAddress(store, props);
  const explained = useFindings(store);
  useEffect(() => {
    store.showPath.value = look.path;
  }, [store, look.path]);
  /* Another picture is a step in the history; what is typed is not. */
  const setLook = (change: Partial<TraceLook>) =>
    navigate(inRange(hrefOf(store, { ...look, ...change })), { replace: change.tab === undefined && change.other === undefined });
  useEscape(store, look, setLook);
  const show = (i: number) => {
    store.select(i);
    setLook({ tab: 'waterfall' });
  };
  const selected = store.selected.value;
  const tools = { store, look, setLook };
  return (
    <div class={selected >= 0 ? 'trace with-detail' : 'trace'}>
      <TraceHeader store={store} explained={explained} />
      <Toolbar {...tools} />
      {look.tab === 'waterfall' && <Waterfall store={store} />}
      {look.tab === 'flame' && <FlameGraph store={store} show={show} />}
      {look.tab === 'sums' && <Sums store={store} show={show} />}
      {look.tab === 'diff' && <DiffPanel {...tools} />}
      {selected >= 0 && <Detail store={store} at={selected} />}
    </div>
  );
}

function LoadingTrace() {
  return (
    <div class="trace" role="status">
      <div class="trace-head">
        <span class="sr">Loading the trace…</span>
        <span class="skeleton line-title" />
        <span class="skeleton line-facts" />
      </div>
      <div class="waterfall loading" aria-hidden="true">
        {Array.from({ length: 14 }, (_, i) => (
          <span key={i} class={`skeleton step${i % 7}`} />
        ))}
      </div>
    </div>
  );
}

export function TraceView(props: Props) {
  const { store, error, retry } = useTrace(props.traceId);
  const open = store.value;
  if (open) {
    return (
      <>
        <OpenTrace store={open} {...props} />
        <StaleNotice error={error.value} />
      </>
    );
  }
  if (error.value?.status === 404) {
    return (
      <State icon="search" title="This trace is not here" failed>
        <p>
          No span of <span class="mono">{props.traceId}</span> is known to this collector. It may have aged out, or not have
          arrived yet. Look among the <a href={inRange(recentHref())}>recent traces</a>.
        </p>
        <button type="button" class="button" onClick={retry}>
          Look again
        </button>
      </State>
    );
  }
  if (error.value) return <ErrorState error={error.value} retry={retry} />;
  return <LoadingTrace />;
}

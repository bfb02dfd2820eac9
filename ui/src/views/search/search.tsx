// SPDX-License-Identifier: Apache-2.0
/*
 * Search. The query is written in a form or in TraceQL, two views of one draft; once it is run it lies
 * in the address. Above, when the spans that it finds were and how long they took; a region of that
 * narrows the list below and can be compared with the rest.
 */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../../api/error';
import { streamSearch, type FoundTrace, type SearchProgress, type SearchResult } from '../../api/search';
import { serverNowMs, token } from '../../api/session';
import { QueryError } from '../../api/stream';
import { Box, PageHead } from '../../components/panel';
import { TraceqlBox } from '../../components/traceql-box';
import { regionFrom, type Region } from '../../model/duration-map';
import type { Window } from '../../model/time-range';
import { withDurations } from '../../model/traceql';
import { hrefWith, navigate, timeRange, windowNow } from '../../routes/location';
import type { PageProps } from '../pages';
import { Durations } from './durations';
import { QueryFormView } from './query-form';
import { Results } from './results';
import './search.css';

export const LIMITS = [20, 100, 500, 1000] as const;
const DEFAULT_LIMIT = 100;
const SHOW_EVERY_MS = 120;
const NEWEST_FIRST = (a: FoundTrace, b: FoundTrace) => (a.start_unix_ns.length - b.start_unix_ns.length || (a.start_unix_ns < b.start_unix_ns ? -1 : 1)) * -1;

export interface SearchState {
  traces: FoundTrace[];
  progress?: SearchProgress;
  result?: SearchResult;
  error?: ApiError;
  busy: boolean;
}

/** Runs a search while the page shows it; what is found comes into view as it is found. */
function useSearch(query: string, window: Window, limit: number, attempt: number): Signal<SearchState> {
  const state = useSignal<SearchState>({ traces: [], busy: true });
  useEffect(() => {
    const control = new AbortController();
    const found = new Map<string, FoundTrace>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let progress: SearchProgress | undefined;
    const show = () => {
      timer = undefined;
      state.value = { traces: [...found.values()].sort(NEWEST_FIRST).slice(0, limit), busy: true, ...(progress && { progress }) };
    };
    const soon = () => (timer ??= setTimeout(show, SHOW_EVERY_MS));
    state.value = { traces: state.peek().traces, busy: true };
    streamSearch(query, window, limit, {
      progress: (said) => {
        progress = said;
        soon();
      },
      found: (trace) => {
        found.set(trace.trace_id, trace);
        soon();
      },
      result: (result) => {
        clearTimeout(timer);
        state.value = { traces: result.traces, progress: result.progress, result, busy: false };
      },
    }, { signal: control.signal, token: token.value }).catch((caught: unknown) => {
      clearTimeout(timer);
      if (!isAbort(caught)) state.value = { traces: [], error: asApiError(caught), busy: false };
    });
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [query, window, limit, attempt]);
  return state;
}

export interface Asked {
  query: string;
  window: Window;
}

function useAsked(query: string, attempt: number): Asked {
  const range = JSON.stringify(timeRange.value);
  return useMemo(() => ({ query, window: windowNow(serverNowMs()) }), [query, range, attempt]);
}

const within = (asked: Asked, region: Region | undefined): Asked =>
  region ? { query: withDurations(asked.query, region.fromS, region.toS), window: { fromMs: region.fromMs, toMs: region.toMs } } : asked;

export default function SearchPage({ query }: PageProps) {
  const written = query.get('q') ?? '{ }';
  const draft = useSignal(written);
  const attempt = useSignal(0);
  useEffect(() => {
    draft.value = written;
  }, [written]);
  const asked = useAsked(written, attempt.value);
  const region = regionFrom(query.get('region'));
  const regionKey = query.get('region') ?? '';
  const narrowed = useMemo(() => within(asked, region), [asked, regionKey]);
  const limit = LIMITS.find((each) => String(each) === query.get('limit')) ?? DEFAULT_LIMIT;
  const search = useSearch(narrowed.query, narrowed.window, limit, attempt.value);
  const run = () => {
    const q = draft.value.trim();
    attempt.value++;
    navigate(hrefWith({ q: q === '' || q === '{ }' ? undefined : q, region: undefined }));
  };
  const state = search.value;
  const fault = state.error instanceof QueryError ? state.error : undefined;
  return (
    <>
      <PageHead title="Search" />
      <div class="page-body">
        <Box title="Query" note="the form and the box say the same">
          <form
            class="query"
            onSubmit={(event) => {
              event.preventDefault();
              run();
            }}
          >
            <QueryFormView draft={draft} />
            <TraceqlBox label="Search" draft={draft} written={written} fault={region ? undefined : fault} run={run} />
          </form>
        </Box>
        {!fault && <Durations asked={asked} region={region} />}
        {query.get('lens') !== 'common' && <Results state={state} limit={limit} query={query} region={region} retry={() => attempt.value++} />}
      </div>
    </>
  );
}

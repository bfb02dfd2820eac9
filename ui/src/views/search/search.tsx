// SPDX-License-Identifier: Apache-2.0
/*
 * Search. The query is written in a form or in TraceQL, two views of one draft; once it is run it lies
 * in the address. Above, when the spans that it finds were and how long they took; a region of that
 * narrows the list below and can be compared with the rest. A range that moves with the clock can be followed.
 */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { serverNowMs } from '../../api/session';
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
import { useSearch, type SearchState } from './use-search';

export const LIMITS = [20, 100, 500, 1000] as const;
const DEFAULT_LIMIT = 100;
const FOLLOW_MS = 2000;
const RETRY_MS = 2000;
/* The picture of durations costs more than the newest traces: it is renewed with every so many of them. */
const DURATIONS_EVERY = 8;

export interface Asked {
  query: string;
  window: Window;
}

function useAsked(query: string, attempt: string): Asked {
  const range = JSON.stringify(timeRange.value);
  return useMemo(() => ({ query, window: windowNow(serverNowMs()) }), [query, range, attempt]);
}

const within = (asked: Asked, region: Region | undefined): Asked =>
  region ? { query: withDurations(asked.query, region.fromS, region.toS), window: { fromMs: region.fromMs, toMs: region.toMs } } : asked;

/** Counts on while the search is followed: each time the last answer is there and somebody looks. */
function useTicks(live: boolean, state: () => Signal<SearchState>): Signal<number> {
  const ticks = useSignal(0);
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => {
      if (!document.hidden && !state().peek().busy) ticks.value++;
    }, FOLLOW_MS);
    return () => clearInterval(timer);
  }, [live]);
  return ticks;
}

export default function SearchPage({ query }: PageProps) {
  const written = query.get('q') ?? '{ }';
  const draft = useSignal(written);
  const attempt = useSignal(0);
  useEffect(() => {
    draft.value = written;
  }, [written]);
  const region = regionFrom(query.get('region'));
  const regionKey = query.get('region') ?? '';
  const can = timeRange.value.kind === 'last' && !region;
  const live = can && query.get('live') === 'on';
  const ticks = useTicks(live, () => search);
  const asked = useAsked(written, `${attempt.value} ${Math.floor(ticks.value / DURATIONS_EVERY)}`);
  const newest = useAsked(written, `${attempt.value} ${ticks.value}`);
  const narrowed = useMemo(() => within(region ? asked : newest, region), [asked, newest, regionKey]);
  const limit = LIMITS.find((each) => String(each) === query.get('limit')) ?? DEFAULT_LIMIT;
  const search = useSearch(narrowed.query, narrowed.window, limit, attempt.value);
  const away = search.value.error?.kind === 'unreachable' && !live;
  useEffect(() => {
    if (!away) return;
    const timer = setTimeout(() => attempt.value++, RETRY_MS);
    return () => clearTimeout(timer);
  }, [away, attempt.value]);
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
        {query.get('lens') !== 'common' && <Results state={state} live={can ? live : undefined} limit={limit} query={query} region={region} retry={() => attempt.value++} />}
      </div>
    </>
  );
}

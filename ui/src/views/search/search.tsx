// SPDX-License-Identifier: Apache-2.0
/*
 * Search. The query is written in a form or in TraceQL, two views of one draft; once it is run it lies
 * in the address. Above, when the spans that it finds were and how long they took; a region of that
 * narrows the list below and can be compared with the rest. A range that moves with the clock can be followed.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { serverNowMs } from '../../api/session';
import { QueryError } from '../../api/stream';
import { Box, PageHead } from '../../components/panel';
import { TraceqlBox } from '../../components/traceql-box';
import { regionFrom } from '../../model/duration-map';
import type { Window } from '../../model/time-range';
import { withDurations } from '../../model/traceql';
import { hrefWith, navigate, timeRange, windowNow } from '../../routes/location';
import type { PageProps } from '../pages';
import { Durations } from './durations';
import { QueryFormView } from './query-form';
import { Results } from './results';
import './search.css';
import { useSearch } from './use-search';

export const LIMITS = [20, 100, 500, 1000] as const;
const DEFAULT_LIMIT = 100;
/* The picture of durations costs more than the newest traces: it is renewed with every so many of them. */
const DURATIONS_EVERY = 8;

export interface Asked {
  query: string;
  window: Window;
}

function useAsked(query: string, range: string, attempt: string): Asked {
  return useMemo(() => ({ query, window: windowNow(serverNowMs()) }), [query, range, attempt]);
}

export default function SearchPage({ query }: PageProps) {
  const written = query.get('q') ?? '{ }';
  const draft = useSignal(written);
  const attempt = useSignal(0);
  useEffect(() => {
    draft.value = written;
  }, [written]);
  const region = regionFrom(query.get('region'));
  const can = timeRange.value.kind === 'last' && !region;
  const live = can && query.get('live') === 'on';
  const limit = LIMITS.find((each) => String(each) === query.get('limit')) ?? DEFAULT_LIMIT;
  const range = JSON.stringify(timeRange.value);
  const narrowed = region ? withDurations(written, region.fromS, region.toS) : written;
  const search = useSearch({
    key: JSON.stringify([written, limit, range, query.get('region'), attempt.value]), query: narrowed, limit,
    window: () => (region ? { fromMs: region.fromMs, toMs: region.toMs } : windowNow(serverNowMs())),
  }, live);
  const asked = useAsked(written, range, `${attempt.value} ${Math.floor(search.answers.value / DURATIONS_EVERY)}`);
  const run = () => {
    const q = draft.value.trim();
    attempt.value++;
    navigate(hrefWith({ q: q === '' || q === '{ }' ? undefined : q, region: undefined }));
  };
  const state = search.state.value;
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
        {!fault && <Durations asked={asked} range={range} attempt={attempt.value} region={region} />}
        {query.get('lens') !== 'common' && <Results state={state} live={can ? live : undefined} limit={limit} query={query} region={region} retry={() => attempt.value++} />}
      </div>
    </>
  );
}

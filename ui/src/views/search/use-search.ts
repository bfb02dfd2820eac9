// SPDX-License-Identifier: Apache-2.0
/*
 * A search while the page shows it: what is found comes into view as it is found. While it is followed it is
 * asked again once the last answer is whole, over the time that it is then; what is shown stays until the next
 * answer is whole, and while the collector is away.
 */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError, asApiError, isAbort } from '../../api/error';
import { createPoll, type Poll } from '../../api/poll';
import { streamSearch, type FoundTrace, type SearchProgress, type SearchResult } from '../../api/search';
import { token } from '../../api/session';
import type { Window } from '../../model/time-range';

const SHOW_EVERY_MS = 120;
const FOLLOW_MS = 2000;
const NEWEST_FIRST = (a: FoundTrace, b: FoundTrace) => (a.start_unix_ns.length - b.start_unix_ns.length || (a.start_unix_ns < b.start_unix_ns ? -1 : 1)) * -1;

export interface SearchState {
  traces: FoundTrace[];
  /** The key of the search that found them: while another one begins, that of the one before. */
  of: string;
  progress?: SearchProgress;
  result?: SearchResult;
  error?: ApiError;
  busy: boolean;
}

export interface Searched {
  /** Another key is another search, from its beginning. */
  key: string;
  query: string;
  limit: number;
  /** The time to look at, each time that it is asked. */
  window: () => Window;
}

/** Asking the same once more would not help. */
export const stands = ({ kind, status }: ApiError): boolean => kind === 'unauthorized' || (kind === 'refused' && status >= 400 && status < 500 && status !== 429);

const cutOff = () => new ApiError('unreachable', 'The connection to the collector broke off.');

/** `again` is called with each whole answer after the first. */
function begin({ key, query, limit, window }: Searched, live: boolean, state: Signal<SearchState>, again: () => void): Poll<void> {
  let over = false;
  state.value = { traces: state.peek().traces, of: state.peek().of, busy: true };

  const ask = async (signal: AbortSignal) => {
    if (over) return;
    const found = new Map<string, FoundTrace>();
    const quiet = state.peek().of === key && state.peek().result !== undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let progress: SearchProgress | undefined;
    let whole = false;
    const show = () => {
      timer = undefined;
      if (!signal.aborted) state.value = { traces: [...found.values()].sort(NEWEST_FIRST).slice(0, limit), of: key, busy: true, ...(progress && { progress }) };
    };
    const soon = () => {
      if (!quiet) timer ??= setTimeout(show, SHOW_EVERY_MS);
    };
    try {
      await streamSearch(query, window(), limit, {
        progress: (said) => {
          progress = said;
          soon();
        },
        found: (trace) => {
          found.set(trace.trace_id, trace);
          soon();
        },
        result: (result) => {
          whole = true;
          clearTimeout(timer);
          state.value = { traces: result.traces, of: key, progress: result.progress, result, busy: false };
        },
      }, { signal, token: token.value });
      if (!whole) throw cutOff();
      if (quiet) again();
    } catch (caught) {
      if (isAbort(caught) || signal.aborted) throw caught;
      const error = asApiError(caught);
      const { traces, progress: reached, result } = state.peek();
      state.value = quiet ? { traces, of: key, ...(reached && { progress: reached }), ...(result && { result }), error, busy: false } : { traces: [], of: key, error, busy: false };
      over = stands(error);
      /* Only a collector that is away is asked again of the poll's own accord, ever more seldom. */
      if (error.kind === 'unreachable') throw error;
    } finally {
      clearTimeout(timer);
    }
  };
  return createPoll(ask, { intervalMs: FOLLOW_MS, paused: !live });
}

/** The state of the search, and how many answers came while it was followed. */
export function useSearch(searched: Searched, live: boolean): { state: Signal<SearchState>; answers: Signal<number> } {
  const state = useSignal<SearchState>({ traces: [], of: '', busy: true });
  const answers = useSignal(0);
  const poll = useRef<Poll<void> | undefined>(undefined);
  useEffect(() => {
    const own = begin(searched, live, state, () => answers.value++);
    poll.current = own;
    return () => own.stop();
  }, [searched.key]);
  useEffect(() => poll.current?.pause(!live), [live]);
  return { state, answers };
}

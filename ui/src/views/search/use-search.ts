// SPDX-License-Identifier: Apache-2.0
/*
 * A search while the page shows it: what is found comes into view as it is found. While it is followed it is
 * asked again and again; then what is shown stays until the next answer is whole, and while the collector is away.
 */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../../api/error';
import { streamSearch, type FoundTrace, type SearchProgress, type SearchResult } from '../../api/search';
import { token } from '../../api/session';
import type { Window } from '../../model/time-range';

const SHOW_EVERY_MS = 120;
const NEWEST_FIRST = (a: FoundTrace, b: FoundTrace) => (a.start_unix_ns.length - b.start_unix_ns.length || (a.start_unix_ns < b.start_unix_ns ? -1 : 1)) * -1;

export interface SearchState {
  traces: FoundTrace[];
  progress?: SearchProgress;
  result?: SearchResult;
  error?: ApiError;
  busy: boolean;
}

/** `attempt`: another search of the same, from its beginning; a new `window` alone follows the one before. */
export function useSearch(query: string, window: Window, limit: number, attempt: number): Signal<SearchState> {
  const state = useSignal<SearchState>({ traces: [], busy: true });
  const asked = useRef('');
  useEffect(() => {
    const control = new AbortController();
    const found = new Map<string, FoundTrace>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let progress: SearchProgress | undefined;
    const key = JSON.stringify([query, limit, attempt]);
    const follows = asked.current === key && (state.peek().result ?? state.peek().error) !== undefined;
    asked.current = key;
    const show = () => {
      timer = undefined;
      state.value = { traces: [...found.values()].sort(NEWEST_FIRST).slice(0, limit), busy: true, ...(progress && { progress }) };
    };
    const soon = () => {
      if (!follows) timer ??= setTimeout(show, SHOW_EVERY_MS);
    };
    if (!follows) state.value = { traces: state.peek().traces, busy: true };
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
      if (isAbort(caught)) return;
      const { result, ...before } = state.peek();
      state.value = { ...before, ...(result && { result }), traces: follows ? before.traces : [], error: asApiError(caught), busy: false };
    });
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [query, window, limit, attempt]);
  return state;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Asking again and again. A poll keeps the last good answer while later ones fail, so that
 * a view can go on showing it and say beside it that the collector is gone; failures are
 * retried with growing pauses. One request at a time; none while the tab is hidden
 * or the poll is paused; `stop` aborts the one under way.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import { asApiError, isAbort, type ApiError } from './error';

export interface Poll<T> {
  readonly data: ReadonlySignal<T | undefined>;
  /** The last request's failure; undefined again after one that succeeded. */
  readonly error: ReadonlySignal<ApiError | undefined>;
  /** Ask now, aborting a request under way; also once while paused. */
  refresh(): void;
  pause(on: boolean): void;
  stop(): void;
}

export interface PollOptions {
  intervalMs: number;
  longestRetryMs?: number;
  paused?: boolean;
}

const hidden = () => typeof document !== 'undefined' && document.hidden;

export function createPoll<T>(ask: (signal: AbortSignal) => Promise<T>, options: PollOptions): Poll<T> {
  const data = signal<T | undefined>(undefined);
  const error = signal<ApiError | undefined>(undefined);
  const longestRetryMs = options.longestRetryMs ?? 5000;
  let paused = options.paused ?? false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let underWay: AbortController | undefined;
  let stopped = false;

  const plan = () => {
    clearTimeout(timer);
    if (stopped) return;
    const retryMs = Math.min(500 * 2 ** (failures - 1), longestRetryMs);
    timer = setTimeout(tick, failures > 0 ? retryMs : options.intervalMs);
  };

  const tick = () => {
    /* A failure is retried even while paused: the reader should see the recovery. */
    if (hidden() || (paused && failures === 0)) plan();
    else void request();
  };

  const request = async () => {
    underWay?.abort();
    const control = new AbortController();
    underWay = control;
    try {
      const answer = await ask(control.signal);
      if (control.signal.aborted) return;
      failures = 0;
      data.value = answer;
      error.value = undefined;
    } catch (caught) {
      if (isAbort(caught) || control.signal.aborted) return;
      failures++;
      error.value = asApiError(caught);
    }
    if (underWay === control) underWay = undefined;
    plan();
  };

  const onVisible = () => {
    if (!hidden() && !underWay) tick();
  };
  if (typeof document !== 'undefined') document.addEventListener('visibilitychange', onVisible);
  void request();

  return {
    data,
    error,
    refresh: () => {
      clearTimeout(timer);
      void request();
    },
    pause: (on) => {
      paused = on;
      if (!on && !underWay) tick();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      underWay?.abort();
      if (typeof document !== 'undefined') document.removeEventListener('visibilitychange', onVisible);
    },
  };
}

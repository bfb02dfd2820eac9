// SPDX-License-Identifier: Apache-2.0
/* A poll that lives as long as what is asked: begun anew when `key` changes, stopped with the view. */
import { useEffect, useMemo } from 'preact/hooks';
import { createPoll, type Poll } from './poll';
import { token } from './session';
import type { CallOptions } from './client';

export function usePoll<T>(key: string, ask: (options: CallOptions) => Promise<T>, intervalMs: number): Poll<T> {
  const poll = useMemo(
    () => createPoll((signal) => ask({ signal, token: token.value }), { intervalMs }),
    [key, intervalMs],
  );
  useEffect(() => () => poll.stop(), [poll]);
  return poll;
}

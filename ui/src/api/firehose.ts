// SPDX-License-Identifier: Apache-2.0
/* Spans as the collector accepts them (docs/firehose.md), followed over breaks of the connection. */
import { withQuery } from './client';
import { asApiError, isAbort, type ApiError } from './error';
import { token } from './session';
import { streamLines } from './stream';
import type { Attribute, SpanKind, SpanStatus } from './wire';

export interface FirehoseSpan {
  cursor: string;
  trace_id: string;
  span_id: string;
  parent_id: string;
  service: string;
  name: string;
  kind: SpanKind;
  status: SpanStatus;
  status_message?: string;
  start_unix_ns: string;
  duration_ns: number;
  attributes: Attribute[];
  instance?: string;
  cell?: string;
  host?: string;
}

export interface FirehoseGap {
  cursor: string;
  gap: { reason: string; spans: number };
}

export type FirehoseLine = FirehoseSpan | FirehoseGap;

const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 5000;

export interface FirehoseFollower {
  line(line: FirehoseLine): void;
  /** The state of the connection: undefined while all is well. */
  trouble(error: ApiError | undefined): void;
}

/** Follows until `signal` is aborted, or the collector refuses the query. After a break it goes on behind the last line. */
export async function followFirehose(q: string, to: FirehoseFollower, signal: AbortSignal): Promise<void> {
  let after: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const url = withQuery('/api/v1/firehose', { q, ...(after === undefined ? { offset: 'newest' } : { after }) });
      await streamLines(
        url,
        (line) => {
          const said = line as FirehoseLine;
          after = said.cursor;
          failures = 0;
          to.line(said);
        },
        { signal, token: token.peek(), opened: () => to.trouble(undefined) },
      );
    } catch (caught) {
      if (isAbort(caught) || signal.aborted) return;
      const error = asApiError(caught);
      to.trouble(error);
      if (error.kind === 'refused' && error.status === 400) return;
    }
    await pause(Math.min(RETRY_MS * 2 ** failures++, LONGEST_RETRY_MS), signal);
  }
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    }, { once: true });
  });

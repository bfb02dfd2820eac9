// SPDX-License-Identifier: Apache-2.0
/*
 * The worker behind trace-loader.ts. A trace of 100,000 spans is 30 MB of JSON: fetching,
 * parsing and building the tree here leaves the page free to draw and scroll. What the
 * waterfall needs goes over as columns; attributes, events and links stay here and are
 * handed out span by span.
 *
 * One trace at a time: a new load drops the one before.
 */
import { buffersOf, buildColumns } from '../model/columns';
import { getTrace } from './client';
import { asApiError, isAbort } from './error';
import type { FromWorker, ToWorker } from './trace-loader';
import type { Span } from './wire';

interface Port {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

const port = globalThis as unknown as Port;

let kept: { load: number; spans: Span[]; wireIndex: Int32Array } | undefined;
let underWay: AbortController | undefined;

async function load(id: number, traceId: string, token: string): Promise<void> {
  underWay?.abort();
  const control = new AbortController();
  underWay = control;
  try {
    const { spans, ...rest } = await getTrace(traceId, { token, signal: control.signal });
    if (control.signal.aborted) return;
    const { columns, wireIndex } = buildColumns(spans);
    kept = { load: id, spans, wireIndex };
    port.postMessage({ type: 'loaded', id, trace: { ...rest, losses: rest.losses ?? [], columns } }, buffersOf(columns));
  } catch (caught) {
    if (isAbort(caught)) return;
    const { kind, message, status } = asApiError(caught);
    port.postMessage({ type: 'failed', id, kind, message, status });
  }
}

port.onmessage = ({ data }) => {
  if (data.type === 'load') void load(data.id, data.traceId, data.token);
  else if (data.type === 'abort') underWay?.abort();
  else {
    const at = kept?.load === data.load ? kept.wireIndex[data.span] : undefined;
    port.postMessage({ type: 'detail', id: data.id, span: at === undefined ? undefined : kept?.spans[at] });
  }
};

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
import { isEmpty, matchesNeedle, needleOf } from '../model/find';
import { buildInsight } from '../model/insight';
import { getExplanation } from './analysis';
import { getTrace } from './client';
import { asApiError, isAbort } from './error';
import type { FromWorker, ToWorker } from './trace-loader';
import type { Process, Span } from './wire';

interface Port {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

const port = globalThis as unknown as Port;

let kept: { load: number; traceId: string; spans: Span[]; processes: Process[]; wireIndex: Int32Array } | undefined;
let underWay: AbortController | undefined;

async function load(id: number, traceId: string, token: string): Promise<void> {
  underWay?.abort();
  const control = new AbortController();
  underWay = control;
  try {
    const { spans, ...rest } = await getTrace(traceId, { token, signal: control.signal });
    if (control.signal.aborted) return;
    const { columns, wireIndex } = buildColumns(spans);
    kept = { load: id, traceId, spans, processes: rest.processes, wireIndex };
    port.postMessage({ type: 'loaded', id, trace: { ...rest, losses: rest.losses ?? [], columns } }, buffersOf(columns));
  } catch (caught) {
    fail(id, caught);
  }
}

function fail(id: number, caught: unknown): void {
  if (isAbort(caught)) return;
  const { kind, message, status } = asApiError(caught);
  port.postMessage({ type: 'failed', id, kind, message, status });
}

/* Of two spans with one id, the first is meant: as everywhere. */
async function explain(id: number, load: number, token: string): Promise<void> {
  const trace = kept;
  if (trace?.load !== load) return port.postMessage({ type: 'explained', id, insight: undefined });
  try {
    const explanation = await getExplanation(trace.traceId, { token });
    const places = new Map<string, number>();
    trace.wireIndex.forEach((at, i) => {
      const spanId = trace.spans[at]!.span_id;
      if (!places.has(spanId)) places.set(spanId, i);
    });
    const insight = buildInsight(explanation, trace.spans.length, (spanId) => places.get(spanId));
    port.postMessage({ type: 'explained', id, insight }, buffersOf(insight));
  } catch (caught) {
    fail(id, caught);
  }
}

function find(id: number, load: number, text: string): void {
  const needle = needleOf(text);
  const found: number[] = [];
  if (kept?.load === load && !isEmpty(needle)) {
    const { spans, processes, wireIndex } = kept;
    wireIndex.forEach((at, i) => {
      const span = spans[at]!;
      if (matchesNeedle(span, processes[span.process], needle)) found.push(i);
    });
  }
  const places = Int32Array.from(found);
  port.postMessage({ type: 'found', id, places }, [places.buffer]);
}

port.onmessage = ({ data }) => {
  if (data.type === 'load') void load(data.id, data.traceId, data.token);
  else if (data.type === 'abort') underWay?.abort();
  else if (data.type === 'explain') void explain(data.id, data.load, data.token);
  else if (data.type === 'find') find(data.id, data.load, data.text);
  else {
    const at = kept?.load === data.load ? kept.wireIndex[data.span] : undefined;
    port.postMessage({ type: 'detail', id: data.id, span: at === undefined ? undefined : kept?.spans[at] });
  }
};

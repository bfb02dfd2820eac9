// SPDX-License-Identifier: Apache-2.0
/*
 * The worker behind trace-loader.ts. What the waterfall needs of a trace comes as columns and goes on
 * as such; attributes, events and links are asked for span by span, and all at once (40 MB of JSON for
 * 100,000 spans) when somebody searches in them. All of it here, so that the page is free to draw.
 *
 * One trace at a time: a new load drops the one before.
 */
import { buffersOf, hexId } from '../model/columns';
import { decodeTrace } from '../model/columns-wire';
import { isEmpty, matchesNeedle, needleOf } from '../model/find';
import { buildInsight, WHOLE_MOST } from '../model/insight';
import { getExplanation } from './analysis';
import { getSpanAt, getTrace, getTraceColumns } from './client';
import { ApiError, asApiError, isAbort } from './error';
import { newestOnly } from './newest-only';
import type { FromWorker, LoadTiming, SpanAnalyses, ToWorker } from './trace-loader';
import type { Process, Span, Trace } from './wire';

/* The collector analyses the whole trace for whatever part of it is asked for. */
const BLOCK = 512;

interface Port {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

const port = globalThis as unknown as Port;

interface Kept {
  load: number;
  traceId: string;
  token: string;
  processes: Process[];
  /** The ids by place: the columns themselves go to the page. */
  idHigh: Uint32Array;
  idLow: Uint32Array;
  process: Int32Array;
  /** All spans with all that hangs on them, by place: asked for by the first search. */
  spans?: Promise<(Span | undefined)[]>;
}

let kept: Kept | undefined;
let underWay: AbortController | undefined;

/* What the browser noted of the newest request for this trace's columns. */
function timingOf(traceId: string, decode: number): LoadTiming {
  const noted = performance.getEntriesByType('resource').filter(({ name }) => name.includes(`${traceId}?format=columns`)).at(-1);
  performance.clearResourceTimings();
  if (!(noted instanceof PerformanceResourceTiming)) return { server: NaN, firstByte: NaN, transfer: NaN, decode };
  return {
    server: noted.serverTiming.find(({ name }) => name === 'answer')?.duration ?? NaN,
    firstByte: noted.responseStart - noted.requestStart, transfer: noted.responseEnd - noted.responseStart, decode,
  };
}

async function load(id: number, traceId: string, token: string): Promise<void> {
  underWay?.abort();
  const control = new AbortController();
  underWay = control;
  try {
    const bytes = await getTraceColumns(traceId, { token, signal: control.signal });
    if (control.signal.aborted) return;
    const began = performance.now();
    const { head, columns } = decodeTrace<Omit<Trace, 'spans'>>(bytes);
    const timing = timingOf(traceId, performance.now() - began);
    kept = { load: id, traceId, token, processes: head.processes, idHigh: columns.idHigh.slice(), idLow: columns.idLow.slice(), process: columns.process.slice() };
    port.postMessage({ type: 'loaded', id, trace: { ...head, losses: head.losses ?? [], columns }, timing }, buffersOf(columns));
  } catch (caught) {
    fail(id, caught instanceof RangeError ? new ApiError('malformed', `The collector sent a trace that cannot be read: ${caught.message}.`) : caught);
  }
}

/** Of two spans with one id, the first is meant: as everywhere. */
function placesOf({ idHigh, idLow }: Kept): Map<string, number> {
  const places = new Map<string, number>();
  idHigh.forEach((high, i) => {
    const spanId = hexId(high, idLow[i]!);
    if (!places.has(spanId)) places.set(spanId, i);
  });
  return places;
}

/* The trace may have grown since: spans are told apart by their ids, not by their places. */
async function allSpans(trace: Kept): Promise<(Span | undefined)[]> {
  const { spans } = await getTrace(trace.traceId, { token: trace.token });
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  return Array.from(trace.idHigh, (high, i) => {
    const spanId = hexId(high, trace.idLow[i]!);
    return spans[i]?.span_id === spanId ? spans[i] : byId.get(spanId);
  });
}

async function detail(id: number, load: number, place: number): Promise<void> {
  const trace = kept;
  if (trace?.load !== load || place < 0 || place >= trace.idHigh.length) return port.postMessage({ type: 'detail', id, span: undefined });
  try {
    const spanId = hexId(trace.idHigh[place]!, trace.idLow[place]!);
    let span = trace.spans ? (await trace.spans)[place] : await getSpanAt(trace.traceId, place, { token: trace.token });
    if (span?.span_id !== spanId) span = (await (trace.spans ??= allSpans(trace)))[place];
    port.postMessage({ type: 'detail', id, span });
  } catch (caught) {
    delete trace.spans;
    fail(id, caught);
  }
}

function fail(id: number, caught: unknown): void {
  if (isAbort(caught)) return;
  const { kind, message, status } = asApiError(caught);
  port.postMessage({ type: 'failed', id, kind, message, status });
}

async function explain(id: number, load: number, token: string): Promise<void> {
  const trace = kept;
  if (trace?.load !== load) return port.postMessage({ type: 'explained', id, insight: undefined });
  try {
    const count = trace.idHigh.length;
    const large = count > WHOLE_MOST;
    const explanation = await getExplanation(trace.traceId, large ? { limit: 0 } : {}, { token });
    const places = placesOf(trace);
    const insight = buildInsight(explanation, count, (spanId) => places.get(spanId), large ? trace : undefined);
    port.postMessage({ type: 'explained', id, insight }, buffersOf(insight));
  } catch (caught) {
    fail(id, caught);
  }
}

/* Those around `place`, told apart by their ids: the trace may have grown since. */
const analysesAround = newestOnly(async ({ load, token, place }: { load: number; token: string; place: number }): Promise<SpanAnalyses | undefined> => {
  const trace = kept;
  if (trace?.load !== load) return undefined;
  const from = place - (place % BLOCK);
  const { spans } = await getExplanation(trace.traceId, { offset: from, limit: BLOCK }, { token });
  return { from, spans: spans.map((span, i) => (from + i < trace.idHigh.length && span.span_id === hexId(trace.idHigh[from + i]!, trace.idLow[from + i]!) ? span : undefined)) };
});

async function explainSpan(id: number, load: number, token: string, place: number): Promise<void> {
  try {
    port.postMessage({ type: 'span-explained', id, around: await analysesAround({ load, token, place }) });
  } catch (caught) {
    fail(id, caught);
  }
}

async function find(id: number, load: number, text: string): Promise<void> {
  const trace = kept;
  const needle = needleOf(text);
  const found: number[] = [];
  try {
    if (trace?.load === load && !isEmpty(needle)) {
      (await (trace.spans ??= allSpans(trace))).forEach((span, i) => {
        if (span && matchesNeedle(span, trace.processes[span.process], needle)) found.push(i);
      });
    }
    const places = Int32Array.from(found);
    port.postMessage({ type: 'found', id, places }, [places.buffer]);
  } catch (caught) {
    if (trace) delete trace.spans;
    fail(id, caught);
  }
}

port.onmessage = ({ data }) => {
  if (data.type === 'load') void load(data.id, data.traceId, data.token);
  else if (data.type === 'abort') underWay?.abort();
  else if (data.type === 'explain') void explain(data.id, data.load, data.token);
  else if (data.type === 'explain-span') void explainSpan(data.id, data.load, data.token, data.span);
  else if (data.type === 'find') void find(data.id, data.load, data.text);
  else void detail(data.id, data.load, data.span);
};

// SPDX-License-Identifier: Apache-2.0
/*
 * Traces by id, fetched and laid out in a worker (see trace-worker.ts). The worker starts with the
 * first trace and stays.
 */
import type { TraceColumns } from '../model/columns';
import type { Insight } from '../model/insight';
import type { SpanAnalysis } from './analysis';
import { ApiError, type ApiErrorKind } from './error';
import { FILES_UNREACHABLE } from './renew';
import { token } from './session';
import type { Span, Trace, TraceLoss } from './wire';

export interface LoadedTrace extends Omit<Trace, 'spans' | 'losses'> {
  losses: TraceLoss[];
  columns: TraceColumns;
  /** Which load this came from: details are asked for with it. */
  load: number;
}

/** Of the spans from the place `from` on; undefined where the trace has changed. */
export interface SpanAnalyses {
  from: number;
  spans: (SpanAnalysis | undefined)[];
}

export type ToWorker =
  | { type: 'load'; id: number; traceId: string; token: string }
  | { type: 'abort' }
  | { type: 'detail'; id: number; load: number; span: number }
  | { type: 'explain'; id: number; load: number; token: string }
  | { type: 'explain-span'; id: number; load: number; token: string; span: number }
  | { type: 'find'; id: number; load: number; text: string };

/** What a load took, in ms; NaN where the browser does not tell. */
export interface LoadTiming {
  /** As the collector says. */
  server: number;
  firstByte: number;
  transfer: number;
  decode: number;
}

export type FromWorker =
  | { type: 'loaded'; id: number; trace: Omit<LoadedTrace, 'load'>; timing: LoadTiming }
  | { type: 'failed'; id: number; kind: ApiErrorKind; message: string; status: number }
  | { type: 'detail'; id: number; span: Span | undefined }
  | { type: 'explained'; id: number; insight: Insight | undefined }
  | { type: 'span-explained'; id: number; around: SpanAnalyses | undefined }
  | { type: 'found'; id: number; places: Int32Array };

interface Waiting {
  resolve(value: never): void;
  reject(error: unknown): void;
}

const waiting = new Map<number, Waiting>();
let lastId = 0;
let worker: Worker | undefined;
/* Whether it ever answered: before that, what fails is the fetching of its script. */
let spoke = false;

function onMessage({ data }: MessageEvent<FromWorker>): void {
  spoke = true;
  const waiter = waiting.get(data.id) as { resolve(value: unknown): void; reject(error: unknown): void } | undefined;
  waiting.delete(data.id);
  if (data.type === 'failed') waiter?.reject(new ApiError(data.kind, data.message, data.status));
  else if (data.type === 'loaded') {
    performance.mark('trace-loaded', { detail: data.timing });
    waiter?.resolve({ ...data.trace, load: data.id });
  } else if (data.type === 'explained') waiter?.resolve(data.insight);
  else if (data.type === 'span-explained') waiter?.resolve(data.around);
  else if (data.type === 'found') waiter?.resolve(data.places);
  else waiter?.resolve(data.span);
}

function theWorker(): Worker {
  if (worker) return worker;
  spoke = false;
  worker = new Worker(new URL('./trace-worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = onMessage;
  worker.onerror = () => {
    const error = spoke ? new ApiError('malformed', 'The part of the page that reads traces failed. Reload the page.') : FILES_UNREACHABLE;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    worker?.terminate();
    worker = undefined;
  };
  return worker;
}

/** The trace with this id. A newer call, or `signal`, ends this one: it then rejects as aborted. */
export function loadTrace(traceId: string, signal: AbortSignal): Promise<LoadedTrace> {
  const id = ++lastId;
  return new Promise<LoadedTrace>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    signal.addEventListener('abort', () => {
      if (!waiting.delete(id)) return;
      worker?.postMessage({ type: 'abort' } satisfies ToWorker);
      reject(new DOMException('aborted', 'AbortError'));
    });
    theWorker().postMessage({ type: 'load', id, traceId, token: token.value } satisfies ToWorker);
  });
}

/* The id is given to each question when it is asked. */
type Question =
  | { type: 'detail'; load: number; span: number }
  | { type: 'explain'; load: number; token: string }
  | { type: 'explain-span'; load: number; token: string; span: number }
  | { type: 'find'; load: number; text: string };

function ask<T>(question: Question): Promise<T> {
  const id = ++lastId;
  return new Promise<T>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    theWorker().postMessage({ ...question, id } satisfies ToWorker);
  });
}

/** Everything about one span of a loaded trace; undefined if a newer load took its place. */
export const loadSpan = (load: number, span: number) => ask<Span | undefined>({ type: 'detail', load, span });

/** The collector's analysis of a loaded trace; undefined if a newer load took its place. */
export const loadInsight = (load: number) => ask<Insight | undefined>({ type: 'explain', load, token: token.value });

/** The same of a span and those around it, where the analysis was told without them; undefined if a newer question overtook this one. */
export const loadSpanInsights = (load: number, span: number) => ask<SpanAnalyses | undefined>({ type: 'explain-span', load, token: token.value, span });

/** Where spans that fit `text` (model/find.ts) stand, from top to bottom. */
export const findInTrace = (load: number, text: string) => ask<Int32Array>({ type: 'find', load, text });

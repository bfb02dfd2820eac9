// SPDX-License-Identifier: Apache-2.0
/* Layouts by a worker, which starts with the first and stays. */
import type { Layout, LayoutRequest } from '../model/graph-layout';
import { ApiError } from './error';

const RETRY_MS = 1000;

/** Without a layout for a graph that cannot be laid out. */
export interface LaidOut {
  id: number;
  layout?: Layout;
}

interface Waiting {
  request: LayoutRequest;
  resolve(layout: Layout): void;
  reject(error: unknown): void;
}

const waiting = new Map<number, Waiting>();
let worker: Worker | undefined;
/* Whether it ever answered: before that, what fails is the fetching of its script. */
let spoke = false;
let retry: ReturnType<typeof setTimeout> | undefined;
let lastId = 0;

const failed = () => new ApiError('malformed', 'The part of the page that lays graphs out failed. Reload the page.');

function onMessage({ data: { id, layout } }: MessageEvent<LaidOut>): void {
  spoke = true;
  performance.mark('graph-laid-out');
  const waiter = waiting.get(id);
  waiting.delete(id);
  if (layout) waiter?.resolve(layout);
  else waiter?.reject(failed());
}

/* A script that could not be fetched is fetched again while somebody waits, until the collector is back. */
function onError(): void {
  worker?.terminate();
  worker = undefined;
  if (!spoke) {
    retry = setTimeout(() => {
      retry = undefined;
      for (const [id, { request }] of waiting) theWorker().postMessage({ id, request });
    }, RETRY_MS);
    return;
  }
  for (const { reject } of waiting.values()) reject(failed());
  waiting.clear();
}

function theWorker(): Worker {
  if (worker) return worker;
  spoke = false;
  worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = onMessage;
  worker.onerror = onError;
  return worker;
}

/** Rejects where there is none for this graph, and as aborted by `signal`. */
export function layOut(request: LayoutRequest, signal: AbortSignal): Promise<Layout> {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    waiting.set(id, { request, resolve, reject });
    signal.addEventListener('abort', () => waiting.delete(id) && reject(new DOMException('aborted', 'AbortError')));
    if (retry === undefined) theWorker().postMessage({ id, request });
  });
}

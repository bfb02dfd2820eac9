// SPDX-License-Identifier: Apache-2.0
/* Layouts by a worker, which starts with the first and stays. */
import type { Layout, LayoutRequest } from '../model/graph-layout';

const RETRY_MS = 1000;

const waiting = new Map<number, { request: LayoutRequest; resolve: (layout: Layout) => void }>();
let worker: Worker | undefined;
let lastId = 0;

function theWorker(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data: { id, layout } }: MessageEvent<{ id: number; layout: Layout }>) => {
    performance.mark('graph-laid-out');
    waiting.get(id)?.resolve(layout);
    waiting.delete(id);
  });
  /* Its script could not be fetched: again, until the collector is back. */
  worker.addEventListener('error', () => {
    worker?.terminate();
    worker = undefined;
    setTimeout(() => {
      for (const [id, { request }] of waiting) theWorker().postMessage({ id, request });
    }, RETRY_MS);
  });
  return worker;
}

export function layOut(request: LayoutRequest): Promise<Layout> {
  const id = ++lastId;
  return new Promise((resolve) => {
    waiting.set(id, { request, resolve });
    theWorker().postMessage({ id, request });
  });
}

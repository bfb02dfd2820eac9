// SPDX-License-Identifier: Apache-2.0
/* Layouts by a worker, which starts with the first and stays. */
import type { Layout, LayoutRequest } from '../model/graph-layout';

const waiting = new Map<number, (layout: Layout) => void>();
let worker: Worker | undefined;
let lastId = 0;

function theWorker(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data: { id, layout } }: MessageEvent<{ id: number; layout: Layout }>) => {
    waiting.get(id)?.(layout);
    waiting.delete(id);
  });
  return worker;
}

export function layOut(request: LayoutRequest): Promise<Layout> {
  const id = ++lastId;
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    theWorker().postMessage({ id, request });
  });
}

// SPDX-License-Identifier: Apache-2.0
/* Lays graphs out, so that a large one does not hold up the page. */
import { layoutOf, type LayoutRequest } from '../model/graph-layout';
import type { LaidOut } from './layout';

function answer(id: number, request: LayoutRequest): LaidOut {
  try {
    return { id, layout: layoutOf(request) };
  } catch {
    return { id };
  }
}

self.addEventListener('message', ({ data: { id, request } }: MessageEvent<{ id: number; request: LayoutRequest }>) => {
  self.postMessage(answer(id, request));
});

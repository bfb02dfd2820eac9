// SPDX-License-Identifier: Apache-2.0
/* Lays graphs out, so that a large one does not hold up the page. */
import { layoutOf, type LayoutRequest } from '../model/graph-layout';

self.addEventListener('message', ({ data: { id, request } }: MessageEvent<{ id: number; request: LayoutRequest }>) => {
  self.postMessage({ id, layout: layoutOf(request) });
});

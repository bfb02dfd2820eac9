// SPDX-License-Identifier: Apache-2.0
/* Series with a past, by remote write. */
import assert from 'node:assert/strict';
import { writeHeaders, writeRequest } from '../interop/remote_write.mjs';

/* A counter that grows by `rate` a second, told each `step` seconds from `start` to `end`. */
export function counters(labels, start, end, step, rate) {
  const samples = [];
  for (let t = start; t <= end; t += step) samples.push([t * 1000, (t - start) * rate]);
  return { labels, samples };
}

export async function write(collector, list) {
  const answer = await collector.ask('/api/v1/write', { method: 'POST', headers: writeHeaders, body: writeRequest(list) });
  assert.equal(answer.status, 204, answer.text);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Open spans as requests: of a trace's open spans, those that no other open one stands above. What waits
 * below them is told with them, the deepest first: that is where a request hangs.
 */
import type { InflightSpan } from '../api/wire';

export interface OpenRequest {
  span: InflightSpan;
  /** Open spans below it. */
  below: number;
  /** The innermost of them that has been open longest; undefined where nothing is below. */
  waitsFor: InflightSpan | undefined;
}

export function openRequests(spans: readonly InflightSpan[]): OpenRequest[] {
  const byId = new Map(spans.map((span) => [span.trace_id + span.span_id, span]));
  const parentOf = (span: InflightSpan) => (span.parent_id === '' ? undefined : byId.get(span.trace_id + span.parent_id));
  const hasBelow = new Set(spans.flatMap((span) => parentOf(span) ?? []));
  const requests = new Map<InflightSpan, OpenRequest>();
  for (const span of spans) if (!parentOf(span)) requests.set(span, { span, below: 0, waitsFor: undefined });
  for (const span of spans) {
    const request = requests.get(topOf(span, parentOf, spans.length));
    if (!request || request.span === span) continue;
    request.below++;
    if (!hasBelow.has(span) && (!request.waitsFor || span.age_ns > request.waitsFor.age_ns)) request.waitsFor = span;
  }
  return [...requests.values()];
}

/* Parents that lead around in a circle end after as many steps as there are spans. */
function topOf(span: InflightSpan, parentOf: (span: InflightSpan) => InflightSpan | undefined, most: number): InflightSpan {
  let top = span;
  for (let step = 0; step < most; step++) {
    const parent = parentOf(top);
    if (!parent) break;
    top = parent;
  }
  return top;
}

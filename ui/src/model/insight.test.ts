// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { buildColumns } from '../testing/columns-of';
import type { Explanation } from '../api/analysis';
import type { Span } from '../api/wire';
import { buildFlame } from './flame';
import { buildInsight, callOf, selfTimes, takeSpan } from './insight';
import { summarise } from './summary';

const span = (id: string, parent: string, start: number, duration: number, more: Partial<Span> = {}): Span => ({
  span_id: id.padStart(16, '0'), parent_id: parent && parent.padStart(16, '0'), process: 0, name: 'get', kind: 'internal', status: 'ok',
  start_offset_ns: start, duration_ns: duration, ...more,
});
const SPANS = [
  span('a', '', 0, 100, { name: 'root' }),
  span('b', 'a', 10, 40),
  span('c', 'a', 30, 40, { status: 'error' }),
  span('d', 'c', 60, 30),
];
const { columns } = buildColumns(SPANS);
const PROCESSES = [{ service: 'web' }];

describe('self time', () => {
  it('is what no child covers, however they overlap or overrun', () => expect([...selfTimes(columns)]).toEqual([40, 40, 30, 30]));
});

describe('the analysis in columns', () => {
  const EXPLANATION: Explanation = {
    critical_path: { total_ns: 100, unknown_ns: 0, segments: [
      { offset_ns: 0, duration_ns: 10, span_id: SPANS[0]!.span_id }, { offset_ns: 10, duration_ns: 20, span_id: SPANS[1]!.span_id },
      { offset_ns: 90, duration_ns: 10, span_id: SPANS[0]!.span_id }, { offset_ns: 50, duration_ns: 1 },
    ] },
    skew: { corrected: true, clocks: [] }, holes: [], holes_beyond: 0, ranked_among_traces: 7, calls: [],
    spans: [
      { span_id: SPANS[0]!.span_id, self_ns: 40, critical_ns: 20 },
      { span_id: SPANS[1]!.span_id, self_ns: 40, critical_ns: 20, rank: 0.9, among: 12, start_correction_ns: 4, call: { server_ns: 30, network_ns: 10, observed: true } },
      { span_id: SPANS[2]!.span_id, self_ns: 30, critical_ns: 0, call: { not_observed: 'no tap' } },
      { span_id: 'ffffffffffffffff', self_ns: 1, critical_ns: 1 },
    ],
  };
  const insight = buildInsight(EXPLANATION, 4, (id) => { const at = SPANS.findIndex((each) => each.span_id === id); return at < 0 ? undefined : at; });
  const partsOf = (i: number) => [...insight.pathAt.slice(insight.pathFrom[i], insight.pathFrom[i + 1])];
  it('has the parts of the path by span, in its own clock', () => {
    expect(partsOf(0)).toEqual([0, 90]);
    expect(partsOf(1)).toEqual([6]);
    expect(partsOf(2)).toEqual([]);
  });
  it('tells the two ends of a call, or why nothing was observed', () => {
    expect(callOf(insight, 0)).toBeUndefined();
    expect(callOf(insight, 1)).toEqual({ server_ns: 30, network_ns: 10, observed: true });
    expect(callOf(insight, 2)).toEqual({ not_observed: 'no tap' });
  });
  it('has the path and the clocks without a list of spans, and takes a span in later', () => {
    const told = { ...EXPLANATION, spans: [], skew: { corrected: true, clocks: [{ host: 'b', process: 1, offset_ns: 7, pairs: 1, agreeing: 1 }] } };
    const part = buildInsight(told, 4, (id) => SPANS.findIndex((each) => each.span_id === id), { process: Int32Array.of(0, 1, 0, 1), processes: [{ host: 'a' }, { host: 'b' }] });
    expect([part.whole, ...part.critical]).toEqual([false, 20, 20, 0, 0]);
    expect([...part.correction].map(Math.abs)).toEqual([0, 7, 0, 7]);
    expect(part.pathAt[part.pathFrom[1]!]).toBe(17);
    expect(part.self[1]).toBeNaN();
    takeSpan(part, 1, EXPLANATION.spans[1]!);
    expect([part.self[1], part.rank[1], callOf(part, 1)?.server_ns]).toEqual([40, 0.9, 30]);
  });
  it('has no number where nothing was told', () => expect(insight.self[3]).toBeNaN());
});

describe('sums', () => {
  it('count by operation and service', () => {
    const rows = summarise(columns, PROCESSES, 'operation', selfTimes(columns));
    expect(rows.map(({ operation, spans, failed, totalNs, selfNs, longestNs }) => [operation, spans, failed, totalNs, selfNs, longestNs]))
      .toEqual([['root', 1, 0, 100, 40, 100], ['get', 3, 1, 110, 100, 40]]);
    expect(summarise(columns, PROCESSES, 'service', selfTimes(columns))[0]).toMatchObject({ service: 'web', spans: 4, criticalNs: undefined });
  });
});

describe('the flame graph', () => {
  const { boxes, totalNs } = buildFlame(columns, [0], selfTimes(columns));
  it('joins spans with one way from the root', () => expect(boxes.map(({ spans, depth }) => [spans, depth])).toEqual([[1, 0], [2, 1], [1, 2]]));
  it('keeps children within their parent', () => {
    expect(totalNs).toBe(140);
    for (const box of boxes) {
      const parent = boxes[box.parent];
      if (parent) expect(box.fromNs + box.totalNs).toBeLessThanOrEqual(parent.fromNs + parent.totalNs);
    }
  });
});

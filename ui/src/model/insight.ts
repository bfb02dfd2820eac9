// SPDX-License-Identifier: Apache-2.0
/*
 * What the analysis says of each span, in typed arrays in the order of model/columns.ts, so that
 * a worker hands over those of 100,000 spans without a copy.
 */
import type { CallShares, Explanation, Findings, SpanAnalysis } from '../api/analysis';
import type { TraceColumns } from './columns';

export interface Insight {
  /** Whether it has the numbers of all spans; else each one's are taken in when somebody looks at it. */
  whole: boolean;
  findings: Findings;
  /** ns; NaN where the analysis does not tell. */
  self: Float64Array;
  critical: Float64Array;
  /** 0 to 1: which part of the `among` spans of its operation took less time. */
  rank: Float64Array;
  among: Int32Array;
  /** ns to be added to a span's start: what its host's clock was wrong by. */
  correction: Float64Array;
  /** Parts of the critical path of span i: pathAt[pathFrom[i] .. pathFrom[i + 1]], ns from the trace's start. */
  pathFrom: Int32Array;
  pathAt: Float64Array;
  pathLength: Float64Array;
  serverNs: Float64Array;
  networkNs: Float64Array;
  /** 1: the server is a cache that a tap saw; 2 and above: why nothing was, reasons[n - 2]. */
  callState: Uint8Array;
  reasons: string[];
}

const CALL_OBSERVED = 1;
const FIRST_REASON = 2;

const filled = (count: number) => new Float64Array(count).fill(NaN);

/** Those of larger traces are told without their list of spans, which is ten times the trace. */
export const WHOLE_MOST = 5000;

/** What of a trace is needed where the analysis does not tell of each span. */
export interface Spans {
  process: Int32Array;
  processes: readonly { host?: string }[];
}

/** `placeOf`: a span's place in the columns by its id. `of` where `spans` are left out. */
export function buildInsight({ spans, ...rest }: Explanation, count: number, placeOf: (spanId: string) => number | undefined, of?: Spans): Insight {
  const { segments, ...criticalPath } = rest.critical_path;
  const insight: Insight = {
    whole: of === undefined,
    findings: { ...rest, critical_path: criticalPath },
    self: filled(count),
    critical: filled(count),
    rank: filled(count),
    among: new Int32Array(count),
    correction: new Float64Array(count),
    pathFrom: new Int32Array(count + 1),
    pathAt: new Float64Array(segments.length),
    pathLength: new Float64Array(segments.length),
    serverNs: filled(count),
    networkNs: filled(count),
    callState: new Uint8Array(count),
    reasons: [],
  };
  for (const span of spans) {
    const i = placeOf(span.span_id);
    if (i === undefined) continue;
    takeSpan(insight, i, span);
  }
  if (of) correctByClocks(insight, of);
  const placed = segments.map((segment) => ({ ...segment, place: segment.span_id ? placeOf(segment.span_id) : undefined }));
  if (of) {
    insight.critical.fill(0);
    for (const { place, duration_ns } of placed) if (place !== undefined) insight.critical[place]! += duration_ns;
  }
  fillPath(insight, placed);
  return insight;
}

/** What the analysis says of the span in place i. */
export function takeSpan(insight: Insight, i: number, span: SpanAnalysis): void {
  insight.self[i] = span.self_ns;
  insight.critical[i] = span.critical_ns;
  insight.rank[i] = span.rank ?? NaN;
  insight.among[i] = span.among ?? 0;
  insight.correction[i] = span.start_correction_ns ?? 0;
  if (span.call) takeCall(insight, i, span.call);
}

/* All spans of a host are off by as much. */
function correctByClocks({ findings: { skew }, correction }: Insight, { process, processes }: Spans): void {
  if (!skew.corrected) return;
  const byProcess = processes.map((one, p) => -(skew.clocks.find(({ host, process: its }) => (host ? host === one.host : its === p))?.offset_ns ?? 0));
  process.forEach((p, i) => (correction[i] = byProcess[p] ?? 0));
}

function takeCall(insight: Insight, i: number, call: CallShares): void {
  insight.serverNs[i] = call.server_ns ?? NaN;
  insight.networkNs[i] = call.network_ns ?? NaN;
  if (call.observed) insight.callState[i] = CALL_OBSERVED;
  if (!call.not_observed) return;
  let reason = insight.reasons.indexOf(call.not_observed);
  if (reason < 0) reason = insight.reasons.push(call.not_observed) - 1;
  insight.callState[i] = FIRST_REASON + Math.min(reason, 250);
}

/* The path is told in corrected time; the waterfall draws spans by their own clocks. */
function fillPath(insight: Insight, segments: { offset_ns: number; duration_ns: number; place: number | undefined }[]): void {
  const { pathFrom } = insight;
  for (const { place } of segments) if (place !== undefined) pathFrom[place + 1]!++;
  for (let i = 1; i < pathFrom.length; i++) pathFrom[i]! += pathFrom[i - 1]!;
  const next = pathFrom.slice();
  for (const { place, offset_ns, duration_ns } of segments) {
    if (place === undefined) continue;
    const at = next[place]!++;
    insight.pathAt[at] = offset_ns - insight.correction[place]!;
    insight.pathLength[at] = duration_ns;
  }
}

/** What the other end of call i took; undefined for a span that is none, or of which nothing is said. */
export function callOf(insight: Insight, i: number): CallShares | undefined {
  const state = insight.callState[i]!;
  const known = Number.isFinite(insight.serverNs[i]!);
  if (!known && state < FIRST_REASON) return undefined;
  return {
    ...(known && { server_ns: insight.serverNs[i]!, network_ns: insight.networkNs[i]!, observed: state === CALL_OBSERVED }),
    ...(state >= FIRST_REASON && { not_observed: insight.reasons[state - FIRST_REASON] ?? '' }),
  };
}

/** Time of each span in which none of its children ran: what the page reckons while no analysis is there. */
export function selfTimes(c: TraceColumns): Float64Array {
  const self = new Float64Array(c.count);
  for (let i = 0; i < c.count; i++) self[i] = c.duration[i]!;
  /* Children stand by start, so that one walk along them finds what they cover together. */
  for (let p = 0; p < c.count; p++) {
    const to = c.start[p]! + c.duration[p]!;
    let reached = c.start[p]!;
    for (let s = p + 1; s < c.end[p]!; s = c.end[s]!) {
      const from = Math.max(c.start[s]!, reached);
      const until = Math.min(c.start[s]! + c.duration[s]!, to);
      if (until <= from) continue;
      self[p]! -= until - from;
      reached = until;
    }
  }
  return self;
}

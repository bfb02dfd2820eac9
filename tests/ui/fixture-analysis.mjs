// SPDX-License-Identifier: Apache-2.0
/* Analyses in the API's form of the fixture's traces: simple, but such as could be true. */

const childrenOf = (spans) => {
  const byParent = new Map();
  for (const span of spans) byParent.set(span.parent_id, [...(byParent.get(span.parent_id) ?? []), span]);
  return byParent;
};

/** From the end backwards: the last child that ended before the moment waited for it. */
function criticalPath(root, children) {
  const segments = [];
  const walk = (span, untilNs) => {
    let at = untilNs;
    const own = (from, to) => to > from && segments.push({ offset_ns: from, duration_ns: to - from, span_id: span.span_id });
    const below = [...(children.get(span.span_id) ?? [])].sort((a, b) => b.start_offset_ns + b.duration_ns - a.start_offset_ns - a.duration_ns);
    for (const child of below) {
      const end = Math.min(child.start_offset_ns + child.duration_ns, at);
      if (end <= child.start_offset_ns || child.start_offset_ns < span.start_offset_ns) continue;
      own(end, at);
      walk(child, end);
      at = child.start_offset_ns;
    }
    own(span.start_offset_ns, at);
  };
  walk(root, root.start_offset_ns + root.duration_ns);
  return segments.reverse();
}

export function explain(trace) {
  const { spans, processes } = trace;
  /* What comes from the second process' host: its clock is ahead. */
  const correction = (span) => (span.process === 1 ? -1_200_000 : 0);
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const children = childrenOf(spans);
  const root = spans.find((span) => span.parent_id === '');
  const segments = (root ? criticalPath(root, children) : []).map((segment) => ({ ...segment, offset_ns: segment.offset_ns + correction(byId.get(segment.span_id)) }));
  const critical = new Map();
  for (const { span_id, duration_ns } of segments) critical.set(span_id, (critical.get(span_id) ?? 0) + duration_ns);
  const failed = spans.filter(({ status }) => status === 'died' || status === 'error').at(-1);
  const service = (span) => processes[span.process].service;
  const clients = spans.filter(({ kind }) => kind === 'client');
  return {
    trace_id: trace.trace_id, start_unix_ns: trace.start_unix_ns, duration_ns: trace.duration_ns,
    ...(failed && root && {
      culprit: {
        span_id: failed.span_id, chain: [root.span_id, failed.span_id],
        sentence: `${service(root)} "${root.name}" failed because ${service(failed)} "${failed.name}" ${failed.status === 'died' ? 'died' : 'failed'}`,
      },
    }),
    critical_path: { total_ns: root?.duration_ns ?? 0, unknown_ns: 0, segments },
    skew: { corrected: true, clocks: [{ host: 'box7', process: 0, offset_ns: 0, pairs: 0, agreeing: 0 }, { host: 'box8', process: 1, offset_ns: 1_200_000, against: 0, uncertainty_ns: 3000, pairs: 4, agreeing: 4 }] },
    holes: trace.complete ? [] : [{ kind: 'parent', reason: 'lost', span_id: spans.at(-1).span_id, missing_span_id: 'feedfeedfeedfeed', count: 1, service: 'cell', sentence: 'A parent of "hydrate" is missing: cell lost 1240 spans in this time', losses: [] }],
    holes_beyond: 0, ranked_among_traces: 200,
    calls: clients.slice(0, 10).map((span) => ({ span_id: span.span_id, sentence: `${service(span)} "${span.name}" took ${Math.round(span.duration_ns / 1000)} µs: network and queues ${Math.round(span.duration_ns / 4000)} µs` })),
    spans: spans.map((span, i) => {
      const below = children.get(span.span_id) ?? [];
      return {
        span_id: span.span_id, self_ns: Math.max(0, span.duration_ns - below.reduce((sum, child) => sum + child.duration_ns, 0)),
        critical_ns: critical.get(span.span_id) ?? 0, rank: (i % 100) / 100, among: 173, start_correction_ns: correction(span),
        ...(span.kind === 'client' && {
          call: below.length > 0
            ? { server_ns: Math.round(span.duration_ns * 0.75), network_ns: Math.round(span.duration_ns * 0.25), observed: below.some(({ flags }) => flags.includes('observed')) }
            : { not_observed: 'no tap watches this cache' },
        }),
      };
    }),
  };
}

export function diff(a, b) {
  const sums = new Map();
  const add = (trace, side) => {
    const critical = new Map(explain(trace).spans.map((span) => [span.span_id, span]));
    for (const span of trace.spans) {
      const { service } = trace.processes[span.process];
      const key = `${service} ${span.name} ${span.kind}`;
      const none = () => ({ traces: 1, spans: 0, errors: 0, died: 0, self_ns: 0, total_ns: 0, critical_ns: 0, exemplar: trace.trace_id });
      if (!sums.has(key)) sums.set(key, { operation: { service, operation: span.name, kind: span.kind }, a: none(), b: none() });
      const sum = sums.get(key)[side];
      sum.spans++;
      sum.errors += span.status === 'error' ? 1 : 0;
      sum.died += span.status === 'died' ? 1 : 0;
      sum.total_ns += span.duration_ns;
      sum.self_ns += critical.get(span.span_id).self_ns;
      sum.critical_ns += critical.get(span.span_id).critical_ns;
    }
  };
  add(a, 'a');
  add(b, 'b');
  const rows = [...sums.values()].map((row) => ({
    rest: false, ...row, critical_change_ns: row.b.critical_ns - row.a.critical_ns,
    self_change_ns: row.b.self_ns - row.a.self_ns, spans_change: row.b.spans - row.a.spans,
  }));
  rows.sort((x, y) => Math.abs(y.critical_change_ns) - Math.abs(x.critical_change_ns));
  return { by: 'operation', a: { traces: 1, total_ns: a.duration_ns }, b: { traces: 1, total_ns: b.duration_ns }, rows };
}

// SPDX-License-Identifier: Apache-2.0
/*
 * As much of TraceQL over the fixture's traces as the page's tests ask: braces with conditions joined
 * by "&&", a further set of braces behind "|", histogram_over_time() and compare().
 */

const NS = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9 };

const literal = (text) => {
  if (/^".*"$/.test(text)) return JSON.parse(text);
  const [, number, unit] = /^([\d.]+)(ns|us|ms|s|m)$/.exec(text) ?? [];
  return unit ? Number(number) * NS[unit] : /^-?[\d.]+$/.test(text) ? Number(text) : text;
};

function valueOf(field, span, process) {
  if (field === 'resource.service.name') return process.service;
  if (field === 'resource.service.version') return process.version;
  if (field === 'duration') return span.duration_ns;
  if (['name', 'status', 'kind'].includes(field)) return span[field];
  const [scope, ...key] = field.split('.');
  const list = scope === 'resource' ? process.resource : span.attributes;
  return list.find((each) => each.key === key.join('.'))?.value;
}

const COMPARES = {
  '=': (a, b) => a === b, '!=': (a, b) => a !== b, '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b,
  '=~': (a, b) => new RegExp(`^(?:${b})$`).test(a), '!~': (a, b) => !new RegExp(`^(?:${b})$`).test(a),
};

const conditionsOf = (inner) => inner.split('&&').map((part) => part.trim()).filter(Boolean).map((part) => {
  const [, field, op, value] = /^(\S+)\s*(=~|!~|!=|>=|<=|=|>|<)\s*(.+)$/.exec(part) ?? [];
  return { field, holds: COMPARES[op], value: literal(value ?? '') };
});

/** { test(span, process), fields, stages }; undefined for a query that is none. */
function compile(text) {
  const sets = [...text.matchAll(/\{([^{}]*)\}/g)];
  if (sets.length === 0 || !text.trim().startsWith('{')) return undefined;
  const conditions = sets.filter(({ index }) => !/compare\(\s*$/.test(text.slice(0, index))).flatMap(([, inner]) => conditionsOf(inner));
  if (conditions.some(({ field, holds }) => !field || !holds)) return undefined;
  return {
    fields: [...new Set(conditions.map(({ field }) => field))],
    test: (span, process) => conditions.every(({ field, holds, value }) => {
      const has = valueOf(field, span, process);
      return has !== undefined && holds(has, value);
    }),
  };
}

const fault = (text) => [400, { error: `line 1, column ${text.length}: here can stand: "}"`, fault: 'syntax', line: 1, column: Math.max(text.length, 1) }];
const startNs = (trace, span) => BigInt(trace.start_unix_ns) + BigInt(span.start_offset_ns);

function matching(traces, query) {
  const compiled = compile(query.get('q') ?? '');
  if (!compiled) return undefined;
  const [start, end] = [BigInt(query.get('start') ?? 0), BigInt(query.get('end') ?? '9'.repeat(19))];
  const found = traces.flatMap((trace) => {
    const spans = trace.spans.filter((span) => compiled.test(span, trace.processes[span.process]) && startNs(trace, span) >= start && startNs(trace, span) < end);
    return spans.length > 0 ? [{ trace, spans }] : [];
  });
  return { found, fields: compiled.fields };
}

export function answerSearch(traces, query, summary) {
  const matched = matching(traces, query);
  if (!matched) return fault(query.get('q') ?? '');
  const limit = Number(query.get('limit') ?? 20);
  const all = matched.found.map(({ trace, spans }) => ({
    ...summary(trace),
    spansets: [{
      matched: spans.length, values: {},
      spans: spans.slice(0, 3).map((span) => ({
        span_id: span.span_id, parent_id: span.parent_id, name: span.name, service: trace.processes[span.process].service, kind: span.kind,
        status: span.status, start_offset_ns: span.start_offset_ns, duration_ns: span.duration_ns,
        values: Object.fromEntries(matched.fields.filter((field) => /^(span|resource)\./.test(field)).map((field) => [field, valueOf(field, span, trace.processes[span.process])])),
      })),
    }],
  }));
  const more = all.length > limit;
  const progress = { units: 4, units_done: 4, units_read: 4, bytes: 4e6, bytes_done: 4e6, spans: 900, spans_done: 900, damaged_units: 0, matched: all.length };
  return [200, { traces: all.slice(0, limit), more, end: more ? 'limit' : 'all', partial: false, progress }];
}

export function searchLines(answer) {
  const lines = [{ progress: { ...answer.progress, units_done: 1 } }, ...answer.traces.map((found) => ({ found })), { result: answer }];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function histogram({ found }, start, step, columns) {
  const rows = new Map();
  for (const { trace, spans } of found) {
    for (const span of spans) {
      const bucket = 2 ** Math.ceil(Math.log2(span.duration_ns / 1e9));
      if (!rows.has(bucket)) rows.set(bucket, Array.from({ length: columns }, () => 0));
      const column = Number((startNs(trace, span) - start) / BigInt(step));
      if (column < columns) rows.get(bucket)[column]++;
    }
  }
  return [...rows].map(([bucket, values]) => ({ labels: { __bucket: bucket }, values, exemplars: [] }));
}

function compare({ found }, text) {
  const selected = compile(/compare\(\s*(\{[^{}]*\})/.exec(text)[1]);
  const counts = new Map();
  const totals = { selection: 0, baseline: 0 };
  for (const { trace, spans } of found) {
    for (const span of spans) {
      const process = trace.processes[span.process];
      const type = selected.test(span, process) ? 'selection' : 'baseline';
      totals[type]++;
      const all = [['name', span.name], ['resource.service.name', process.service], ...span.attributes.map(({ key, value }) => [`span.${key}`, value])];
      for (const [key, value] of all) {
        const label = JSON.stringify({ __meta_type: type, [key]: value });
        counts.set(label, (counts.get(label) ?? 0) + 1);
      }
    }
  }
  const total = Object.entries(totals).map(([type, count]) => ({ labels: { __meta_type: `${type}_total`, name: 'nil' }, values: [count] }));
  return [...total, ...[...counts].map(([label, count]) => ({ labels: JSON.parse(label), values: [count] }))];
}

export function measure(traces, query) {
  const text = query.get('q') ?? '';
  const matched = matching(traces, query);
  if (!matched) return fault(text);
  const start = BigInt(query.get('start'));
  const step = Number.parseInt(query.get('step') ?? '0', 10) * 1e9 || Number(BigInt(query.get('end')) - start);
  const columns = Math.ceil(Number(BigInt(query.get('end')) - start) / step);
  const series = text.includes('compare(') ? compare(matched, text) : histogram(matched, start, step, columns);
  return [200, { start_unix_ns: String(start), step_ns: step, series, end: 'all', partial: false, progress: {} }];
}

export function tags(traces) {
  const keys = (lists) => [...new Set(lists.flatMap((list) => list.map(({ key }) => key)))].sort();
  return {
    tags: {
      resource: ['service.name', ...keys(traces.flatMap((trace) => trace.processes.map(({ resource }) => resource)))],
      span: keys(traces.flatMap((trace) => trace.spans.map(({ attributes }) => attributes))),
      event: [], link: [], intrinsic: ['name', 'status', 'statusMessage', 'kind', 'duration'],
    },
    all: true,
  };
}

export function tagValues(traces, field) {
  if (field === 'status') return { values: ['unset', 'ok', 'error', 'died', 'in_flight'].map((value) => ({ type: 'keyword', value })), all: true };
  const counts = new Map();
  for (const trace of traces) {
    for (const span of trace.spans) {
      const value = valueOf(field, span, trace.processes[span.process]);
      if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  const values = [...counts].sort((a, b) => b[1] - a[1]).map(([value, count]) => ({ type: typeof value === 'number' ? 'int' : 'string', value, count }));
  return { values, all: true };
}

/** [status, stop, or error]: writes a line for each of the traces' spans that `q` lets through, over and over. */
export function followFirehose(traces, q, write) {
  const compiled = compile(q || '{ }');
  if (!compiled) return fault(q);
  let at = 0;
  const all = traces.flatMap((trace) => trace.spans.map((span) => ({ trace, span, process: trace.processes[span.process] }))).filter(({ span, process }) => compiled.test(span, process));
  const line = ({ trace, span, process }) => ({
    cursor: `1.${at.toString(16)}.0.0`, trace_id: trace.trace_id, span_id: span.span_id, parent_id: span.parent_id, service: process.service, name: span.name,
    kind: span.kind, status: span.status, ...(span.status_message && { status_message: span.status_message }), start_unix_ns: String(startNs(trace, span)),
    duration_ns: span.duration_ns, attributes: span.attributes, events: [], links: [], version: process.version, instance: process.instance,
    cell: process.cell, host: process.host, pid: process.pid, agent: process.host, resource: process.resource,
  });
  const timer = setInterval(() => {
    if (all.length === 0) return write('\n');
    for (let n = 0; n < 3; n++) write(`${JSON.stringify(line(all[at++ % all.length]))}\n`);
    if (at === 6) write(`${JSON.stringify({ cursor: '1.6.1.0', gap: { reason: 'aged', spans: 182_733 } })}\n`);
    return true;
  }, 100);
  return [200, () => clearInterval(timer)];
}

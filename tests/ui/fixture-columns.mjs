// SPDX-License-Identifier: Apache-2.0
/*
 * A fixture's trace in the order of its tree, and as the columns that the collector writes (docs/api.md,
 * format=columns).
 */
const BLOCK_ROWS = 8192;
const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'];
const STATUSES = ['unset', 'ok', 'error', 'died', 'in_flight'];
const FLAGS = { orphan: 1, duplicate: 2, remote_parent: 4, cycle: 8, observed: 16 };

/** [{ span, parent }]: parents first, siblings by their start; what no root leads to comes last, as roots. */
function treeOrder(spans) {
  const byId = new Map();
  for (const span of spans) if (!byId.has(span.span_id)) byId.set(span.span_id, span);
  const children = new Map();
  for (const span of spans) {
    const parent = span.parent_id ? byId.get(span.parent_id) : undefined;
    const key = parent === span ? undefined : parent;
    children.set(key, [...(children.get(key) ?? []), span]);
  }
  const placed = new Map();
  const order = [];
  const place = (root, parent) => {
    const stack = [[root, parent]];
    while (stack.length > 0) {
      const [span, above] = stack.pop();
      if (placed.has(span)) continue;
      placed.set(span, order.length);
      order.push({ span, parent: above });
      const below = (children.get(span) ?? []).slice().sort((a, b) => b.start_offset_ns - a.start_offset_ns);
      for (const child of below) stack.push([child, placed.get(span)]);
    }
  };
  for (const root of (children.get(undefined) ?? []).slice().sort((a, b) => a.start_offset_ns - b.start_offset_ns)) place(root, -1);
  for (const span of spans) if (!placed.has(span)) place(span, -1);
  return order;
}

/** The spans as the collector lists them: their places are those of the columns. */
export const inTreeOrder = (spans) => treeOrder(spans).map(({ span }) => span);

const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
const column = (Type, values) => padded(Buffer.from(new Type(values).buffer));

function block(rows, names) {
  const first = names.size;
  const named = rows.map(({ span }) => {
    if (!names.has(span.name)) names.set(span.name, names.size);
    return names.get(span.name);
  });
  const added = [...names.keys()].slice(first).map((name) => Buffer.from(name));
  const events = rows.flatMap(({ span }) => (span.events ?? []).map((event) => span.start_offset_ns + event.offset_ns));
  const of = (Type, value) => column(Type, rows.map(value));
  const half = (from) => ({ span }) => Number.parseInt(span.span_id.slice(from, from + 8), 16);
  const flags = ({ span, parent }) => (span.flags ?? []).reduce((sum, flag) => sum | (FLAGS[flag] ?? 0), parent < 0 && span.parent_id ? FLAGS.orphan : 0);
  return Buffer.concat([
    column(Uint32Array, [rows.length, events.length, added.length, added.reduce((sum, name) => sum + name.length, 0)]),
    of(Float64Array, ({ span }) => span.start_offset_ns), of(Float64Array, ({ span }) => span.duration_ns), column(Float64Array, events),
    of(Uint32Array, half(0)), of(Uint32Array, half(8)), of(Int32Array, ({ parent }) => parent), of(Uint32Array, ({ span }) => span.process),
    column(Uint32Array, named), of(Uint32Array, ({ span }) => span.events?.length ?? 0),
    of(Uint8Array, ({ span }) => KINDS.indexOf(span.kind)), of(Uint8Array, ({ span }) => STATUSES.indexOf(span.status)), of(Uint8Array, flags),
    column(Uint32Array, added.map((name) => name.length)), padded(Buffer.concat(added)),
  ]);
}

/** The whole trace as bytes. */
export function traceColumns(trace) {
  const order = treeOrder(trace.spans);
  const head = Buffer.from(JSON.stringify({ ...trace, span_count: order.length, spans: [] }));
  const names = new Map();
  const blocks = [];
  for (let at = 0; at < order.length; at += BLOCK_ROWS) blocks.push(block(order.slice(at, at + BLOCK_ROWS), names));
  return Buffer.concat([Buffer.from('weftcol1'), column(Uint32Array, [head.length, 0]), padded(head), ...blocks]);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * For tests: columns of spans that are written down in any order, as the collector would have made
 * them. A span whose parent is missing, who is its own ancestor, or whose id came twice still gets its
 * place.
 */
import type { Span } from '../api/wire';
import { closeSubtrees, emptyColumns, FLAG, KIND_ORDER, STATUS_ORDER, type TraceColumns } from '../model/columns';

export interface BuiltTrace {
  columns: TraceColumns;
  /** Where each span stood in the answer: its place in the tree -> its place there. */
  wireIndex: Int32Array;
}

/** Parents by their place in the answer; -1 where there is none. */
function parentsOf(spans: readonly Span[]): Int32Array {
  const byId = new Map<string, number>();
  for (let i = 0; i < spans.length; i++) {
    const id = spans[i]!.span_id;
    if (!byId.has(id)) byId.set(id, i);
  }
  const parents = new Int32Array(spans.length);
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i]!;
    const parent = span.parent_id === '' ? undefined : byId.get(span.parent_id);
    parents[i] = parent === undefined || parent === i ? -1 : parent;
  }
  return parents;
}

/** Children of p: list[from[p] .. from[p + 1]], by start; those at the top level are of p = n. */
function childrenOf(spans: readonly Span[], parents: Int32Array): { from: Int32Array; list: Int32Array } {
  const n = spans.length;
  const from = new Int32Array(n + 2);
  for (let i = 0; i < n; i++) from[(parents[i]! < 0 ? n : parents[i]!) + 1]!++;
  for (let p = 0; p <= n; p++) from[p + 1]! += from[p]!;
  const next = from.slice();
  const list = new Int32Array(n);
  for (let i = 0; i < n; i++) list[next[parents[i]! < 0 ? n : parents[i]!]!++] = i;
  const startOf = (i: number) => spans[i]!.start_offset_ns;
  for (let p = 0; p < n; p++) {
    const children = list.subarray(from[p]!, from[p + 1]!);
    if (!isSorted(children, startOf)) children.set([...children].sort((a, b) => startOf(a) - startOf(b)));
  }
  return { from, list };
}

function isSorted(list: Int32Array, key: (i: number) => number): boolean {
  for (let k = 1; k < list.length; k++) {
    if (key(list[k - 1]!) > key(list[k]!)) return false;
  }
  return true;
}

/** The order of the tree from top to bottom. Breaks cycles by making one of them a root. */
function preorder(parents: Int32Array, children: { from: Int32Array; list: Int32Array }): Int32Array {
  const n = parents.length;
  const order = new Int32Array(n);
  const seen = new Uint8Array(n);
  const stack: number[] = [];
  let placed = 0;
  const pushChildren = (p: number) => {
    for (let k = children.from[p + 1]! - 1; k >= children.from[p]!; k--) {
      const child = children.list[k]!;
      if (seen[child]) continue;
      seen[child] = 1;
      stack.push(child);
    }
  };
  const drain = () => {
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      order[placed++] = i;
      pushChildren(i);
    }
  };
  pushChildren(n);
  drain();
  for (let i = 0; placed < n; i++) {
    if (seen[i]) continue;
    seen[i] = 1;
    parents[i] = -1;
    stack.push(i);
    drain();
  }
  return order;
}

function flagsOf(span: Span, isOrphan: boolean): number {
  let flags = isOrphan ? FLAG.orphan : 0;
  for (const flag of span.flags ?? []) {
    if (flag === 'orphan') flags |= FLAG.orphan;
    else if (flag === 'duplicate') flags |= FLAG.duplicate;
    else if (flag === 'remote_parent') flags |= FLAG.remoteParent;
    else if (flag === 'cycle') flags |= FLAG.cycle;
    else if (flag === 'observed') flags |= FLAG.observed;
  }
  return flags;
}

/** Columns of `spans`, in any order they came. */
export function buildColumns(spans: readonly Span[]): BuiltTrace {
  const parents = parentsOf(spans);
  const wireIndex = preorder(parents, childrenOf(spans, parents));
  let events = 0;
  for (const span of spans) events += span.events?.length ?? 0;
  const columns = emptyColumns(spans.length, events);
  fillColumns(columns, spans, parents, wireIndex);
  closeSubtrees(columns);
  return { columns, wireIndex };
}

function fillColumns(c: TraceColumns, spans: readonly Span[], parents: Int32Array, wireIndex: Int32Array): void {
  const placeOf = new Int32Array(c.count);
  const names = new Map<string, number>();
  let event = 0;
  let from = Infinity;
  let to = -Infinity;
  for (let i = 0; i < c.count; i++) {
    const at = wireIndex[i]!;
    const span = spans[at]!;
    placeOf[at] = i;
    const parent = parents[at]! < 0 ? -1 : placeOf[parents[at]!]!;
    c.parent[i] = parent;
    c.depth[i] = parent < 0 ? 0 : c.depth[parent]! + 1;
    c.deepest = Math.max(c.deepest, c.depth[i]!);
    c.start[i] = span.start_offset_ns;
    c.duration[i] = span.duration_ns;
    from = Math.min(from, span.start_offset_ns);
    to = Math.max(to, span.start_offset_ns + span.duration_ns);
    c.process[i] = span.process;
    c.status[i] = Math.max(0, STATUS_ORDER.indexOf(span.status));
    c.kind[i] = Math.max(0, KIND_ORDER.indexOf(span.kind));
    c.flags[i] = flagsOf(span, parent < 0 && span.parent_id !== '');
    c.name[i] = names.get(span.name) ?? names.size;
    if (c.name[i] === names.size) names.set(span.name, names.size);
    c.idHigh[i] = Number.parseInt(span.span_id.slice(0, 8), 16) || 0;
    c.idLow[i] = Number.parseInt(span.span_id.slice(8), 16) || 0;
    for (const { offset_ns } of span.events ?? []) c.eventAt[event++] = span.start_offset_ns + offset_ns;
    c.eventFrom[i + 1] = event;
  }
  c.names = [...names.keys()];
  c.fromNs = c.count > 0 ? from : 0;
  c.toNs = c.count > 0 ? Math.max(to, from + 1) : 1;
}

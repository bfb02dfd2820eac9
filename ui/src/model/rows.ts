// SPDX-License-Identifier: Apache-2.0
/*
 * Which spans of a trace have a row, given what is collapsed, and how the keys move
 * among them. Pure: a row list is made anew on each change (100,000 rows: under a
 * millisecond).
 */
import type { TraceColumns } from './columns';

/** Spans with a row, top to bottom. `collapsed[i]` is 1 where the children of i are folded away. */
export function visibleRows(c: TraceColumns, collapsed: Uint8Array): Int32Array {
  const rows = new Int32Array(c.count);
  let count = 0;
  for (let i = 0; i < c.count; i = collapsed[i] ? c.end[i]! : i + 1) rows[count++] = i;
  return rows.subarray(0, count);
}

/** The row of span i; where it is folded away, that of the ancestor that hides it. */
export function rowOf(rows: Int32Array, i: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle]! <= i) low = middle;
    else high = middle - 1;
  }
  return low;
}

export const hasChildren = (c: TraceColumns, i: number) => c.end[i]! > i + 1;

/** Unfold whatever hides span i. True if something did. */
export function reveal(c: TraceColumns, collapsed: Uint8Array, i: number): boolean {
  let changed = false;
  for (let p = c.parent[i]!; p >= 0; p = c.parent[p]!) {
    if (collapsed[p]) changed = true;
    collapsed[p] = 0;
  }
  return changed;
}

/** Fold every span that has children at `depth` or deeper; depth 0 leaves the top level alone. */
export function collapseFrom(c: TraceColumns, collapsed: Uint8Array, depth: number): void {
  for (let i = 0; i < c.count; i++) collapsed[i] = c.depth[i]! >= depth && hasChildren(c, i) ? 1 : 0;
}

/** Fold the deepest level that is still unfolded. */
export function foldOneLevel(c: TraceColumns, collapsed: Uint8Array): void {
  let deepest = -1;
  for (let i = 0; i < c.count; i = collapsed[i] ? c.end[i]! : i + 1) {
    if (hasChildren(c, i) && !collapsed[i]) deepest = Math.max(deepest, c.depth[i]!);
  }
  for (let i = 0; i < c.count; i++) if (c.depth[i] === deepest && hasChildren(c, i)) collapsed[i] = 1;
}

/** Unfold the topmost level that is folded. */
export function unfoldOneLevel(c: TraceColumns, collapsed: Uint8Array): void {
  let topmost = Infinity;
  for (let i = 0; i < c.count; i++) if (collapsed[i]) topmost = Math.min(topmost, c.depth[i]!);
  for (let i = 0; i < c.count; i++) if (c.depth[i] === topmost) collapsed[i] = 0;
}

/** Carry what is folded in `before` over to a newer state of the same trace. */
export function carryCollapsed(before: TraceColumns, collapsed: Uint8Array, after: TraceColumns): Uint8Array {
  const folded = new Set<number>();
  const key = (c: TraceColumns, i: number) => c.idHigh[i]! * 4_294_967_296 + c.idLow[i]!;
  for (let i = 0; i < before.count; i++) if (collapsed[i]) folded.add(key(before, i));
  const carried = new Uint8Array(after.count);
  if (folded.size === 0) return carried;
  for (let i = 0; i < after.count; i++) carried[i] = folded.has(key(after, i)) ? 1 : 0;
  return carried;
}

/** A span's place among its siblings, from 1, and how many there are (for screen readers). */
export function placeAmongSiblings(c: TraceColumns, i: number): { place: number; of: number } {
  const parent = c.parent[i]!;
  const to = parent < 0 ? c.count : c.end[parent]!;
  let place = 0;
  let of = 0;
  for (let s = parent + 1; s < to && of < 1000; s = c.end[s]!) {
    of++;
    if (s === i) place = of;
  }
  return place === 0 ? { place: -1, of: -1 } : { place, of };
}

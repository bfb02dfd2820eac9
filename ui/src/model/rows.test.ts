// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { buildColumns } from '../testing/columns-of';
import type { Span } from '../api/wire';
import { carryCollapsed, collapseFrom, placeAmongSiblings, reveal, rowOf, visibleRows } from './rows';

/** 0 ─ 1 ─ 2, 3; 4 ─ 5 under 0; 6 a second root. By id, parents first. */
const PARENTS = ['', 0, 1, 1, 0, 4, ''] as const;
const id = (n: number) => (n + 1).toString(16).padStart(16, '0');
const spans = PARENTS.map((parent, n): Span => ({
  span_id: id(n),
  parent_id: parent === '' ? '' : id(parent),
  process: 0,
  name: 'op',
  kind: 'internal',
  status: 'unset',
  start_offset_ns: n,
  duration_ns: 1,
}));
const { columns } = buildColumns(spans);
const folded = (...which: number[]) => Uint8Array.from(PARENTS, (_, i) => (which.includes(i) ? 1 : 0));

describe('rows', () => {
  it('are all spans when nothing is folded', () => expect([...visibleRows(columns, folded())]).toEqual([0, 1, 2, 3, 4, 5, 6]));
  it('leave out what is folded away', () => {
    expect([...visibleRows(columns, folded(1))]).toEqual([0, 1, 4, 5, 6]);
    expect([...visibleRows(columns, folded(0, 1))]).toEqual([0, 6]);
  });
  it('lead from a hidden span to the one that hides it', () => {
    const rows = visibleRows(columns, folded(1));
    expect(rows[rowOf(rows, 3)]).toBe(1);
    expect(rows[rowOf(rows, 5)]).toBe(5);
  });
  it('unfold every ancestor to reveal a span', () => {
    const collapsed = folded(0, 1, 4);
    expect(reveal(columns, collapsed, 2)).toBe(true);
    expect([...collapsed]).toEqual([...folded(4)]);
    expect(reveal(columns, collapsed, 2)).toBe(false);
  });
  it('fold from a depth on, leaves excepted', () => {
    const collapsed = folded();
    collapseFrom(columns, collapsed, 1);
    expect([...collapsed]).toEqual([...folded(1, 4)]);
  });
  it('stay folded when the trace has grown', () => {
    const grown = buildColumns([...spans, { ...spans[3]!, span_id: id(20), start_offset_ns: 0 }]).columns;
    const carried = carryCollapsed(columns, folded(1), grown);
    expect([...carried].map((on, i) => (on ? grown.idLow[i] : 0)).filter(Boolean)).toEqual([2]);
  });
  it('know their place among siblings', () => {
    expect(placeAmongSiblings(columns, 3)).toEqual({ place: 2, of: 2 });
    expect(placeAmongSiblings(columns, 6)).toEqual({ place: 2, of: 2 });
  });
});

// SPDX-License-Identifier: Apache-2.0
/*
 * The state of one open trace: what is loaded, folded, in view, under the cursor, selected.
 * Signals, so that the canvas, the minimap and the detail panel each follow what they show.
 * Selection and zoom are written into the address as they change; trace.tsx reads them
 * back from it.
 */
import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { LoadedTrace } from '../../api/trace-loader';
import type { Insight } from '../../model/insight';
import { findSpan, spanIdAt, type TraceColumns } from '../../model/columns';
import { carryCollapsed, collapseFrom, foldOneLevel, hasChildren, reveal, rowOf, unfoldOneLevel, visibleRows } from '../../model/rows';
import { clampView, isWhole, zoomAround, type Span1d } from '../../model/scale';

/* Room beside the first and last moment: for a label, a cross, or an end that is not known yet. */
const ROOM_BEFORE = 0.006;
const ROOM_AFTER = 0.08;

export interface TraceStore {
  readonly trace: ReadonlySignal<LoadedTrace>;
  readonly rows: ReadonlySignal<Int32Array>;
  readonly whole: ReadonlySignal<Span1d>;
  readonly view: ReadonlySignal<Span1d>;
  /** The span under the keyboard's cursor; -1 only in an empty trace. */
  readonly cursor: ReadonlySignal<number>;
  /** The span whose details are shown; -1 if none. */
  readonly selected: ReadonlySignal<number>;
  /** Rises when the cursor should be scrolled into sight. */
  readonly reveals: ReadonlySignal<number>;
  /** The analysis of exactly this state of the trace, if it is there. */
  readonly insight: ReadonlySignal<Insight | undefined>;
  readonly showPath: Signal<boolean>;
  /** Spans that the search found, from top to bottom; undefined while nothing is searched for. */
  readonly found: ReadonlySignal<Int32Array | undefined>;
  readonly foundMask: ReadonlySignal<Uint8Array | undefined>;
  /** What came of a question about the load `load`; passed over if a newer one is shown. */
  explain(load: number, insight: Insight | undefined): void;
  find(load: number, places: Int32Array | undefined): void;
  isCollapsed(i: number): boolean;
  /** A newer state of the same trace: folds, cursor and selection carry over by span id. */
  update(trace: LoadedTrace): void;
  toggle(i: number): void;
  fold(i: number, closed: boolean): void;
  foldFrom(depth: number): void;
  /** One level less (-1) or more (1) of the tree. */
  foldLevel(by: 1 | -1): void;
  moveTo(i: number): void;
  moveBy(rows: number): void;
  /** Bring span i into sight, under the cursor; the details follow if they are open. */
  show(i: number): void;
  /** Show the details of span i (-1: of none) and bring it into sight. */
  select(i: number): void;
  setView(view: Span1d): void;
  zoomBy(factor: number, anchorNs?: number): void;
}

function wholeOf(c: TraceColumns): Span1d {
  const from = Math.min(c.fromNs, 0);
  const length = c.toNs - from;
  return { from: from - length * ROOM_BEFORE, to: c.toNs + length * ROOM_AFTER };
}

export function createTraceStore(first: LoadedTrace): TraceStore {
  const trace = signal(first);
  const collapsed = signal<Uint8Array>(new Uint8Array(first.columns.count));
  const folds = signal(0);
  const whole = computed(() => wholeOf(trace.value.columns));
  const view = signal<Span1d>(whole.peek());
  const cursor = signal(first.columns.count > 0 ? 0 : -1);
  const selected = signal(-1);
  const reveals = signal(0);
  const rows = computed(() => {
    folds.value;
    return visibleRows(trace.value.columns, collapsed.value);
  });
  const insight = signal<Insight | undefined>(undefined);
  const found = signal<Int32Array | undefined>(undefined);
  const foundMask = computed(() => {
    if (!found.value) return undefined;
    const mask = new Uint8Array(trace.peek().columns.count);
    for (const i of found.value) mask[i] = 1;
    return mask;
  });
  const columns = () => trace.peek().columns;

  /* A cursor inside something that was just folded moves out to the fold. */
  const afterFold = () => {
    folds.value++;
    if (cursor.peek() >= 0) cursor.value = rows.value[rowOf(rows.value, cursor.peek())] ?? -1;
  };

  const carry = (at: Signal<number>, before: TraceColumns, otherwise: number) => {
    at.value = at.peek() < 0 ? otherwise : findSpan(columns(), spanIdAt(before, at.peek()));
  };

  const moveTo = (i: number) => {
    if (i < 0 || i >= columns().count) return;
    cursor.value = i;
    if (selected.peek() >= 0) selected.value = i;
    reveals.value++;
  };

  return {
    trace,
    rows,
    whole,
    view,
    cursor,
    selected,
    reveals,
    insight,
    showPath: signal(true),
    found,
    foundMask,
    explain: (load, next) => {
      if (trace.peek().load === load) insight.value = next;
    },
    find: (load, places) => {
      if (trace.peek().load === load) found.value = places;
    },
    isCollapsed: (i) => collapsed.peek()[i] === 1,
    update: (next) =>
      batch(() => {
        const before = columns();
        const wasWhole = isWhole(view.peek(), whole.peek());
        collapsed.value = carryCollapsed(before, collapsed.peek(), next.columns);
        insight.value = undefined;
        found.value = undefined;
        trace.value = next;
        carry(cursor, before, next.columns.count > 0 ? 0 : -1);
        carry(selected, before, -1);
        view.value = wasWhole ? whole.value : clampView(view.peek(), whole.value);
      }),
    toggle: (i) => {
      if (!hasChildren(columns(), i)) return;
      collapsed.peek()[i] = collapsed.peek()[i] ? 0 : 1;
      afterFold();
    },
    fold: (i, closed) => {
      if (!hasChildren(columns(), i)) return;
      collapsed.peek()[i] = closed ? 1 : 0;
      afterFold();
    },
    foldFrom: (depth) => {
      collapseFrom(columns(), collapsed.peek(), depth);
      afterFold();
    },
    foldLevel: (by) => {
      if (by < 0) foldOneLevel(columns(), collapsed.peek());
      else unfoldOneLevel(columns(), collapsed.peek());
      afterFold();
    },
    moveTo,
    moveBy: (by) => {
      const list = rows.peek();
      const row = Math.min(Math.max(rowOf(list, cursor.peek()) + by, 0), list.length - 1);
      moveTo(list[row] ?? -1);
    },
    show: (i) =>
      batch(() => {
        if (i < 0) return;
        if (reveal(columns(), collapsed.peek(), i)) folds.value++;
        moveTo(i);
      }),
    select: (i) =>
      batch(() => {
        selected.value = i;
        if (i < 0) return;
        if (reveal(columns(), collapsed.peek(), i)) folds.value++;
        cursor.value = i;
        reveals.value++;
      }),
    setView: (next) => {
      view.value = clampView(next, whole.peek());
    },
    zoomBy: (factor, anchorNs) => {
      const now = view.peek();
      view.value = zoomAround(now, whole.peek(), factor, anchorNs ?? (now.from + now.to) / 2);
    },
  };
}

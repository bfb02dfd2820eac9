// SPDX-License-Identifier: Apache-2.0
/*
 * The rows in sight as a treegrid that screen readers (and tests) read: a canvas has no
 * words. They lie, transparent, exactly over what is painted. Rebuilt a moment after scrolling
 * rests, so that it costs no frame.
 */
import { FLAG, KIND_ORDER, STATUS, type TraceColumns } from '../../model/columns';
import { formatDuration } from '../../model/format';
import { hasChildren, placeAmongSiblings, rowOf } from '../../model/rows';
import { ROW_HEIGHT } from './scene';
import type { TraceStore } from './store';

export const rowId = (i: number) => `span-${i}`;

const FATES: Record<number, string> = {
  [STATUS.error]: 'error',
  [STATUS.died]: 'died',
  [STATUS.inFlight]: 'in flight',
};

function fateOf(c: TraceColumns, i: number): string {
  const words = [FATES[c.status[i]!]];
  if (c.flags[i]! & FLAG.cycle) words.push('its own ancestor');
  else if (c.flags[i]! & FLAG.orphan) words.push('orphan, its parent is missing');
  if (c.flags[i]! & FLAG.observed) words.push('observed by a tap');
  if (c.flags[i]! & FLAG.duplicate) words.push('duplicate id');
  return words.filter(Boolean).join(', ');
}

interface RowProps {
  store: TraceStore;
  i: number;
  row: number;
  /** Undefined for a span without children. */
  expanded: boolean | undefined;
}

function Row({ store, i, row, expanded }: RowProps) {
  const { columns: c, processes } = store.trace.value;
  const { place, of } = placeAmongSiblings(c, i);
  const events = c.eventFrom[i + 1]! - c.eventFrom[i]!;
  return (
    <div
      role="row"
      id={rowId(i)}
      aria-level={c.depth[i]! + 1}
      aria-rowindex={row + 1}
      aria-posinset={place}
      aria-setsize={of}
      aria-selected={store.selected.value === i}
      aria-expanded={expanded}
      style={{ top: `${row * ROW_HEIGHT}px` }}
    >
      <span role="gridcell">{c.names[c.name[i]!]}</span>
      <span role="gridcell">
        {processes[c.process[i]!]?.service ?? 'unknown service'}, {KIND_ORDER[c.kind[i]!]}
      </span>
      <span role="gridcell">{fateOf(c, i)}</span>
      <span role="gridcell">
        {formatDuration(c.duration[i]!)}, from {formatDuration(c.start[i]!)}
        {store.foundMask.value?.[i] === 1 && ', found'}
        {events > 0 && `, ${events} ${events === 1 ? 'event' : 'events'}`}
      </span>
    </div>
  );
}

/** Rows `first` to `last` of the store's, and the cursor's own wherever it is. */
export function AccessibleRows({ store, first, last }: { store: TraceStore; first: number; last: number }) {
  const { columns } = store.trace.value;
  const rows = store.rows.value;
  const cursor = store.cursor.value;
  const shown: number[] = [];
  for (let row = Math.max(0, first); row < Math.min(last, rows.length); row++) shown.push(row);
  const cursorRow = cursor >= 0 ? rowOf(rows, cursor) : -1;
  if (cursorRow >= 0 && !shown.includes(cursorRow)) shown.push(cursorRow);
  return (
    <div role="rowgroup">
      {shown.map((row) => (
        <Row
          key={rows[row]}
          store={store}
          i={rows[row]!}
          row={row}
          expanded={hasChildren(columns, rows[row]!) ? !store.isCollapsed(rows[row]!) : undefined}
        />
      ))}
    </div>
  );
}

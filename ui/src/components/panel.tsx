// SPDX-License-Identifier: Apache-2.0
/* The head of a page, with the time range; boxes, tables whose columns sort, and what stands in a box
 * that has nothing to show. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import './panel.css';
import { TimeRangePicker } from './time-range';

export function PageHead({ title, note, children }: { title: ComponentChildren; note?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <header class="page-head">
      <h1>{title}</h1>
      {note !== undefined && <p class="muted">{note}</p>}
      <div class="aside">
        {children}
        <TimeRangePicker />
      </div>
    </header>
  );
}

export function Box(props: { title: ComponentChildren; note?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="box">
      <header>
        <h2>{props.title}</h2>
        {props.note !== undefined && <span class="note">{props.note}</span>}
        {props.aside !== undefined && <span class="aside">{props.aside}</span>}
      </header>
      {props.children}
    </section>
  );
}

/** In the place of what would be there: as high as that, so that nothing moves when it comes. */
export function BoxMessage({ height, failed = false, children }: { height: number; failed?: boolean; children: ComponentChildren }) {
  return (
    <div class={failed ? 'box-message failed' : 'box-message'} role={failed ? 'alert' : 'status'} style={{ minHeight: `${height}px` }}>
      <p>{children}</p>
    </div>
  );
}

export interface Column<Row> {
  id: string;
  title: string;
  number?: boolean;
  /** Takes what room there is, and is cut off. */
  grows?: boolean;
  cell: (row: Row) => ComponentChildren;
  /** What it is sorted by; a column without it cannot be. */
  sortBy?: (row: Row) => number | string;
}

export interface Sorting {
  by: string;
  ascending: boolean;
}

/** "p99" is descending by p99, "-p99" ascending. */
export const sortingFrom = (text: string | null, fallback: string): Sorting => {
  const by = text ?? fallback;
  return by.startsWith('-') ? { by: by.slice(1), ascending: true } : { by, ascending: false };
};

export function sortRows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], sorting: Sorting): Row[] {
  const key = columns.find((column) => column.id === sorting.by)?.sortBy;
  if (!key) return [...rows];
  const sign = sorting.ascending ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    return left < right ? -sign : left > right ? sign : 0;
  });
}

/** Sorted when the sorting or `hold` changes; refreshed rows keep their places until then, new ones come last. */
function useHeldRows<Row>({ rows, columns, keyOf, sorting, hold }: TableProps<Row>): readonly Row[] {
  const held = useRef<{ for: string; keys: string[] }>({ for: '', keys: [] });
  if (!sorting) return rows;
  const sorted = sortRows(rows, columns, sorting);
  const wanted = hold === undefined ? undefined : JSON.stringify([sorting, hold]);
  if (wanted === undefined || held.current.for !== wanted || held.current.keys.length === 0) {
    held.current = { for: wanted ?? '', keys: sorted.map(keyOf) };
    return sorted;
  }
  const places = new Map(held.current.keys.map((key, i) => [key, i]));
  for (const row of sorted) if (!places.has(keyOf(row))) places.set(keyOf(row), held.current.keys.push(keyOf(row)) - 1);
  return sorted.sort((a, b) => (places.get(keyOf(a)) ?? 0) - (places.get(keyOf(b)) ?? 0));
}

interface TableProps<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string;
  sorting?: Sorting;
  onSort?: (text: string) => void;
  /** Of what the rows are told: while it stays the same, refreshing moves none. */
  hold?: string;
}

export function DataTable<Row>(props: TableProps<Row>) {
  const { label, columns, keyOf, sorting, onSort } = props;
  const sorted = useHeldRows(props);
  const head = ({ id, title, number, sortBy }: Column<Row>) => {
    const present = sorting?.by === id;
    const state = present ? (sorting.ascending ? 'ascending' : 'descending') : 'none';
    if (!sortBy || !onSort) return <th key={id} scope="col" class={number ? 'number' : ''}>{title}</th>;
    return (
      <th key={id} scope="col" class={number ? 'number' : ''} aria-sort={state}>
        <button type="button" onClick={() => onSort(present && !sorting.ascending ? `-${id}` : id)}>
          {title}
        </button>
      </th>
    );
  };
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="data-table">
        <thead>
          <tr>{columns.map(head)}</tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <td key={column.id} class={[column.number && 'number', column.grows && 'grows'].filter(Boolean).join(' ')}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

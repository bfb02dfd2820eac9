// SPDX-License-Identifier: Apache-2.0
/* Where a reader is in a chart who moves by keys: a step and a series, or a cell of a heatmap. Pure. */

export interface Point {
  row: number;
  series: number;
}

export interface Cell {
  column: number;
  row: number;
}

/** Where in `list` that is which is nearest to `value`: what was pointed at, in a newer answer; -1 in an empty one. */
export function nearestIn(list: readonly number[], value: number): number {
  let best = -1;
  list.forEach((each, i) => {
    if (best < 0 || Math.abs(each - value) < Math.abs(list[best]! - value)) best = i;
  });
  return best;
}

type Values = readonly (readonly (number | null)[])[];

/* So many steps at once, with Shift. */
const STRIDE = 10;

/** Where keys begin: at the last value of the first series that has one. */
export function firstPoint(values: Values): Point | undefined {
  for (let series = 0; series < values.length; series++) {
    const its = values[series]!;
    for (let row = its.length - 1; row >= 0; row--) if (its[row] !== null) return { row, series };
  }
  return undefined;
}

function along(values: readonly (number | null)[], from: number, direction: 1 | -1, steps: number): number {
  let at = from;
  for (let row = from + direction, left = steps; left > 0 && row >= 0 && row < values.length; row += direction) {
    if (values[row] === null) continue;
    at = row;
    left--;
  }
  return at;
}

/** Where a key leads from `point`; undefined for a key that moves nothing. Steps without a value are passed over. */
export function movedPoint(point: Point, key: string, shift: boolean, values: Values): Point | undefined {
  const { row, series } = point;
  const its = values[series] ?? [];
  const steps = shift ? STRIDE : 1;
  if (key === 'ArrowLeft') return { series, row: along(its, row, -1, steps) };
  if (key === 'ArrowRight') return { series, row: along(its, row, 1, steps) };
  if (key === 'Home') return { series, row: along(its, row, -1, Infinity) };
  if (key === 'End') return { series, row: along(its, row, 1, Infinity) };
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return undefined;
  /* Up and down go by the value at this step, as one sees it. */
  const here = its[row] ?? 0;
  const above = key === 'ArrowUp';
  let best: number | undefined;
  values.forEach((each, i) => {
    const value = each[row];
    if (i === series || value === null || value === undefined) return;
    const beyond = above ? value > here || (value === here && i < series) : value < here || (value === here && i > series);
    const known = best === undefined ? undefined : values[best]![row]!;
    if (beyond && (known === undefined || (above ? value < known : value > known))) best = i;
  });
  return best === undefined ? point : { row, series: best };
}

/** Likewise among the cells of a heatmap; rows count from below. */
export function movedCell(cell: Cell, key: string, shift: boolean, columns: number, rows: number): Cell | undefined {
  const steps = shift ? STRIDE : 1;
  const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most - 1);
  const to = (dx: number, dy: number): Cell => ({ column: clamp(cell.column + dx, columns), row: clamp(cell.row + dy, rows) });
  switch (key) {
    case 'ArrowLeft': return to(-steps, 0);
    case 'ArrowRight': return to(steps, 0);
    case 'ArrowUp': return to(0, 1);
    case 'ArrowDown': return to(0, -1);
    case 'Home': return to(-columns, 0);
    case 'End': return to(columns, 0);
    default: return undefined;
  }
}

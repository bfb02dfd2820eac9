// SPDX-License-Identifier: Apache-2.0
/* Draws a heatmap: cells, axes, percentile lines, what is chosen. Places are in CSS pixels of the canvas. */
import type { Cell } from '../model/chart-cursor';
import type { Heat } from '../model/heat';
import { logTicks, timeTicks } from '../model/ticks';
import { formatValue, type Unit } from '../model/units';
import { timeLabels, withAlpha, type Palette } from './chart-options';

export const LEFT = 72;
export const BOTTOM = 24;
export const TOP = 16;
export const RIGHT = 8;

export interface Line {
  name: string;
  values: readonly (number | null)[];
  dash: readonly number[];
}

export interface Frame {
  heat: Heat;
  lines: readonly Line[];
  marks: readonly { atMs: number; worse?: boolean }[];
  width: number;
  height: number;
  utc: boolean;
  unit: Unit;
  colours: Palette;
  /** In seconds since 1970 and in values. */
  chosen?: { fromTime: number; toTime: number; fromValue: number; toValue: number } | undefined;
  cursor?: Cell | undefined;
}

/** Where a moment and a value are in a frame, and the other way round. */
export function scalesOf({ heat, width, height }: Pick<Frame, 'heat' | 'width' | 'height'>) {
  const step = (heat.times[1] ?? heat.times[0]! + 1) - heat.times[0]!;
  const from = heat.times[0]! - step;
  const to = heat.times.at(-1)!;
  const wide = width - LEFT - RIGHT;
  const high = height - TOP - BOTTOM;
  const low = Math.log2(heat.bounds[0]!);
  const span = Math.log2(heat.bounds.at(-1)!) - low;
  const rows = heat.bounds.length - 1;
  const within = (value: number, most: number) => Math.min(Math.max(Math.floor(value), 0), most - 1);
  return {
    step, from, to,
    x: (time: number) => LEFT + ((time - from) / (to - from)) * wide,
    time: (x: number) => from + ((x - LEFT) / wide) * (to - from),
    y: (value: number) => TOP + high - ((Math.log2(value) - low) / span) * high,
    /** The cell at a place, or the nearest one. */
    cell: (x: number, y: number): Cell => ({
      column: within(((x - LEFT) / wide) * heat.times.length, heat.times.length),
      row: within(((TOP + high - y) / high) * rows, rows),
    }),
    value: (y: number) => 2 ** (low + ((TOP + high - y) / high) * span),
  };
}

function paintCells(ctx: CanvasRenderingContext2D, frame: Frame): void {
  const { heat, colours } = frame;
  const { x, y, step } = scalesOf(frame);
  const rows = heat.bounds.length - 1;
  heat.times.forEach((time, column) => {
    const left = Math.round(x(time - step));
    const wide = Math.max(Math.round(x(time)) - left, 1);
    for (let row = 0; row < rows; row++) {
      const count = heat.cells[column * rows + row]!;
      if (count <= 0) continue;
      const top = Math.round(y(heat.bounds[row + 1]!));
      /* The root shows few beside many; a single one can be seen, too. */
      ctx.fillStyle = withAlpha(colours.mark, 0.15 + 0.85 * Math.sqrt(count / heat.most));
      ctx.fillRect(left, top, wide, Math.max(Math.round(y(heat.bounds[row]!)) - top, 1));
    }
  });
}

function paintAxes(ctx: CanvasRenderingContext2D, frame: Frame): void {
  const { heat, width, height, colours, unit, utc } = frame;
  const { x, y, from, to } = scalesOf(frame);
  ctx.font = colours.font;
  ctx.fillStyle = colours.ink;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'right';
  for (const tick of logTicks(heat.bounds[0]!, heat.bounds.at(-1)!, (height - TOP - BOTTOM) / 28)) {
    ctx.fillText(formatValue(tick, unit), LEFT - 8, y(tick));
  }
  ctx.textAlign = 'center';
  const ahead = utc ? 0 : -new Date(to * 1000).getTimezoneOffset() * 60;
  const { ticks, step } = timeTicks(from, to, (width - LEFT - RIGHT) / 80, ahead);
  timeLabels(ticks, step, utc).forEach((text, i) => ctx.fillText(text, x(ticks[i]!), height - BOTTOM / 2 + 2));
  ctx.strokeStyle = colours.grid;
  ctx.lineWidth = 1;
  ctx.strokeRect(LEFT - 0.5, TOP - 0.5, width - LEFT - RIGHT + 1, height - TOP - BOTTOM + 1);
}

function stroke(ctx: CanvasRenderingContext2D, points: readonly (readonly [number, number] | null)[]): void {
  ctx.beginPath();
  let drawing = false;
  for (const point of points) {
    if (point && drawing) ctx.lineTo(...(point as [number, number]));
    else if (point) ctx.moveTo(...(point as [number, number]));
    drawing = point !== null;
  }
  ctx.stroke();
}

/* Light below dark, so that a line is seen on cells of any shade. */
function paintLines(ctx: CanvasRenderingContext2D, frame: Frame): void {
  const { heat, colours } = frame;
  const { x, y, step } = scalesOf(frame);
  ctx.lineJoin = 'round';
  for (const { values, dash } of frame.lines) {
    const points = values.map((value, i) => (value && value > 0 ? ([x(heat.times[i]! - step / 2), y(value)] as const) : null));
    ctx.setLineDash([]);
    ctx.strokeStyle = withAlpha(colours.surface, 0.85);
    ctx.lineWidth = 3.5;
    stroke(ctx, points);
    ctx.setLineDash([...dash]);
    ctx.strokeStyle = colours.strong;
    ctx.lineWidth = 1.5;
    stroke(ctx, points);
  }
  ctx.setLineDash([]);
}

function paintChosen(ctx: CanvasRenderingContext2D, frame: Frame): void {
  const { heat, chosen, cursor, colours } = frame;
  const { x, y, step } = scalesOf(frame);
  const box = (fromTime: number, toTime: number, fromValue: number, toValue: number) => {
    const [left, right] = [Math.max(x(fromTime), LEFT), Math.min(x(toTime), frame.width - RIGHT)];
    const [top, bottom] = [Math.max(y(toValue), TOP), Math.min(y(fromValue), frame.height - BOTTOM)];
    ctx.strokeRect(left, top, right - left, bottom - top);
  };
  ctx.strokeStyle = colours.strong;
  ctx.lineWidth = 1.5;
  if (chosen) box(chosen.fromTime, chosen.toTime, chosen.fromValue, chosen.toValue);
  if (cursor) box(heat.times[cursor.column]! - step, heat.times[cursor.column]!, heat.bounds[cursor.row]!, heat.bounds[cursor.row + 1]!);
}

export function paintHeat(canvas: HTMLCanvasElement, frame: Frame): void {
  const ctx = canvas.getContext('2d');
  if (!ctx || frame.width <= LEFT + RIGHT) return;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(frame.width * ratio);
  canvas.height = Math.round(frame.height * ratio);
  ctx.scale(ratio, ratio);
  paintAxes(ctx, frame);
  ctx.save();
  ctx.beginPath();
  ctx.rect(LEFT, TOP, frame.width - LEFT - RIGHT, frame.height - TOP - BOTTOM);
  ctx.clip();
  paintCells(ctx, frame);
  const { x } = scalesOf(frame);
  for (const { atMs, worse } of frame.marks) {
    ctx.strokeStyle = worse ? frame.colours.worse : frame.colours.mark;
    ctx.lineWidth = 1;
    const at = Math.round(x(atMs / 1000)) + 0.5;
    stroke(ctx, [[at, TOP], [at, frame.height - BOTTOM]]);
  }
  paintLines(ctx, frame);
  ctx.restore();
  paintChosen(ctx, frame);
}

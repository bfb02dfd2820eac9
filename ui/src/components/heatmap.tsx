// SPDX-License-Identifier: Apache-2.0
/* Histograms over time as a heatmap with percentile lines over it, on a canvas; what the pointer is on is told below. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { summarise } from '../model/chart-data';
import { movedCell, nearestIn, type Cell } from '../model/chart-cursor';
import { formatShort } from '../model/format';
import { QUANTILES, quantileName, quantileOf, type Heat } from '../model/heat';
import { momentText } from '../model/time-range';
import { formatValue, type Unit } from '../model/units';
import { setTimeRange, utc } from '../routes/location';
import { themeVersion } from '../theme';
import { palette, type ChartMark } from './chart-options';
import { BOTTOM, LEFT, paintHeat, RIGHT, scalesOf, TOP, type Line } from './heatmap-paint';
import './heatmap.css';

export interface HeatmapProps {
  label: string;
  heat: Heat;
  unit: Unit;
  height?: number;
  marks?: readonly ChartMark[];
  /** A moment was clicked, in seconds since 1970, at that value. */
  onPick?: (time: number, value: number) => void;
}

const DASHES: readonly (readonly number[])[] = [[2, 3], [6, 3], []];
const NO_MARKS: readonly ChartMark[] = [];

function told(heat: Heat, unit: Unit, at: Cell | null): string {
  if (!at) return `${heat.times.length} steps; the stronger, the more values`;
  const rows = heat.bounds.length - 1;
  const count = heat.cells[at.column * rows + at.row] ?? 0;
  const bound = (row: number) => formatValue(heat.bounds[row], unit);
  return `${momentText(heat.times[at.column]! * 1000, utc.value)}, ${bound(at.row)} to ${bound(at.row + 1)}: ${formatShort(count)}`;
}

function Legend({ lines, unit, column, note }: { lines: readonly Line[]; unit: Unit; column: number | null; note: string }) {
  return (
    <div class="heat-legend">
      <p class="muted" role="status">{note}</p>
      <dl>
        {lines.map(({ name, values, dash }) => (
          <div key={name}>
            <dt>
              <svg viewBox="0 0 22 4" aria-hidden="true">
                <path d="M0 2h22" stroke-dasharray={dash.join(' ')} />
              </svg>
              {name}
            </dt>
            <dd>{formatValue(column === null ? summarise(values).last : values[column], unit)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

export function Heatmap({ label, heat, unit, height = 260, marks = NO_MARKS, onPick }: HeatmapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  /* The cell that is pointed at, by when and from what on it is: a refresh adds cells and takes some. */
  const held = useSignal<{ time: number; bound: number } | null>(null);
  /* Whether keys brought the reader there: then the cell is framed. */
  const keyed = useSignal(false);
  const drag = useSignal<{ from: number; to: number } | null>(null);
  const at = useMemo((): Cell | null => {
    if (!held.value) return null;
    const cell = { column: nearestIn(heat.times, held.value.time), row: nearestIn(heat.bounds.slice(0, -1), held.value.bound) };
    return cell.column < 0 || cell.row < 0 ? null : cell;
  }, [heat, held.value]);
  const hold = ({ column, row }: Cell) => (held.value = { time: heat.times[column]!, bound: heat.bounds[row]! });
  const lines = useMemo(
    () => QUANTILES.map((q, i): Line => ({ name: quantileName(q), values: heat.buckets.map((column) => quantileOf(column, q)), dash: DASHES[i]! })),
    [heat],
  );
  useEffect(() => {
    const resize = new ResizeObserver(() => (width.value = box.current?.clientWidth ?? 0));
    resize.observe(box.current!);
    return () => resize.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current;
    if (element && width.value > 0) {
      paintHeat(element, { heat, lines, marks, unit, height, width: width.value, utc: utc.value, colours: palette(box.current!), cursor: keyed.value ? (at ?? undefined) : undefined });
    }
  }, [heat, lines, marks, unit, height, width.value, utc.value, themeVersion.value, keyed.value && at]);

  const scales = scalesOf({ heat, width: Math.max(width.value, LEFT + RIGHT + 1), height });
  const place = (event: PointerEvent) => {
    const { left, top } = canvas.current!.getBoundingClientRect();
    const x = Math.min(Math.max(event.clientX - left, LEFT), width.value - RIGHT - 1);
    const y = Math.min(Math.max(event.clientY - top, TOP), height - BOTTOM - 1);
    return { x, y };
  };
  const onMove = (event: PointerEvent) => {
    const { x, y } = place(event);
    keyed.value = false;
    hold(scales.cell(x, y));
    if (drag.value) drag.value = { ...drag.value, to: x };
  };
  const onDown = (event: PointerEvent) => {
    if (event.button !== 0 || event.pointerType === 'touch') return;
    canvas.current!.setPointerCapture(event.pointerId);
    const { x } = place(event);
    drag.value = { from: x, to: x };
  };
  const onUp = (event: PointerEvent) => {
    const { x, y } = place(event);
    const began = drag.value?.from ?? x;
    drag.value = null;
    if (Math.abs(x - began) >= 6) {
      setTimeRange({ kind: 'between', fromMs: scales.time(Math.min(began, x)) * 1000, toMs: scales.time(Math.max(began, x)) * 1000 });
    } else if (event.button === 0 && held.value) {
      onPick?.(heat.times[scales.cell(x, y).column]!, scales.value(y));
    }
  };
  const leave = () => {
    keyed.value = false;
    held.value = null;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const rows = heat.bounds.length - 1;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape' && at) leave();
    else if (event.key === 'Enter' && at && onPick) onPick(heat.times[at.column]!, Math.sqrt(heat.bounds[at.row]! * heat.bounds[at.row + 1]!));
    else {
      const next = at ? movedCell(at, event.key, event.shiftKey, heat.times.length, rows) : event.key.startsWith('Arrow') ? { column: heat.times.length - 1, row: Math.floor(rows / 2) } : undefined;
      if (!next) return;
      keyed.value = true;
      hold(next);
    }
    event.preventDefault();
  };
  return (
    <figure class="heatmap" aria-label={label}>
      <div class="heat-plot" ref={box} style={{ height: `${height}px` }}>
        <canvas
          ref={canvas}
          role="application"
          aria-roledescription="heatmap"
          tabIndex={0}
          aria-label={`${label}. Arrows move among cells${onPick ? ', Enter shows the traces of one' : ''}, Escape leaves.`}
          onKeyDown={onKeyDown}
          onBlur={leave}
          onPointerMove={onMove}
          onPointerDown={onDown}
          onPointerUp={onUp}
          onPointerCancel={() => (drag.value = null)}
          onPointerLeave={() => !keyed.value && leave()}
        />
        {drag.value && (
          <div
            class="heat-select"
            style={{ left: `${Math.min(drag.value.from, drag.value.to)}px`, width: `${Math.abs(drag.value.to - drag.value.from)}px`, top: `${TOP}px`, bottom: `${BOTTOM}px` }}
          />
        )}
      </div>
      <Legend lines={lines} unit={unit} column={at?.column ?? null} note={told(heat, unit, at)} />
    </figure>
  );
}

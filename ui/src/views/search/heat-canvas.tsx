// SPDX-License-Identifier: Apache-2.0
/* The heatmap's canvas, its axes, and how a region is chosen with the pointer or the keys. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatClock, formatCount, formatDuration, formatMoment, plural } from '../../model/format';
import { durationRange, regionOf, shade, type Heatmap, type Region } from '../../model/duration-map';
import { utc } from '../../routes/location';
import { themeVersion } from '../../theme';

const LEFT = 56;
const BOTTOM = 20;
const TICK_ROOM = 110;
const ROW_ROOM = 15;

interface Cell {
  column: number;
  row: number;
}

interface Colours {
  accent: string;
  surface: string;
  line: string;
  ink: string;
  ink3: string;
  font: string;
}

function readColours(canvas: HTMLCanvasElement): Colours {
  const style = getComputedStyle(canvas);
  const probe = document.createElement('span');
  canvas.parentElement!.append(probe);
  const colour = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const colours = { accent: colour('accent'), surface: colour('sunken'), line: colour('line'), ink: colour('ink'), ink3: colour('ink-3'), font: `11px ${style.fontFamily}` };
  probe.remove();
  return colours;
}

function draw(pen: CanvasRenderingContext2D, map: Heatmap, width: number, height: number, colours: Colours, region: Region | undefined, cursor: Cell | undefined): void {
  const rows = map.bounds.length;
  const wide = (width - LEFT) / map.columns;
  const high = (height - BOTTOM) / rows;
  const x = (column: number) => LEFT + column * wide;
  const y = (row: number) => height - BOTTOM - (row + 1) * high;
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = colours.surface;
  pen.fillRect(LEFT, 0, width - LEFT, height - BOTTOM);
  pen.fillStyle = colours.accent;
  map.counts.forEach((count, cell) => {
    if (count <= 0) return;
    pen.globalAlpha = shade(count, map.most);
    pen.fillRect(x(cell % map.columns), y(Math.floor(cell / map.columns)), Math.max(wide - 0.5, 1), Math.max(high - 0.5, 1));
  });
  pen.globalAlpha = 1;
  pen.font = colours.font;
  pen.fillStyle = colours.ink3;
  pen.textBaseline = 'middle';
  pen.textAlign = 'right';
  const every = Math.ceil(ROW_ROOM / high);
  for (let row = 0; row < rows; row += every) pen.fillText(formatDuration(map.bounds[row]! * 1e9), LEFT - 6, Math.max(y(row), 7));
  pen.textAlign = 'left';
  const step = Math.max(1, Math.ceil(TICK_ROOM / wide));
  for (let column = 0; column < map.columns; column += step) {
    pen.fillRect(Math.round(x(column)), height - BOTTOM, 1, 4);
    const label = formatClock(map.startMs + column * map.stepMs, utc.value).slice(0, 8);
    if (x(column) + pen.measureText(label).width + 4 < width) pen.fillText(label, x(column) + 3, height - 8);
  }
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 1.5;
  if (region) {
    const left = Math.max((region.fromMs - map.startMs) / map.stepMs, 0);
    const right = Math.min((region.toMs - map.startMs) / map.stepMs, map.columns);
    const rowOf = (bound: number) => Math.log2(bound / map.bounds[0]!);
    const top = Math.max(y(rowOf(region.toS)), 0);
    pen.strokeRect(x(left), top, (right - left) * wide, Math.min(y(rowOf(region.fromS)), height - BOTTOM) - top);
  }
  if (cursor) pen.strokeRect(x(cursor.column), y(cursor.row), wide, high);
}

function cellText(map: Heatmap, { column, row }: Cell): string {
  const region = regionOf(map, column, column, row, row);
  return `${plural(map.counts[row * map.columns + column] ?? 0, 'span')} of ${durationRange(region)} at ${formatMoment(region.fromMs, utc.value).slice(0, 19)}`;
}

export function HeatCanvas(props: { map: Heatmap; region: Region | undefined; choose: (region: Region) => void; height: number }) {
  const { map, region, choose, height } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const cursor = useSignal<Cell | undefined>(undefined);
  const drag = useSignal<Cell | undefined>(undefined);
  const resizes = useSignal(0);
  const rows = map.bounds.length;
  const spanned = (from: Cell, to: Cell) => regionOf(map, from.column, to.column, from.row, to.row);
  const paint = () => {
    const box = canvas.current;
    const pen = box?.getContext('2d');
    if (!box || !pen) return;
    const scale = window.devicePixelRatio || 1;
    const width = box.clientWidth;
    box.width = Math.round(width * scale);
    box.height = Math.round(height * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const dragged = drag.value && cursor.value ? spanned(drag.value, cursor.value) : undefined;
    draw(pen, map, width, height, readColours(box), dragged ?? region, dragged ? undefined : cursor.value);
  };
  useEffect(() => {
    const resized = new ResizeObserver(() => resizes.value++);
    if (canvas.current) resized.observe(canvas.current);
    return () => resized.disconnect();
  }, []);
  useSignalEffect(() => {
    themeVersion.value;
    resizes.value;
    cursor.value;
    drag.value;
    paint();
  });
  useEffect(paint, [map, region]);

  const cellAt = (event: PointerEvent): Cell => {
    const bounds = canvas.current!.getBoundingClientRect();
    const clamp = (value: number, most: number) => Math.min(Math.max(Math.floor(value), 0), most);
    return {
      column: clamp(((event.clientX - bounds.left - LEFT) / (bounds.width - LEFT)) * map.columns, map.columns - 1),
      row: clamp(rows - ((event.clientY - bounds.top) / (height - BOTTOM)) * rows, rows - 1),
    };
  };
  const move = (columns: number, up: number) => {
    const now = cursor.value ?? { column: map.columns - columns, row: -up };
    cursor.value = { column: Math.min(Math.max(now.column + columns, 0), map.columns - 1), row: Math.min(Math.max(now.row + up, 0), rows - 1) };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const arrows: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const arrow = arrows[event.key];
    if (arrow) {
      if (event.shiftKey) drag.value ??= cursor.value;
      else drag.value = undefined;
      move(...arrow);
    } else if (event.key === 'Enter' && cursor.value) {
      choose(spanned(drag.value ?? cursor.value, cursor.value));
      drag.value = undefined;
    } else return;
    event.preventDefault();
  };
  const cell = cursor.value;
  return (
    <div class="heat">
      <canvas
        ref={canvas}
        style={{ height: `${height}px` }}
        tabIndex={0}
        role="application"
        aria-label={`Heatmap of the durations of ${formatCount(map.total)} spans over time. Arrows move among cells, with Shift they widen the choice, Enter lists its traces.`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.value = cellAt(event);
          cursor.value = drag.value;
        }}
        onPointerMove={(event) => (cursor.value = cellAt(event))}
        onPointerUp={(event) => {
          if (drag.value) choose(spanned(drag.value, cellAt(event)));
          drag.value = undefined;
        }}
        onPointerCancel={() => (drag.value = undefined)}
        onPointerLeave={() => {
          if (!drag.value) cursor.value = undefined;
        }}
        onKeyDown={onKeyDown}
      />
      <p class="heat-told muted" role="status">
        {cell ? cellText(map, cell) : '\u00a0'}
      </p>
    </div>
  );
}

// SPDX-License-Identifier: Apache-2.0
/* The heatmap of durations, and how a region of it is chosen with the pointer or the keys. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { palette } from '../../components/chart-options';
import { paintHeat, scalesOf } from '../../components/heatmap-paint';
import { movedCell, type Cell } from '../../model/chart-cursor';
import { formatCount, formatMoment, plural } from '../../model/format';
import { asHeat, cellIn, durationRange, regionOf, type Heatmap, type Region } from '../../model/duration-map';
import { utc } from '../../routes/location';
import { themeVersion } from '../../theme';

function cellText(map: Heatmap, { column, row }: Cell): string {
  const region = regionOf(map, column, column, row, row);
  return `${plural(map.counts[row * map.columns + column] ?? 0, 'span')} of ${durationRange(region)} at ${formatMoment(region.fromMs, utc.value).slice(0, 19)}`;
}

/** A cell, and the map that it is of. */
interface Placed {
  of: Heatmap;
  cell: Cell;
}

export function HeatCanvas(props: { map: Heatmap; region: Region | undefined; choose: (region: Region) => void; height: number }) {
  const { map, region, choose, height } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const cursor = useSignal<Placed | undefined>(undefined);
  const drag = useSignal<Placed | undefined>(undefined);
  const here = (placed: Placed | undefined) => placed && cellIn(map, placed.of, placed.cell);
  const placed = (cell: Cell): Placed => ({ of: map, cell });
  const resizes = useSignal(0);
  const rows = map.bounds.length;
  const heat = useMemo(() => asHeat(map), [map]);
  const spanned = (from: Cell, to: Cell) => regionOf(map, from.column, to.column, from.row, to.row);
  const paint = () => {
    const box = canvas.current;
    if (!box) return;
    const [from, to] = [here(drag.value), here(cursor.value)];
    const dragged = from && to ? spanned(from, to) : undefined;
    const shown = dragged ?? region;
    paintHeat(box, {
      heat, lines: [], marks: [], width: box.clientWidth, height, utc: utc.value, unit: 'seconds', colours: palette(box.parentElement!),
      chosen: shown && { fromTime: shown.fromMs / 1000, toTime: shown.toMs / 1000, fromValue: shown.fromS, toValue: shown.toS },
      cursor: dragged ? undefined : to,
    });
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
    const { left, top, width } = canvas.current!.getBoundingClientRect();
    return scalesOf({ heat, width, height }).cell(event.clientX - left, event.clientY - top);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = here(cursor.value);
    const next = at ? movedCell(at, event.key, false, map.columns, rows) : event.key.startsWith('Arrow') ? { column: map.columns - 1, row: 0 } : undefined;
    if (next) {
      if (event.shiftKey) drag.value ??= cursor.value;
      else drag.value = undefined;
      cursor.value = placed(next);
    } else if (event.key === 'Enter' && at) {
      choose(spanned(here(drag.value) ?? at, at));
      drag.value = undefined;
    } else if (event.key === 'Escape' && cursor.value) {
      cursor.value = undefined;
      drag.value = undefined;
    } else return;
    event.preventDefault();
  };
  const cell = here(cursor.value);
  return (
    <div class="heat">
      <canvas
        ref={canvas}
        style={{ height: `${height}px` }}
        tabIndex={0}
        role="application"
        aria-label={`Heatmap of the durations of ${formatCount(map.total)} spans over time. Arrows move among cells, with Shift they widen the choice, Enter lists its traces.`}
        onPointerDown={(event) => {
          if (event.button !== 0 || !event.isPrimary) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.value = placed(cellAt(event));
          cursor.value = drag.value;
        }}
        onPointerMove={(event) => (cursor.value = placed(cellAt(event)))}
        onPointerUp={(event) => {
          if (event.button !== 0 || !event.isPrimary) return;
          const from = here(drag.value);
          if (from) choose(spanned(from, cellAt(event)));
          drag.value = undefined;
        }}
        onPointerCancel={() => {
          drag.value = undefined;
          cursor.value = undefined;
        }}
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

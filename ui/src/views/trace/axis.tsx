// SPDX-License-Identifier: Apache-2.0
/* The time axis above the bars. Dragging along it zooms into what was dragged over. */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatTick, ticks } from '../../model/scale';
import { themeVersion } from '../../theme';
import { readPalette } from './palette';
import type { TraceStore } from './store';

const HEIGHT = 24;
/* One label about each so many pixels. */
export const TICK_ROOM = 96;

function drawAxis(canvas: HTMLCanvasElement, store: TraceStore): void {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = HEIGHT * scale;
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.scale(scale, scale);
  const palette = readPalette(pen, scale);
  const view = store.view.value;
  const { at, step } = ticks(view, width / TICK_ROOM);
  pen.font = palette.fontSmall;
  pen.textBaseline = 'middle';
  for (const ns of at) {
    const x = Math.round(((ns - view.from) / (view.to - view.from)) * width);
    pen.fillStyle = palette.lineStrong;
    pen.fillRect(x, HEIGHT - 6, 1, 6);
    const label = formatTick(ns, step, Math.max(Math.abs(view.from), Math.abs(view.to)));
    const room = pen.measureText(label).width;
    if (x + 4 + room > width) continue;
    pen.fillStyle = palette.ink2;
    pen.fillText(label, x + 4, HEIGHT / 2 + 1);
  }
}

export function Axis({ store }: { store: TraceStore }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const band = useSignal<{ fromX: number; toX: number } | undefined>(undefined);
  const resizes = useSignal(0);

  useEffect(() => {
    const resized = new ResizeObserver(() => resizes.value++);
    if (canvas.current) resized.observe(canvas.current);
    return () => resized.disconnect();
  }, []);

  useSignalEffect(() => {
    themeVersion.value;
    resizes.value;
    if (canvas.current) drawAxis(canvas.current, store);
  });

  const xOf = (event: PointerEvent) => {
    const bounds = canvas.current?.getBoundingClientRect();
    return bounds ? Math.min(Math.max(event.clientX - bounds.left, 0), bounds.width) : 0;
  };

  const onUp = () => {
    const chosen = band.peek();
    band.value = undefined;
    const width = canvas.current?.clientWidth ?? 0;
    if (!chosen || width === 0 || Math.abs(chosen.toX - chosen.fromX) < 4) return;
    const view = store.view.peek();
    const at = (x: number) => view.from + (x / width) * (view.to - view.from);
    store.setView({ from: at(Math.min(chosen.fromX, chosen.toX)), to: at(Math.max(chosen.fromX, chosen.toX)) });
  };

  const shown = band.value;
  return (
    <div
      class="axis"
      title="Drag to zoom in"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        band.value = { fromX: xOf(event), toX: xOf(event) };
      }}
      onPointerMove={(event) => {
        if (band.value) band.value = { ...band.value, toX: xOf(event) };
      }}
      onPointerUp={onUp}
      onPointerCancel={() => (band.value = undefined)}
    >
      <canvas ref={canvas} aria-hidden="true" />
      {shown && (
        <div
          class="band"
          style={{
            left: `${Math.min(shown.fromX, shown.toX)}px`,
            width: `${Math.abs(shown.toX - shown.fromX)}px`,
          }}
        />
      )}
    </div>
  );
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The whole trace in small: every span a line of its service's colour, what failed or died in red
 * on top. Dragging over it chooses the part that the waterfall shows, dragging the chosen
 * part moves it, a double click shows everything. 100,000 spans are drawn in slices of a few
 * milliseconds, so that nothing waits for them.
 */
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { STATUS, type TraceColumns } from '../../model/columns';
import { isWhole, type Span1d } from '../../model/scale';
import { serviceColour } from '../../model/service-colour';
import { themeVersion } from '../../theme';
import { readPalette, type Palette } from './palette';
import type { TraceStore } from './store';

const HEIGHT = 48;
const SLICE_MS = 6;

/** Draw span after span; returns a function that stops it. */
function drawSpans(canvas: HTMLCanvasElement, c: TraceColumns, colours: readonly number[], whole: Span1d): () => void {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.round(HEIGHT * scale);
  const pen = canvas.getContext('2d');
  if (!pen) return () => undefined;
  pen.scale(scale, scale);
  const palette: Palette = readPalette(pen, scale);
  const pitch = (HEIGHT - 8) / Math.max(c.count, 8);
  const line = Math.max(1, Math.min(4, pitch * 0.62));
  const perNs = width / (whole.to - whole.from);
  const bad: number[] = [];
  const draw = (i: number, colour: string, least: number) => {
    pen.fillStyle = colour;
    const x = (c.start[i]! - whole.from) * perNs;
    const y = 4 + i * pitch;
    pen.fillRect(x, y, Math.max(c.duration[i]! * perNs, least), Math.max(line, least - 1));
  };
  let next = 0;
  let frame = 0;
  const slice = () => {
    const end = performance.now() + SLICE_MS;
    do {
      for (const stop = Math.min(next + 256, c.count); next < stop; next++) {
        if (c.status[next] === STATUS.error || c.status[next] === STATUS.died) bad.push(next);
        draw(next, palette.services[colours[c.process[next]!] ?? 0]!, 1);
      }
    } while (next < c.count && performance.now() < end);
    if (next < c.count) frame = requestAnimationFrame(slice);
    else for (const i of bad) draw(i, palette.died, 2.5);
  };
  slice();
  return () => cancelAnimationFrame(frame);
}

type Drag = { kind: 'choose'; fromX: number } | { kind: 'move'; lastX: number };

export function Minimap({ store }: { store: TraceStore }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const window_ = useRef<HTMLDivElement>(null);
  const shades = [useRef<HTMLDivElement>(null), useRef<HTMLDivElement>(null)] as const;
  const drag = useRef<Drag | undefined>(undefined);

  useSignalEffect(() => {
    themeVersion.value;
    const { columns, processes } = store.trace.value;
    const colours = processes.map(({ service }) => serviceColour(service));
    const whole = store.whole.value;
    let stop = () => undefined as void;
    const start = () => {
      stop();
      if (canvas.current) stop = drawSpans(canvas.current, columns, colours, whole);
    };
    const resized = new ResizeObserver(start);
    if (canvas.current) resized.observe(canvas.current);
    return () => {
      resized.disconnect();
      stop();
    };
  });

  useSignalEffect(() => {
    const whole = store.whole.value;
    const view = store.view.value;
    const percent = (ns: number) => ((ns - whole.from) / (whole.to - whole.from)) * 100;
    const [left, right] = [percent(view.from), percent(view.to)];
    const place = (element: HTMLElement | null, from: number, to: number) => {
      if (!element) return;
      element.style.left = `${from}%`;
      element.style.width = `${to - from}%`;
    };
    place(shades[0].current, 0, left);
    place(shades[1].current, right, 100);
    place(window_.current, left, right);
    box.current?.classList.toggle('zoomed', !isWhole(view, whole));
  });

  const timeAt = (clientX: number) => {
    const bounds = box.current?.getBoundingClientRect();
    const whole = store.whole.peek();
    if (!bounds || bounds.width === 0) return whole.from;
    const share = Math.min(Math.max((clientX - bounds.left) / bounds.width, 0), 1);
    return whole.from + share * (whole.to - whole.from);
  };

  const onDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const view = store.view.peek();
    const inside = timeAt(event.clientX) > view.from && timeAt(event.clientX) < view.to;
    const movable = inside && !isWhole(view, store.whole.peek());
    drag.current = movable ? { kind: 'move', lastX: event.clientX } : { kind: 'choose', fromX: event.clientX };
    box.current?.setPointerCapture(event.pointerId);
  };

  const onMove = (event: PointerEvent) => {
    const now = drag.current;
    if (!now) return;
    if (now.kind === 'move') {
      const by = timeAt(event.clientX) - timeAt(now.lastX);
      const view = store.view.peek();
      store.setView({ from: view.from + by, to: view.to + by });
      now.lastX = event.clientX;
    } else if (Math.abs(event.clientX - now.fromX) > 3) {
      const [a, b] = [timeAt(now.fromX), timeAt(event.clientX)];
      store.setView({ from: Math.min(a, b), to: Math.max(a, b) });
    }
  };

  useEffect(() => () => (drag.current = undefined), []);

  return (
    <div
      class="minimap"
      ref={box}
      title="Drag to choose a part; double click for all of it"
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={() => (drag.current = undefined)}
      onPointerCancel={() => (drag.current = undefined)}
      onDblClick={() => store.setView(store.whole.peek())}
    >
      <canvas ref={canvas} aria-hidden="true" />
      <div class="shade" ref={shades[0]} />
      <div class="shade" ref={shades[1]} />
      <div class="window" ref={window_} />
    </div>
  );
}

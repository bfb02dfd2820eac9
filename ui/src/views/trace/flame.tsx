// SPDX-License-Identifier: Apache-2.0
/*
 * The flame graph: model/flame.ts' boxes on a canvas. A click widens a box, a second one on it shows its
 * longest span; the arrow keys move among boxes, and a line below says what is under the cursor.
 */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { buildFlame, type Flame, type FlameBox } from '../../model/flame';
import { formatDuration, formatPercent, plural } from '../../model/format';
import { selfTimes } from '../../model/insight';
import { serviceColour } from '../../model/service-colour';
import { themeVersion } from '../../theme';
import { readPalette, type Palette } from './palette';
import type { TraceStore } from './store';
import { createTextFit, printable, type TextFit } from './text-fit';

const ROW = 22;
const THINNEST = 0.4;
/* Of a canvas, in pixels of the device. */
const TALLEST = 16_000;

interface Picture {
  flame: Flame;
  focus: number;
  cursor: number;
  names: readonly string[];
  colours: readonly number[];
  found: Uint8Array | undefined;
}

/** The time that fills the width: that of the box in focus. */
function viewOf({ boxes, totalNs }: Flame, focus: number): { from: number; to: number } {
  const box = boxes[focus];
  return box ? { from: box.fromNs, to: box.fromNs + Math.max(box.totalNs, 1) } : { from: 0, to: Math.max(totalNs, 1) };
}

function drawFlame(pen: CanvasRenderingContext2D, picture: Picture, palette: Palette, text: TextFit, width: number, height: number): void {
  const { flame, names, colours } = picture;
  const view = viewOf(flame, picture.focus);
  const scale = width / (view.to - view.from);
  pen.fillStyle = palette.surface;
  pen.fillRect(0, 0, width, height);
  pen.font = palette.fontSmall;
  pen.textBaseline = 'middle';
  flame.boxes.forEach((box, b) => {
    const from = Math.max((box.fromNs - view.from) * scale, 0);
    const to = Math.min((box.fromNs + box.totalNs - view.from) * scale, width);
    if (to - from < THINNEST) return;
    const wide = Math.max(to - from - 1, THINNEST);
    const y = box.depth * ROW;
    pen.fillStyle = palette.services[colours[box.process] ?? 0]!;
    pen.fillRect(from, y, wide, ROW - 1);
    if (b === picture.cursor) {
      pen.strokeStyle = palette.ink;
      pen.lineWidth = 2;
      pen.strokeRect(from + 1, y + 1, Math.max(wide - 2, 1), ROW - 3);
    }
    if (wide < 34) return;
    /* A plate below the words: eight hues cannot all carry one ink. */
    const label = text.fit(pen, printable(names[box.name]!), wide - 12);
    if (label === '') return;
    pen.fillStyle = picture.found?.[box.longest] ? palette.openSoft : palette.surface;
    pen.fillRect(from + 3, y + 3, text.width(pen, label) + 6, ROW - 7);
    pen.fillStyle = palette.ink;
    pen.fillText(label, from + 6, y + ROW / 2);
  });
}

/** The box that lies at a point of the picture; -1 for none. */
function boxAt({ flame, focus }: Picture, x: number, y: number, width: number): number {
  const view = viewOf(flame, focus);
  const ns = view.from + (x / width) * (view.to - view.from);
  const depth = Math.floor(y / ROW);
  return flame.boxes.findIndex((box) => box.depth === depth && ns >= box.fromNs && ns < box.fromNs + box.totalNs);
}

/** Where an arrow key leads from box `at`. */
function stepFrom({ boxes }: Flame, at: number, key: string): number {
  const box = boxes[at];
  if (!box) return 0;
  if (key === 'ArrowUp') return box.parent >= 0 ? box.parent : at;
  const widest = (wanted: (other: FlameBox) => boolean) =>
    boxes.reduce((best, other, b) => (wanted(other) && (best < 0 || other.fromNs < boxes[best]!.fromNs) ? b : best), -1);
  const next =
    key === 'ArrowDown' ? widest((other) => other.parent === at)
    : key === 'ArrowRight' ? widest((other) => other.depth === box.depth && other.fromNs > box.fromNs)
    : boxes.reduce((best, other, b) => (other.depth === box.depth && other.fromNs < box.fromNs && (best < 0 || other.fromNs > boxes[best]!.fromNs) ? b : best), -1);
  return next < 0 ? at : next;
}

export function FlameGraph({ store, show }: { store: TraceStore; show: (i: number) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const text = useMemo(createTextFit, []);
  const focus = useSignal(-1);
  const cursor = useSignal(-1);
  const resizes = useSignal(0);
  const trace = store.trace.value;
  const insight = store.insight.value;
  const { flame, colours, services } = useMemo(() => {
    const named = trace.processes.map(({ service }) => service);
    const numbers = named.map((service) => named.indexOf(service));
    return {
      services: named,
      colours: named.map(serviceColour),
      flame: buildFlame(trace.columns, numbers, insight?.whole ? insight.self : selfTimes(trace.columns)),
    };
  }, [trace, insight]);
  useEffect(() => {
    focus.value = -1;
  }, [trace.trace_id]);
  useEffect(() => {
    const resized = new ResizeObserver(() => resizes.value++);
    if (canvas.current?.parentElement) resized.observe(canvas.current.parentElement);
    return () => resized.disconnect();
  }, []);
  const picture = (): Picture => ({ flame, focus: focus.value, cursor: cursor.value, names: trace.columns.names, colours, found: store.foundMask.value });
  const draw = () => {
    const box = canvas.current;
    const pen = box?.getContext('2d', { alpha: false });
    const width = box?.parentElement?.clientWidth ?? 0;
    if (!box || !pen || width === 0) return;
    const scale = window.devicePixelRatio || 1;
    const height = Math.min(flame.depth * ROW, TALLEST / scale);
    box.width = Math.round(width * scale);
    box.height = Math.round(height * scale);
    box.style.height = `${height}px`;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    drawFlame(pen, picture(), readPalette(pen, scale), text, width, height);
  };
  useSignalEffect(() => {
    themeVersion.value;
    resizes.value;
    focus.value;
    cursor.value;
    store.foundMask.value;
    draw();
  });
  useEffect(draw, [flame]);

  const under = (event: MouseEvent) => {
    const bounds = canvas.current!.getBoundingClientRect();
    return boxAt(picture(), event.clientX - bounds.left, event.clientY - bounds.top, bounds.width);
  };
  const open = (at: number) => {
    if (at < 0) return;
    if (focus.value === at) show(flame.boxes[at]!.longest);
    else focus.value = at;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key.startsWith('Arrow')) cursor.value = stepFrom(flame, cursor.value, event.key);
    else if (event.key === 'Enter') open(cursor.value);
    else if (event.key === 'Escape' && focus.value >= 0) focus.value = -1;
    else return;
    event.preventDefault();
  };
  const told = flame.boxes[cursor.value];
  return (
    <div class="trace-panel flame">
      <div class="flame-head">
        <p class="flame-told" role="status">
          {told ? (
            <>
              <strong>{printable(trace.columns.names[told.name]!)}</strong> · {services[told.process]} · {plural(told.spans, 'span')} · worked{' '}
              {formatDuration(told.totalNs)} with all below ({formatPercent(told.totalNs / flame.totalNs)}), {formatDuration(told.selfNs)} themselves
            </>
          ) : (
            <span class="muted">The width is the time worked, by a box and all below it. A click widens a box, one more shows its longest span.</span>
          )}
        </p>
        <button type="button" class="button quiet small" disabled={focus.value < 0} onClick={() => (focus.value = -1)}>
          Show all
        </button>
      </div>
      <div class="flame-box">
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label="Flame graph. Arrows move among boxes, Enter widens one, Enter again shows its longest span, Escape shows all."
          onClick={(event) => open(under(event))}
          onPointerMove={(event) => (cursor.value = under(event))}
          onPointerLeave={() => (cursor.value = -1)}
          onKeyDown={onKeyDown}
        />
      </div>
    </div>
  );
}

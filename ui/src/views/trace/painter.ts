// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps one canvas in step with a trace store and a scroller: at most one frame is painted
 * for each frame that is shown, whatever changed in between.
 */
import { ticks } from '../../model/scale';
import { serviceColour } from '../../model/service-colour';
import { TICK_ROOM } from './axis';
import { paint } from './paint';
import { readPalette, type Palette } from './palette';
import type { Scene } from './scene';
import type { TraceStore } from './store';
import { createTextFit } from './text-fit';

export interface Painter {
  /** Paint with the next frame. */
  schedule(): void;
  /** Colours or fonts have changed. */
  repalette(): void;
  hover(i: number): void;
  stop(): void;
}

export interface Surroundings {
  canvas: HTMLCanvasElement;
  scroller: HTMLElement;
  treeWidth: () => number;
}

export function createPainter(store: TraceStore, { canvas, scroller, treeWidth }: Surroundings): Painter {
  const text = createTextFit();
  const pen = canvas.getContext('2d', { alpha: false });
  let palette: Palette | undefined;
  let frame = 0;
  let hovered = -1;
  let painted = false;
  let colours: { trace: unknown; colour: number[]; service: string[] } | undefined;

  const processes = () => {
    const trace = store.trace.peek();
    if (colours?.trace !== trace) {
      colours = {
        trace,
        colour: trace.processes.map(({ service }) => serviceColour(service)),
        service: trace.processes.map(({ service, cell }) => (cell ? `${service} ${cell}` : service)),
      };
    }
    return colours;
  };

  /* Setting a canvas' size clears it, so it is done in the frame that paints it again. */
  const fitCanvas = (width: number, height: number, scale: number) => {
    const wide = Math.max(1, Math.round(width * scale));
    const high = Math.max(1, Math.round(height * scale));
    if (canvas.width === wide && canvas.height === high) return;
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  };

  const scene = (width: number, height: number): Scene => {
    const { colour, service } = processes();
    const view = store.view.peek();
    const tree = treeWidth();
    return {
      columns: store.trace.peek().columns,
      processColour: colour,
      processService: service,
      rows: store.rows.peek(),
      isCollapsed: store.isCollapsed,
      view,
      gridNs: ticks(view, (width - tree) / TICK_ROOM).at,
      width,
      height,
      treeWidth: tree,
      scrollTop: scroller.scrollTop,
      path: store.showPath.peek() ? store.insight.peek() : undefined,
      found: store.foundMask.peek(),
      selected: store.selected.peek(),
      hovered,
    };
  };

  const draw = () => {
    frame = 0;
    if (!pen) return;
    const scale = window.devicePixelRatio || 1;
    const width = scroller.clientWidth;
    const height = scroller.clientHeight;
    fitCanvas(width, height, scale);
    palette ??= readPalette(pen, scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const began = performance.now();
    paint(pen, scene(width, height), palette, text);
    if (!painted) performance.measure('waterfall-painted', { start: began });
    painted = true;
  };

  const schedule = () => {
    if (frame === 0) frame = requestAnimationFrame(draw);
  };

  return {
    schedule,
    repalette: () => {
      palette = undefined;
      text.clear();
      schedule();
    },
    hover: (i) => {
      if (i === hovered) return;
      hovered = i;
      schedule();
    },
    stop: () => cancelAnimationFrame(frame),
  };
}

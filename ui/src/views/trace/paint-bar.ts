// SPDX-License-Identifier: Apache-2.0
/*
 * A span's bar on the time axis with what happened in it, and its duration beside it. The cost of
 * a bar does not depend on the trace's length.
 */
import { FLAG, STATUS, type TraceColumns } from '../../model/columns';
import { formatDuration } from '../../model/format';
import { paintCross } from './marks';
import type { Palette } from './palette';
import { BAR_HEIGHT, ROW_HEIGHT, timeToX, type Pen, type Scene } from './scene';
import type { TextFit } from './text-fit';

export function paintBar(pen: Pen, scene: Scene, palette: Palette, text: TextFit, i: number, y: number): void {
  const { columns: c } = scene;
  const status = c.status[i]!;
  const from = timeToX(c.start[i]!, scene);
  const to = timeToX(c.start[i]! + c.duration[i]!, scene);
  const top = y + (ROW_HEIGHT - BAR_HEIGHT) / 2;
  /* Far outside coordinates lose precision and slow a canvas down. */
  const left = Math.max(from, scene.treeWidth - 20);
  const width = Math.max(Math.min(to, scene.width + 20) - left, 2);
  const service = scene.processColour[c.process[i]!] ?? 0;
  if (to >= scene.treeWidth - 20 && from <= scene.width + 20) {
    if (status === STATUS.died) paintDied(pen, palette, left, top, width);
    else if (status === STATUS.inFlight) paintOpen(pen, palette, service, left, top, width);
    else if (c.flags[i]! & FLAG.observed) paintObserved(pen, palette, service, left, top, width, status === STATUS.error);
    else {
      pen.fillStyle = palette.services[service]!;
      pen.beginPath();
      pen.roundRect(left, top, width, BAR_HEIGHT, Math.min(2, width / 2));
      pen.fill();
      if (status === STATUS.error) {
        pen.fillStyle = palette.failed;
        pen.fillRect(left, top + BAR_HEIGHT + 1, width, 2.5);
      }
    }
    if (scene.path) paintPath(pen, scene, palette, scene.path, i, top);
    paintEvents(pen, scene, palette, i, top);
  }
  paintLabel(pen, scene, palette, text, i, from, Math.max(to, from + 2), y + ROW_HEIGHT / 2);
}

/** Hollow and dotted: a tap saw it on the wire, no process recorded it. */
function paintObserved(pen: Pen, palette: Palette, service: number, left: number, top: number, width: number, failed: boolean): void {
  const colour = failed ? palette.failed : palette.services[service]!;
  const wide = Math.max(width, 4);
  pen.fillStyle = palette.surface;
  pen.fillRect(left, top, wide, BAR_HEIGHT);
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.strokeRect(left + 0.75, top + 0.75, wide - 1.5, BAR_HEIGHT - 1.5);
  pen.fillStyle = colour;
  for (let x = left + 5; x < left + wide - 4; x += 6) pen.fillRect(x, top + BAR_HEIGHT / 2 - 1, 2, 2);
}

/** What of the bar the answer waited for: a line along it, lighter at its edges so that it shows on any colour. */
function paintPath(pen: Pen, scene: Scene, palette: Palette, path: NonNullable<Scene['path']>, i: number, top: number): void {
  for (let k = path.pathFrom[i]!; k < path.pathFrom[i + 1]!; k++) {
    const from = Math.max(timeToX(path.pathAt[k]!, scene), scene.treeWidth);
    const to = Math.min(timeToX(path.pathAt[k]! + path.pathLength[k]!, scene), scene.width);
    if (to < from) continue;
    const width = Math.max(to - from, 1);
    pen.fillStyle = palette.surface;
    pen.fillRect(from, top + BAR_HEIGHT - 3, width, 5);
    pen.fillStyle = palette.ink;
    pen.fillRect(from, top + BAR_HEIGHT - 2, width, 3);
  }
}

function paintDied(pen: Pen, palette: Palette, left: number, top: number, width: number): void {
  pen.fillStyle = palette.hatch;
  pen.fillRect(left, top, width, BAR_HEIGHT);
  pen.strokeStyle = palette.died;
  pen.lineWidth = 1;
  pen.strokeRect(left + 0.5, top + 0.5, Math.max(width - 1, 1), BAR_HEIGHT - 1);
  paintCross(pen, palette.surface, left + width, top + BAR_HEIGHT / 2, 6.5);
  paintCross(pen, palette.died, left + width, top + BAR_HEIGHT / 2, 5.5);
}

function paintOpen(pen: Pen, palette: Palette, service: number, left: number, top: number, width: number): void {
  pen.fillStyle = palette.stripes[service]!;
  pen.fillRect(left, top, width, BAR_HEIGHT);
  pen.fillStyle = palette.services[service]!;
  pen.fillRect(left, top, 2, BAR_HEIGHT);
  /* The end dissolves: nobody knows it yet. */
  for (let step = 0; step < 6; step++) {
    pen.globalAlpha = 0.75 - step * 0.12;
    pen.fillStyle = palette.stripes[service]!;
    pen.fillRect(left + width + step * 4, top, 4, BAR_HEIGHT);
  }
  pen.globalAlpha = 1;
}

function paintEvents(pen: Pen, scene: Scene, palette: Palette, i: number, top: number): void {
  const { columns: c } = scene;
  for (let e = c.eventFrom[i]!; e < c.eventFrom[i + 1]!; e++) {
    const x = Math.round(timeToX(c.eventAt[e]!, scene));
    if (x < scene.treeWidth || x > scene.width) continue;
    pen.fillStyle = palette.surface;
    pen.fillRect(x - 2, top - 3, 4, BAR_HEIGHT + 6);
    pen.fillStyle = palette.ink;
    pen.fillRect(x - 1, top - 3, 2, BAR_HEIGHT + 6);
  }
}

function labelOf(c: TraceColumns, i: number): string {
  const duration = formatDuration(c.duration[i]!);
  if (c.status[i] === STATUS.died) return `died after ${duration}`;
  if (c.status[i] === STATUS.inFlight) return `in flight for ${duration}`;
  return c.status[i] === STATUS.error ? `error · ${duration}` : duration;
}

/** The duration, right of the bar if there is room, else left of it, else as a tag on it. */
function paintLabel(pen: Pen, scene: Scene, palette: Palette, text: TextFit, i: number, from: number, to: number, y: number): void {
  const status = scene.columns.status[i]!;
  const marked = status === STATUS.died || status === STATUS.error || status === STATUS.inFlight;
  pen.font = marked ? palette.fontStrong : palette.fontSmall;
  pen.fillStyle = status === STATUS.inFlight ? palette.open : marked ? palette.failed : palette.ink2;
  const label = labelOf(scene.columns, i);
  const width = text.width(pen, label);
  const gap = status === STATUS.died ? 12 : status === STATUS.inFlight ? 30 : 6;
  const edgeLeft = scene.treeWidth + 6;
  const edgeRight = scene.width - 8;
  if (to < scene.treeWidth || from > scene.width) {
    pen.globalAlpha = 0.75;
    pen.fillText(to < scene.treeWidth ? `‹ ${label}` : `${label} ›`, to < scene.treeWidth ? edgeLeft : edgeRight - width - 10, y + 0.5);
    pen.globalAlpha = 1;
  } else if (to + gap + width <= edgeRight) {
    pen.fillText(label, Math.max(to + gap, edgeLeft), y + 0.5);
  } else if (from - 6 - width >= edgeLeft) {
    pen.fillText(label, from - 6 - width, y + 0.5);
  } else {
    const ink = pen.fillStyle;
    const x = Math.max(from, scene.treeWidth) + 14;
    pen.fillStyle = palette.surface;
    pen.beginPath();
    pen.roundRect(x - 6.5, y - 8.5, width + 13, 17, 4);
    pen.fill();
    pen.strokeStyle = status === STATUS.died ? palette.died : palette.services[scene.processColour[scene.columns.process[i]!] ?? 0]!;
    pen.lineWidth = 1;
    pen.stroke();
    pen.fillStyle = ink;
    pen.fillText(label, x, y + 0.5);
  }
}

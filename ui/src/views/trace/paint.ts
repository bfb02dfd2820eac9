// SPDX-License-Identifier: Apache-2.0
/*
 * One frame of the waterfall: the rows in sight, each with its place in the tree at the left and
 * its bar on the time axis at the right. Reads columns, writes pixels, keeps nothing; the
 * cost is that of the rows in sight, however long the trace.
 *
 * What must be told apart without colour has a form of its own: a span that died is hatched,
 * framed and ends in a cross; one in flight is striped, without an end; a failed one has a
 * heavy line below and a mark before its name.
 */
import { FLAG, INSIDE, STATUS, type TraceColumns } from '../../model/columns';
import { formatCount, formatDuration } from '../../model/format';
import { hasChildren } from '../../model/rows';
import type { Span1d } from '../../model/scale';
import type { Palette } from './palette';
import { printable, type TextFit } from './text-fit';

export const ROW_HEIGHT = 24;
const BAR_HEIGHT = 10;
const INDENT = 14;
const TOGGLE_ROOM = 16;
/* Deeper than this, levels stand closer together, so that names keep some room. */
const WIDE_LEVELS = 12;

export interface Scene {
  columns: TraceColumns;
  /** Service colour and name of each process. */
  processColour: readonly number[];
  processService: readonly string[];
  rows: Int32Array;
  isCollapsed: (i: number) => boolean;
  view: Span1d;
  gridNs: readonly number[];
  width: number;
  height: number;
  treeWidth: number;
  scrollTop: number;
  selected: number;
  hovered: number;
}

type Pen = CanvasRenderingContext2D;

/** Where the name of a span at `depth` begins. */
export function indentOf(depth: number, treeWidth: number): number {
  const wide = Math.min(depth, WIDE_LEVELS) * INDENT + Math.max(0, depth - WIDE_LEVELS) * 3;
  return 8 + Math.min(wide, treeWidth * 0.55);
}

export const timeToX = (ns: number, scene: Pick<Scene, 'view' | 'width' | 'treeWidth'>) =>
  scene.treeWidth + ((ns - scene.view.from) / (scene.view.to - scene.view.from)) * (scene.width - scene.treeWidth);

export function paint(pen: Pen, scene: Scene, palette: Palette, text: TextFit): void {
  pen.fillStyle = palette.surface;
  pen.fillRect(0, 0, scene.width, scene.height);
  const first = Math.max(0, Math.floor(scene.scrollTop / ROW_HEIGHT));
  const last = Math.min(scene.rows.length, Math.ceil((scene.scrollTop + scene.height) / ROW_HEIGHT));
  const yOf = (row: number) => row * ROW_HEIGHT - scene.scrollTop;
  pen.textBaseline = 'middle';
  for (let row = first; row < last; row++) paintGround(pen, scene, palette, scene.rows[row]!, yOf(row));
  paintGrid(pen, scene, palette);
  clipped(pen, 0, scene.treeWidth - 6, scene.height, () => {
    for (let row = first; row < last; row++) paintName(pen, scene, palette, text, scene.rows[row]!, yOf(row));
  });
  clipped(pen, scene.treeWidth, scene.width, scene.height, () => {
    for (let row = first; row < last; row++) paintBar(pen, scene, palette, text, scene.rows[row]!, yOf(row));
  });
  pen.fillStyle = palette.line;
  pen.fillRect(scene.treeWidth - 1, 0, 1, scene.height);
}

function clipped(pen: Pen, from: number, to: number, height: number, draw: () => void): void {
  pen.save();
  pen.beginPath();
  pen.rect(from, 0, to - from, height);
  pen.clip();
  draw();
  pen.restore();
}

function paintGround(pen: Pen, scene: Scene, palette: Palette, i: number, y: number): void {
  if (i === scene.selected) pen.fillStyle = palette.selected;
  else if (i === scene.hovered) pen.fillStyle = palette.hover;
  else return;
  pen.fillRect(0, y, scene.width, ROW_HEIGHT);
}

function paintGrid(pen: Pen, scene: Scene, palette: Palette): void {
  pen.fillStyle = palette.line;
  for (const ns of scene.gridNs) pen.fillRect(Math.round(timeToX(ns, scene)), 0, 1, scene.height);
}

function paintName(pen: Pen, scene: Scene, palette: Palette, text: TextFit, i: number, y: number): void {
  const { columns: c, treeWidth } = scene;
  const depth = c.depth[i]!;
  const middle = y + ROW_HEIGHT / 2;
  pen.fillStyle = palette.line;
  for (let level = 0; level < Math.min(depth, 40); level++) pen.fillRect(indentOf(level, treeWidth) + 6, y, 1, ROW_HEIGHT);
  let x = indentOf(depth, treeWidth);
  if (hasChildren(c, i)) paintToggle(pen, palette, x + 6, middle, scene.isCollapsed(i));
  x += TOGGLE_ROOM;
  const process = c.process[i]!;
  pen.fillStyle = palette.services[scene.processColour[process] ?? 0]!;
  pen.fillRect(x, y + 5, 3, ROW_HEIGHT - 10);
  x += 9;
  x += paintStatusMark(pen, palette, c, i, x, middle);
  const folded = scene.isCollapsed(i) ? `+${formatCount(c.end[i]! - i - 1)}` : '';
  const foldedRoom = folded === '' ? 0 : paintFolded(pen, palette, text, c, i, folded, treeWidth - 12, middle);
  const right = treeWidth - 12 - foldedRoom;
  pen.font = c.depth[i] === 0 ? palette.fontStrong : palette.font;
  pen.fillStyle = c.status[i] === STATUS.died || c.status[i] === STATUS.error ? palette.failed : palette.ink;
  const name = text.fit(pen, printable(c.names[c.name[i]!]!), right - x);
  pen.fillText(name, x, middle + 0.5);
  x += text.width(pen, name) + 8;
  pen.font = palette.fontSmall;
  pen.fillStyle = palette.ink3;
  pen.fillText(text.fit(pen, secondText(scene, i), right - x), x, middle + 0.5);
}

/** The service, where it is another than the parent's; and what is odd about the span's place. */
function secondText({ columns: c, processService }: Scene, i: number): string {
  const parent = c.parent[i]!;
  const service = processService[c.process[i]!] ?? '';
  const told = parent < 0 || processService[c.process[parent]!] !== service ? printable(service) : '';
  const odd = oddityOf(c.flags[i]!);
  return told !== '' && odd !== '' ? `${told} · ${odd}` : told + odd;
}

function oddityOf(flags: number): string {
  if (flags & FLAG.cycle) return 'its own ancestor';
  if (flags & FLAG.orphan) return 'orphan: parent missing';
  return flags & FLAG.duplicate ? 'duplicate id' : '';
}

function paintToggle(pen: Pen, palette: Palette, x: number, y: number, closed: boolean): void {
  pen.strokeStyle = palette.ink2;
  pen.lineWidth = 1.5;
  pen.beginPath();
  if (closed) {
    pen.moveTo(x - 2, y - 3.5);
    pen.lineTo(x + 2, y);
    pen.lineTo(x - 2, y + 3.5);
  } else {
    pen.moveTo(x - 3.5, y - 2);
    pen.lineTo(x, y + 2);
    pen.lineTo(x + 3.5, y - 2);
  }
  pen.stroke();
}

/** Draws the sign of a span's fate before its name; returns the room that it took. */
function paintStatusMark(pen: Pen, palette: Palette, c: TraceColumns, i: number, x: number, y: number): number {
  const status = c.status[i]!;
  if (c.flags[i]! & FLAG.orphan) paintBroken(pen, palette, x + 4, y);
  const shift = c.flags[i]! & FLAG.orphan ? 14 : 0;
  if (status === STATUS.died) paintCross(pen, palette.died, x + shift + 5, y, 4);
  else if (status === STATUS.error) paintBang(pen, palette.failed, x + shift + 5, y);
  else if (status === STATUS.inFlight) paintOpenMark(pen, palette.open, x + shift + 5, y);
  else return shift;
  return shift + 15;
}

function paintCross(pen: Pen, colour: string, x: number, y: number, arm: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 2.25;
  pen.beginPath();
  pen.moveTo(x - arm, y - arm);
  pen.lineTo(x + arm, y + arm);
  pen.moveTo(x + arm, y - arm);
  pen.lineTo(x - arm, y + arm);
  pen.stroke();
}

function paintBang(pen: Pen, colour: string, x: number, y: number): void {
  pen.fillStyle = colour;
  pen.fillRect(x - 1, y - 5, 2, 6.5);
  pen.fillRect(x - 1, y + 3, 2, 2);
}

function paintOpenMark(pen: Pen, colour: string, x: number, y: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.75;
  pen.beginPath();
  for (const dx of [-4, 0, 4]) {
    pen.moveTo(x + dx - 1.5, y + 4);
    pen.lineTo(x + dx + 1.5, y - 4);
  }
  pen.stroke();
}

function paintBroken(pen: Pen, palette: Palette, x: number, y: number): void {
  pen.strokeStyle = palette.ink2;
  pen.lineWidth = 1.5;
  pen.setLineDash([2, 2]);
  pen.strokeRect(x - 4, y - 4, 8, 8);
  pen.setLineDash([]);
}

/** How many spans a fold hides, in red if one of them failed; returns its room. */
function paintFolded(pen: Pen, palette: Palette, text: TextFit, c: TraceColumns, i: number, label: string, right: number, y: number): number {
  pen.font = palette.fontSmall;
  const width = text.width(pen, label) + 10;
  const bad = (c.inside[i]! & (INSIDE.error | INSIDE.died)) !== 0;
  pen.strokeStyle = bad ? palette.failed : palette.lineStrong;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.roundRect(right - width + 0.5, y - 7.5, width - 1, 15, 7);
  pen.stroke();
  pen.fillStyle = bad ? palette.failed : palette.ink2;
  pen.fillText(label, right - width + 5, y + 0.5);
  return width + 8;
}

function paintBar(pen: Pen, scene: Scene, palette: Palette, text: TextFit, i: number, y: number): void {
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
    paintEvents(pen, scene, palette, i, top);
  }
  paintLabel(pen, scene, palette, text, i, from, Math.max(to, from + 2), y + ROW_HEIGHT / 2);
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

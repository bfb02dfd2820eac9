// SPDX-License-Identifier: Apache-2.0
/*
 * One frame of the waterfall: the rows in sight, each with its place in the tree at the left and
 * its bar on the time axis at the right. Reads columns, writes pixels, keeps nothing; the
 * cost is that of the rows in sight, however long the trace.
 *
 * What must be told apart without colour has a form of its own: a span that died is hatched,
 * framed and ends in a cross; one in flight is striped, without an end; a failed one has a
 * heavy line below and a mark before its name; one that a tap observed is hollow, with an eye.
 */
import { FLAG, INSIDE, STATUS, type TraceColumns } from '../../model/columns';
import { formatCount } from '../../model/format';
import { hasChildren } from '../../model/rows';
import { paintBang, paintBroken, paintCross, paintEye, paintOpenMark } from './marks';
import { paintBar } from './paint-bar';
import type { Palette } from './palette';
import { indentOf, ROW_HEIGHT, timeToX, type Pen, type Scene } from './scene';
import { printable, type TextFit } from './text-fit';

const TOGGLE_ROOM = 16;

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
  else if (scene.found?.[i]) pen.fillStyle = palette.openSoft;
  else return;
  pen.fillRect(0, y, scene.width, ROW_HEIGHT);
  if (!scene.found?.[i]) return;
  pen.fillStyle = palette.open;
  pen.fillRect(0, y, 3, ROW_HEIGHT);
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
  if (flags & FLAG.observed) return 'observed by a tap';
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
  let shift = c.flags[i]! & FLAG.orphan ? 14 : 0;
  if (c.flags[i]! & FLAG.observed) {
    paintEye(pen, palette.ink2, x + shift + 6, y);
    shift += 16;
  }
  if (status === STATUS.died) paintCross(pen, palette.died, x + shift + 5, y, 4);
  else if (status === STATUS.error) paintBang(pen, palette.failed, x + shift + 5, y);
  else if (status === STATUS.inFlight) paintOpenMark(pen, palette.open, x + shift + 5, y);
  else return shift;
  return shift + 15;
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


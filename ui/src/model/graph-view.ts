// SPDX-License-Identifier: Apache-2.0
/*
 * Which part of a laid out graph is in sight: its corner's place in the frame and its scale, moved by
 * hand and by keys; and which node stands next to another in a direction. Pure.
 */
import type { Layout, Placed } from './graph-layout';

/** Where the layout's corner is in the frame, in pixels, and how large the layout is drawn. */
export interface View {
  x: number;
  y: number;
  scale: number;
}

export interface Frame {
  width: number;
  height: number;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

export const SCALE_MOST = 2;
export const SCALE_LEAST = 0.05;
/** Below it names cannot be read. */
export const SCALE_READABLE = 0.6;
/* So much of the graph stays in the frame, wherever it is moved. */
const KEPT = 40;

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);

/** So that some of the graph stays in sight. */
export function kept(view: View, layout: Frame, frame: Frame): View {
  const [wide, high] = [layout.width * view.scale, layout.height * view.scale];
  return { ...view, x: clamp(view.x, KEPT - wide, frame.width - KEPT), y: clamp(view.y, KEPT - high, frame.height - KEPT) };
}

/** Larger or smaller; what is at (x, y) of the frame stays there. */
export function zoomed(view: View, factor: number, x: number, y: number): View {
  const scale = clamp(view.scale * factor, SCALE_LEAST, SCALE_MOST);
  const ratio = scale / view.scale;
  return { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
}

/** All of it in the middle, never larger than it is. */
export function fitted(layout: Frame, frame: Frame): View {
  const scale = clamp(Math.min(frame.width / Math.max(layout.width, 1), frame.height / Math.max(layout.height, 1)), SCALE_LEAST, 1);
  return { scale, x: (frame.width - layout.width * scale) / 2, y: (frame.height - layout.height * scale) / 2 };
}

export const centred = ({ x, y }: { x: number; y: number }, frame: Frame, scale: number): View => ({ scale, x: frame.width / 2 - x * scale, y: frame.height / 2 - y * scale });

/** As a graph is first shown: all of it, but its names readable where `readable`, around `focal` then. */
export function beginning(layout: Layout, frame: Frame, focal: Placed | undefined, readable: boolean): View {
  const whole = fitted(layout, frame);
  if (!readable || whole.scale >= SCALE_READABLE) return whole;
  const middle = focal ?? { x: layout.width / 2, y: layout.height / 2 };
  const view = centred(middle, frame, SCALE_READABLE);
  /* No empty ground beside it where there is more to see. */
  const within = (at: number, size: number, room: number) => (size <= room ? (room - size) / 2 : clamp(at, room - size, 0));
  return { ...view, x: within(view.x, layout.width * view.scale, frame.width), y: within(view.y, layout.height * view.scale, frame.height) };
}

/** Moved no further than it takes to have `at` in the frame. */
export function revealing(view: View, at: Placed, frame: Frame): View {
  const shift = (middle: number, half: number, room: number) => {
    const [low, high] = [middle - half - KEPT / 2, middle + half + KEPT / 2];
    return low < 0 ? -low : high > room ? room - high : 0;
  };
  return {
    ...view,
    x: view.x + shift(view.x + at.x * view.scale, (at.width / 2) * view.scale, frame.width),
    y: view.y + shift(view.y + at.y * view.scale, (at.height / 2) * view.scale, frame.height),
  };
}

/** The node that a reader means who goes from `from` in a direction; undefined where none is there. */
export function nextNode(nodes: Layout['nodes'], from: string, direction: Direction): string | undefined {
  const here = nodes[from];
  if (!here) return undefined;
  let best: string | undefined;
  let least = Infinity;
  for (const [id, { x, y }] of Object.entries(nodes)) {
    if (id === from) continue;
    const [dx, dy] = [x - here.x, y - here.y];
    const along = { left: -dx, right: dx, up: -dy, down: dy }[direction];
    const aside = Math.abs(direction === 'left' || direction === 'right' ? dy : dx);
    if (along <= 1) continue;
    /* What stands straight ahead is nearer than what stands aside. */
    const away = along + 2 * aside;
    if (away < least) [best, least] = [id, away];
  }
  return best;
}

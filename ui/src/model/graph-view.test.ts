// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Layout } from './graph-layout';
import { beginning, centred, fitted, kept, nextNode, revealing, SCALE_MOST, SCALE_READABLE, zoomed } from './graph-view';

const FRAME = { width: 800, height: 400 };
const at = (x: number, y: number) => ({ x, y, width: 100, height: 40 });
const LAYOUT: Layout = { width: 4000, height: 400, nodes: { a: at(100, 200), b: at(2000, 100), c: at(2000, 300), d: at(3900, 200) }, edges: {} };

describe('a view of a graph', () => {
  it('zooms at a point that stays where it is', () => {
    const view = zoomed({ x: 10, y: 20, scale: 0.5 }, 2, 300, 100);
    expect(view.scale).toBe(1);
    expect((300 - view.x) / view.scale).toBeCloseTo((300 - 10) / 0.5);
    expect(zoomed(view, 99, 0, 0).scale).toBe(SCALE_MOST);
  });
  it('fits all of it, and enlarges nothing', () => {
    expect(fitted(LAYOUT, FRAME)).toEqual({ scale: 0.2, x: 0, y: 160 });
    expect(fitted({ width: 200, height: 100 }, FRAME)).toEqual({ scale: 1, x: 300, y: 150 });
  });
  it('begins readable around what is looked at, or with all of it', () => {
    expect(beginning(LAYOUT, FRAME, undefined, false).scale).toBe(0.2);
    const view = beginning(LAYOUT, FRAME, LAYOUT.nodes['b'], true);
    expect(view.scale).toBe(SCALE_READABLE);
    expect(view.x + 2000 * view.scale).toBe(400);
    expect(beginning(LAYOUT, FRAME, LAYOUT.nodes['a'], true).x).toBe(0);
  });
  it('cannot be moved out of sight', () => {
    expect(kept({ x: 9999, y: -9999, scale: 1 }, LAYOUT, FRAME)).toEqual({ x: 760, y: -360, scale: 1 });
  });
  it('moves just enough to show a node', () => {
    const view = centred(LAYOUT.nodes['b']!, FRAME, 1);
    expect(revealing(view, LAYOUT.nodes['b']!, FRAME)).toEqual(view);
    const moved = revealing(view, LAYOUT.nodes['d']!, FRAME);
    expect(moved.x + 3900 + 50 + 20).toBe(800);
  });
});

describe('the next node', () => {
  it('is the nearest in that direction', () => {
    expect(nextNode(LAYOUT.nodes, 'a', 'right')).toMatch(/^[bc]$/);
    expect(nextNode(LAYOUT.nodes, 'b', 'down')).toBe('c');
    expect(nextNode(LAYOUT.nodes, 'c', 'right')).toBe('d');
    expect(nextNode(LAYOUT.nodes, 'd', 'right')).toBeUndefined();
    expect(nextNode(LAYOUT.nodes, 'nobody', 'up')).toBeUndefined();
  });
});

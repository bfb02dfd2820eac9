// SPDX-License-Identifier: Apache-2.0
/*
 * Moving over a graph: with the pointer (drag, pinch, Ctrl and the wheel) and with keys. The view changes an
 * attribute of the drawing alone, so that nothing is drawn anew while it moves.
 */
import { useEffect, useRef } from 'preact/hooks';
import type { Layout } from '../../model/graph-layout';
import { beginning, centred, fitted, kept, nextNode, revealing, zoomed, type Direction, type Frame, type View } from '../../model/graph-view';

const STEP = 1.25;
const PAN = 80;
const WHEEL = 0.0022;
/* A pointer that moved less was a click. */
const CLICK = 4;

const ARROWS: Record<string, Direction> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };
const PANS: Record<Direction, [number, number]> = { left: [PAN, 0], right: [-PAN, 0], up: [0, PAN], down: [0, -PAN] };

export interface Handled {
  layout: Layout | undefined;
  /** The node in the middle; '' for none. */
  focal: string;
  /** Whether all is shown, be it small. */
  whole: boolean;
  /** Another scope begins with a view of its own; undefined while its layout is not there yet. */
  scope: string | undefined;
  edges: readonly { id: string; from: string; to: string }[];
}

export function useHands(what: Handled) {
  const frame = useRef<HTMLDivElement>(null);
  const moved = useRef<SVGGElement>(null);
  const view = useRef<View>({ x: 0, y: 0, scale: 1 });
  const latest = useRef(what);
  latest.current = what;
  const begun = useRef('');

  const size = (): Frame => ({ width: frame.current?.clientWidth ?? 0, height: frame.current?.clientHeight ?? 0 });
  const show = (next: View) => {
    const { layout } = latest.current;
    if (!layout) return;
    view.current = kept(next, layout, size());
    const { x, y, scale } = view.current;
    moved.current?.setAttribute('transform', `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${scale.toFixed(4)})`);
  };
  const zoom = (factor: number, x = size().width / 2, y = size().height / 2) => show(zoomed(view.current, factor, x, y));
  const fit = () => latest.current.layout && show(fitted(latest.current.layout, size()));

  /* The element that Tab comes to is the one that was last gone to. */
  const goTo = (attribute: 'node' | 'edge', id: string) => {
    const box = frame.current;
    const element = box?.querySelector<SVGElement>(`[data-${attribute}="${CSS.escape(id)}"]`);
    if (!box || !element) return;
    box.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1');
    element.setAttribute('tabindex', '0');
    element.focus({ preventScroll: true });
    const at = attribute === 'node' ? latest.current.layout?.nodes[id] : undefined;
    const label = attribute === 'edge' ? latest.current.layout?.edges[id]?.label : undefined;
    if (at) show(revealing(view.current, at, size()));
    else if (label) show(revealing(view.current, { ...label, width: 0, height: 0 }, size()));
  };

  const walk = (node: string, edge: string, back: boolean) => {
    const its = latest.current.edges.filter(({ from, to }) => from === node || to === node);
    const now = its.findIndex(({ id }) => id === edge);
    const next = its[(now + (back ? (now < 0 ? 0 : -1) : 1) + its.length) % Math.max(its.length, 1)];
    if (next) goTo('edge', next.id);
  };

  const around = useRef('');
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof Element)) return;
    const node = event.target.closest('[data-node]')?.getAttribute('data-node') ?? '';
    const edgeId = event.target.closest('[data-edge]')?.getAttribute('data-edge') ?? '';
    const edge = latest.current.edges.find(({ id }) => id === edgeId);
    const direction = ARROWS[event.key];
    if (node) around.current = node;
    if (event.key === '+' || event.key === '=') zoom(STEP);
    else if (event.key === '-') zoom(1 / STEP);
    else if (event.key === '0') fit();
    else if (direction && event.shiftKey) show({ ...view.current, x: view.current.x + PANS[direction][0], y: view.current.y + PANS[direction][1] });
    else if (direction && edge) goTo('node', direction === 'right' || direction === 'down' ? edge.to : edge.from);
    else if (direction && node) goTo('node', nextNode(latest.current.layout?.nodes ?? {}, node, direction) ?? node);
    else if ((event.key === ']' || event.key === '[') && (node || edge)) walk(around.current || edge!.from, edgeId, event.key === '[');
    else if (event.key === 'Escape' && edge) goTo('node', around.current || edge.from);
    else return;
    event.preventDefault();
  };

  usePointers(frame, { pan: (dx, dy) => show({ ...view.current, x: view.current.x + dx, y: view.current.y + dy }), zoom });

  /* A new scope has its own beginning; a graph that is only refreshed stays where it is. */
  useEffect(() => {
    const { layout, focal, whole, scope } = what;
    if (!layout || scope === undefined) return;
    if (begun.current === scope) return show(view.current);
    begun.current = scope;
    const at = layout.nodes[focal];
    const first = beginning(layout, size(), at, !whole);
    show(whole && at ? centred(at, size(), Math.max(first.scale, 0.8)) : first);
  }, [what.layout, what.scope]);

  return { frame, moved, onKeyDown, zoom, fit };
}

interface Moves {
  pan: (dx: number, dy: number) => void;
  zoom: (factor: number, x: number, y: number) => void;
}

function usePointers(frame: { current: HTMLDivElement | null }, moves: Moves): void {
  const latest = useRef(moves);
  latest.current = moves;
  useEffect(() => {
    const box = frame.current;
    if (!box) return;
    const down = new Map<number, { x: number; y: number }>();
    let travelled = 0;
    const place = (event: MouseEvent) => {
      const { left, top } = box.getBoundingClientRect();
      return { x: event.clientX - left, y: event.clientY - top };
    };
    const onDown = (event: PointerEvent) => {
      if (event.button !== 0 || (event.target instanceof Element && event.target.closest('button, input'))) return;
      if (down.size === 0) travelled = 0;
      down.set(event.pointerId, place(event));
    };
    const onMove = (event: PointerEvent) => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const now = place(event);
      const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
      travelled += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
      if (travelled < CLICK) return;
      if (!box.hasPointerCapture(event.pointerId)) box.setPointerCapture(event.pointerId);
      if (other) {
        const apart = (a: { x: number; y: number }) => Math.max(Math.hypot(a.x - other.x, a.y - other.y), 1);
        latest.current.zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
      } else latest.current.pan(now.x - before.x, now.y - before.y);
      down.set(event.pointerId, now);
    };
    const onUp = (event: PointerEvent) => down.delete(event.pointerId);
    /* No click follows, of which it would have to be told. */
    const onCancel = (event: PointerEvent) => {
      down.delete(event.pointerId);
      travelled = 0;
    };
    /* Who dragged did not mean the link below. */
    const onClick = (event: MouseEvent) => {
      if (travelled < CLICK) return;
      travelled = 0;
      event.preventDefault();
      event.stopPropagation();
    };
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const { x, y } = place(event);
      latest.current.zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 16 : 1) * WHEEL), x, y);
    };
    box.addEventListener('pointerdown', onDown);
    box.addEventListener('pointermove', onMove);
    box.addEventListener('pointerup', onUp);
    box.addEventListener('pointercancel', onCancel);
    box.addEventListener('click', onClick, true);
    box.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      box.removeEventListener('pointerdown', onDown);
      box.removeEventListener('pointermove', onMove);
      box.removeEventListener('pointerup', onUp);
      box.removeEventListener('pointercancel', onCancel);
      box.removeEventListener('click', onClick, true);
      box.removeEventListener('wheel', onWheel);
    };
  }, []);
}

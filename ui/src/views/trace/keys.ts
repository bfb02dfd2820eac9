// SPDX-License-Identifier: Apache-2.0
/*
 * What each key does. With the rows in focus, arrows move among them, as in any tree; elsewhere on the
 * page the keys are those that users of Jaeger know. shortcuts.tsx tells of both.
 */
import { hasChildren } from '../../model/rows';
import { nextMatch } from '../../model/find';
import { isWhole, pan } from '../../model/scale';
import type { TraceStore } from './store';

const ZOOM = 1.6;

/** A span's own time if it is in view, so that a zoom keeps what one looks at. */
function anchor(store: TraceStore): number | undefined {
  const c = store.trace.peek().columns;
  const i = store.cursor.peek();
  if (i < 0) return undefined;
  const at = c.start[i]! + c.duration[i]! / 2;
  const view = store.view.peek();
  return at >= view.from && at <= view.to ? at : undefined;
}

function left(store: TraceStore): void {
  const c = store.trace.peek().columns;
  const i = store.cursor.peek();
  if (i < 0) return;
  if (hasChildren(c, i) && !store.isCollapsed(i)) store.fold(i, true);
  else store.moveTo(c.parent[i]!);
}

function right(store: TraceStore): void {
  const i = store.cursor.peek();
  if (i < 0 || !hasChildren(store.trace.peek().columns, i)) return;
  if (store.isCollapsed(i)) store.fold(i, false);
  else store.moveTo(i + 1);
}

/** One step back: the details, then the zoom. */
export function escape(store: TraceStore): void {
  if (store.selected.peek() >= 0) store.select(-1);
  else if (!isWhole(store.view.peek(), store.whole.peek())) store.setView(store.whole.peek());
}

function panBy(store: TraceStore, share: number): void {
  const view = store.view.peek();
  store.setView(pan(view, store.whole.peek(), (view.to - view.from) * share));
}

type Action = (store: TraceStore, pageRows: number) => void;

const KEYS: Record<string, Action> = {
  ArrowDown: (store) => store.moveBy(1),
  ArrowUp: (store) => store.moveBy(-1),
  PageDown: (store, pageRows) => store.moveBy(pageRows),
  PageUp: (store, pageRows) => store.moveBy(-pageRows),
  Home: (store) => store.moveBy(-Infinity),
  End: (store) => store.moveBy(Infinity),
  ArrowLeft: left,
  ArrowRight: right,
  Enter: (store) => store.select(store.cursor.peek()),
  ' ': (store) => store.select(store.cursor.peek()),
  '+': (store) => store.zoomBy(ZOOM, anchor(store)),
  '=': (store) => store.zoomBy(ZOOM, anchor(store)),
  '-': (store) => store.zoomBy(1 / ZOOM, anchor(store)),
  '0': (store) => store.setView(store.whole.peek()),
  'Shift+ArrowLeft': (store) => panBy(store, -0.2),
  'Shift+ArrowRight': (store) => panBy(store, 0.2),
};

/** Whether a key belongs to a field that somebody writes in, or to an open dialog. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  const field = target.closest('input, textarea, select, [contenteditable]');
  return target.closest('dialog[open], menu') !== null ||
    (field !== null && !(field instanceof HTMLInputElement && ['checkbox', 'radio'].includes(field.type)));
}

/** To the next match of a search; without one, to the next span. */
function toNext(store: TraceStore, by: 1 | -1): void {
  const found = store.found.peek();
  if (!found) return store.moveBy(by);
  store.show(nextMatch(found, store.cursor.peek(), by));
}

const FAST_ZOOM = 3;
const SLOW_ZOOM = 1.25;

type PageAction = (store: TraceStore, scrollBy: (screens: number) => void) => void;

const PAGE_KEYS: Record<string, PageAction> = {
  s: (_, scrollBy) => scrollBy(0.9),
  w: (_, scrollBy) => scrollBy(-0.9),
  f: (store) => toNext(store, 1),
  b: (store) => toNext(store, -1),
  a: (store) => panBy(store, -0.1),
  d: (store) => panBy(store, 0.1),
  A: (store) => panBy(store, -0.5),
  D: (store) => panBy(store, 0.5),
  ArrowLeft: (store) => panBy(store, -0.1),
  ArrowRight: (store) => panBy(store, 0.1),
  'Shift+ArrowLeft': (store) => panBy(store, -0.5),
  'Shift+ArrowRight': (store) => panBy(store, 0.5),
  ArrowUp: (store) => store.zoomBy(SLOW_ZOOM),
  ArrowDown: (store) => store.zoomBy(1 / SLOW_ZOOM),
  'Shift+ArrowUp': (store) => store.zoomBy(FAST_ZOOM),
  'Shift+ArrowDown': (store) => store.zoomBy(1 / FAST_ZOOM),
  '[': (store) => store.foldFrom(Infinity),
  ']': (store) => store.foldFrom(0),
  o: (store) => store.foldLevel(1),
  p: (store) => store.foldLevel(-1),
};

/* A radio button's own keys; and what scrolls by itself. */
const takesArrows = (target: EventTarget | null) =>
  target instanceof Element && target.closest('[role=radiogroup], [role=separator], [role=application], .table-scroll') !== null;

/** Handle a key pressed anywhere on the page; false if it is none of ours, or somebody else's. */
export function onPageKey(store: TraceStore, event: KeyboardEvent, scrollBy: (screens: number) => void): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return false;
  const isArrow = event.key.startsWith('Arrow');
  if (isArrow && takesArrows(event.target)) return false;
  const action = PAGE_KEYS[isArrow && event.shiftKey ? `Shift+${event.key}` : event.key];
  action?.(store, scrollBy);
  return action !== undefined;
}

/** Handle a key of the waterfall; false if it is none of ours. */
export function onWaterfallKey(store: TraceStore, event: KeyboardEvent, pageRows: number): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const shifted = event.shiftKey && event.key.startsWith('Arrow') ? `Shift+${event.key}` : event.key;
  const action = KEYS[shifted];
  if (!action) return false;
  action(store, pageRows);
  return true;
}

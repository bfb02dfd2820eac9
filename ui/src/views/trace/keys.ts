// SPDX-License-Identifier: Apache-2.0
/* What each key does in the waterfall. The hint below the waterfall names the most useful of them. */
import { hasChildren } from '../../model/rows';
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

function escape(store: TraceStore): void {
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
  Escape: escape,
  '+': (store) => store.zoomBy(ZOOM, anchor(store)),
  '=': (store) => store.zoomBy(ZOOM, anchor(store)),
  '-': (store) => store.zoomBy(1 / ZOOM, anchor(store)),
  '0': (store) => store.setView(store.whole.peek()),
  'Shift+ArrowLeft': (store) => panBy(store, -0.2),
  'Shift+ArrowRight': (store) => panBy(store, 0.2),
};

/** Handle a key of the waterfall; false if it is none of ours. */
export function onWaterfallKey(store: TraceStore, event: KeyboardEvent, pageRows: number): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const shifted = event.shiftKey && event.key.startsWith('Arrow') ? `Shift+${event.key}` : event.key;
  const action = KEYS[shifted];
  if (!action) return false;
  action(store, pageRows);
  return true;
}

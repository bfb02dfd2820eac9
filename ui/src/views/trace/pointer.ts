// SPDX-License-Identifier: Apache-2.0
/*
 * What pointer and wheel do over the waterfall: a click selects or folds, a double click zooms to a
 * span, the wheel with Ctrl zooms and with Shift pans, and a hairline tells the time under the mouse.
 */
import { formatDuration } from '../../model/format';
import { hasChildren } from '../../model/rows';
import { pan } from '../../model/scale';
import type { Painter } from './painter';
import { indentOf, ROW_HEIGHT } from './scene';
import type { TraceStore } from './store';

export interface PointerParts {
  scroller: HTMLElement;
  /** Has one child, which takes the text. */
  hairline: HTMLElement;
  painter: Painter;
  treeWidth: () => number;
}

export interface PointerHandlers {
  onClick(event: MouseEvent): void;
  onDblClick(event: MouseEvent): void;
  onPointerMove(event: PointerEvent): void;
  onPointerLeave(): void;
  onWheel(event: WheelEvent): void;
}

/* From before a toggle's sign to behind it. */
const TOGGLE_FROM = -4;
const TOGGLE_TO = 16;
/* So near the right edge the hairline's text stands left of it. */
const FLIP_ROOM = 90;

export function createPointer(store: TraceStore, { scroller, hairline, painter, treeWidth }: PointerParts): PointerHandlers {
  const xOf = (event: MouseEvent) => event.clientX - scroller.getBoundingClientRect().left;

  const spanAt = (event: MouseEvent): number => {
    const y = event.clientY - scroller.getBoundingClientRect().top + scroller.scrollTop;
    return store.rows.peek()[Math.floor(y / ROW_HEIGHT)] ?? -1;
  };

  const timeAt = (event: MouseEvent): number | undefined => {
    const x = xOf(event) - treeWidth();
    const width = scroller.clientWidth - treeWidth();
    const view = store.view.peek();
    return x < 0 || x > width ? undefined : view.from + (x / width) * (view.to - view.from);
  };

  const moveHairline = (event: MouseEvent) => {
    const time = timeAt(event);
    hairline.hidden = time === undefined;
    if (time === undefined) return;
    const x = xOf(event);
    hairline.style.transform = `translateX(${Math.round(x)}px)`;
    hairline.classList.toggle('flipped', x > scroller.clientWidth - FLIP_ROOM);
    if (hairline.firstElementChild) hairline.firstElementChild.textContent = formatDuration(time);
  };

  return {
    onClick: (event) => {
      const i = spanAt(event);
      if (i < 0) return;
      const { columns } = store.trace.peek();
      const x = xOf(event) - indentOf(columns.depth[i]!, treeWidth());
      if (hasChildren(columns, i) && x >= TOGGLE_FROM && x < TOGGLE_TO) store.toggle(i);
      else store.select(i);
    },
    onDblClick: (event) => {
      const i = spanAt(event);
      if (i < 0 || timeAt(event) === undefined) return;
      const { columns } = store.trace.peek();
      const from = columns.start[i]!;
      const room = Math.max(columns.duration[i]! * 0.1, 100);
      store.setView({ from: from - room, to: from + columns.duration[i]! + room });
    },
    onPointerMove: (event) => {
      if (event.pointerType !== 'mouse') return;
      painter.hover(spanAt(event));
      moveHairline(event);
    },
    onPointerLeave: () => {
      painter.hover(-1);
      hairline.hidden = true;
    },
    onWheel: (event) => {
      const view = store.view.peek();
      if (event.ctrlKey) store.zoomBy(Math.exp(-event.deltaY * 0.004), timeAt(event));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = (event.deltaX || event.deltaY) * 0.0015 * (view.to - view.from);
        store.setView(pan(view, store.whole.peek(), by));
      } else return;
      event.preventDefault();
    },
  };
}

/** Attach the handlers; returns what detaches them. The wheel's must be able to prevent the page's own zoom. */
export function attachPointer(scroller: HTMLElement, handlers: PointerHandlers): () => void {
  const listening = new AbortController();
  const { signal } = listening;
  scroller.addEventListener('click', handlers.onClick, { signal });
  scroller.addEventListener('dblclick', handlers.onDblClick, { signal });
  scroller.addEventListener('pointermove', handlers.onPointerMove, { signal });
  scroller.addEventListener('pointerleave', handlers.onPointerLeave, { signal });
  scroller.addEventListener('wheel', handlers.onWheel, { signal, passive: false });
  return () => listening.abort();
}

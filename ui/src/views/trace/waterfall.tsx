// SPDX-License-Identifier: Apache-2.0
/*
 * The waterfall: a canvas under a scroller that is as high as all rows would be, so that the
 * browser scrolls and we only paint what is in sight. Pointer, wheel and keys change the
 * store; the store's signals bring the next frame.
 */
import { batch, useSignal, useSignalEffect, type Signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { rowOf } from '../../model/rows';
import { themeVersion } from '../../theme';
import { AccessibleRows, rowId } from './accessible-rows';
import { Axis } from './axis';
import { onPageKey, onWaterfallKey } from './keys';
import { Minimap } from './minimap';
import { createPainter, type Painter } from './painter';
import { ROW_HEIGHT } from './scene';
import { attachPointer, createPointer } from './pointer';
import type { TraceStore } from './store';

const NARROWEST_TREE = 90;
const ROWS_BEYOND = 8;
const SCROLL_RESTS_MS = 80;

const firstTreeWidth = () => Math.round(Math.min(400, Math.max(150, window.innerWidth * 0.34)));

function Tools({ store }: { store: TraceStore }) {
  return (
    <div class="wf-tools">
      <button type="button" class="button quiet small" onClick={() => store.foldFrom(1)} title="Fold all but the top two levels">
        Fold
      </button>
      <button type="button" class="button quiet small" onClick={() => store.foldFrom(Infinity)} title="Unfold everything">
        Unfold
      </button>
      <span class="wf-zoom">
        <button type="button" class="button quiet small" aria-label="Zoom out" title="Zoom out (−)" onClick={() => store.zoomBy(1 / 1.6)}>
          −
        </button>
        <button type="button" class="button quiet small" aria-label="Zoom in" title="Zoom in (+)" onClick={() => store.zoomBy(1.6)}>
          +
        </button>
        <button type="button" class="button quiet small" title="Show all of it (0)" onClick={() => store.setView(store.whole.peek())}>
          All
        </button>
      </span>
      <span class="wf-title">Operation and service</span>
    </div>
  );
}

/** The edge between tree and time: dragged, or moved by the arrow keys. */
function Splitter({ width, onChange }: { width: number; onChange: (width: number) => void }) {
  const dragFrom = useRef<number | undefined>(undefined);
  return (
    <div
      class="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the tree"
      aria-valuenow={width}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        dragFrom.current = event.clientX - width;
      }}
      onPointerMove={(event) => dragFrom.current !== undefined && onChange(event.clientX - dragFrom.current)}
      onPointerUp={() => (dragFrom.current = undefined)}
      onPointerCancel={() => (dragFrom.current = undefined)}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        event.preventDefault();
        onChange(width + (event.key === 'ArrowLeft' ? -20 : 20));
      }}
    />
  );
}

interface Parts {
  section: RefObject<HTMLElement>;
  canvas: RefObject<HTMLCanvasElement>;
  scroller: RefObject<HTMLDivElement>;
  hairline: RefObject<HTMLDivElement>;
}

const widestTree = (scroller: HTMLElement | null) => Math.max(NARROWEST_TREE, (scroller?.clientWidth ?? 800) - 120);

/** Keeps the canvas painted for as long as the waterfall stands; returns the painter. */
function usePainter(store: TraceStore, parts: Parts, treeWidth: Signal<number>, onResize: () => void) {
  const painter = useRef<Painter | undefined>(undefined);
  useEffect(() => {
    const canvas = parts.canvas.current;
    const scroller = parts.scroller.current;
    const hairline = parts.hairline.current;
    if (!canvas || !scroller || !hairline) return undefined;
    const width = () => treeWidth.peek();
    const made = createPainter(store, { canvas, scroller, treeWidth: width });
    painter.current = made;
    const detach = attachPointer(scroller, createPointer(store, { scroller, hairline, painter: made, treeWidth: width }));
    const resized = new ResizeObserver(() => {
      parts.section.current?.style.setProperty('--bar', `${scroller.offsetWidth - scroller.clientWidth}px`);
      treeWidth.value = Math.min(treeWidth.peek(), widestTree(scroller));
      made.schedule();
      onResize();
    });
    resized.observe(scroller);
    void document.fonts.ready.then(() => made.repalette());
    return () => {
      resized.disconnect();
      detach();
      made.stop();
    };
  }, [store]);
  useSignalEffect(() => {
    parts.section.current?.style.setProperty('--tree', `${treeWidth.value}px`);
    store.trace.value;
    store.rows.value;
    store.view.value;
    store.selected.value;
    store.insight.value;
    store.showPath.value;
    store.found.value;
    painter.current?.schedule();
  });
  useSignalEffect(() => {
    themeVersion.value;
    painter.current?.repalette();
  });
  return painter;
}

/** Brings the cursor into sight when it was moved; not when the rows merely changed. */
function useReveal(store: TraceStore, scroller: RefObject<HTMLElement>): void {
  useSignalEffect(() => {
    const moved = store.reveals.value > 0;
    const box = scroller.current;
    const at = store.cursor.peek();
    if (!box || at < 0 || !moved) return;
    const top = rowOf(store.rows.peek(), at) * ROW_HEIGHT;
    const room = box.clientHeight;
    const { scrollTop } = box;
    /* A step scrolls by a row; a jump puts the row in the middle. */
    if (top < scrollTop + ROW_HEIGHT) box.scrollTop = top - (top < scrollTop - room ? room / 2 : ROW_HEIGHT);
    else if (top + 2 * ROW_HEIGHT > scrollTop + room) {
      box.scrollTop = top - (top > scrollTop + 2 * room ? room / 2 : room - 2 * ROW_HEIGHT);
    }
  });
}

function usePageKeys(store: TraceStore, scroller: RefObject<HTMLElement>): void {
  useEffect(() => {
    const scrollBy = (screens: number) => scroller.current?.scrollBy({ top: screens * scroller.current.clientHeight });
    const onKey = (event: KeyboardEvent) =>
      batch(() => {
        if (onPageKey(store, event, scrollBy)) event.preventDefault();
      });
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [store]);
}

function rowsInSight(box: HTMLElement): { first: number; last: number } {
  return {
    first: Math.floor(box.scrollTop / ROW_HEIGHT) - ROWS_BEYOND,
    last: Math.ceil((box.scrollTop + box.clientHeight) / ROW_HEIGHT) + ROWS_BEYOND,
  };
}

/** Which rows are in sight, noted once scrolling rests. */
function useRowsInSight(scroller: RefObject<HTMLElement>) {
  const inSight = useSignal({ first: 0, last: 60 });
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const note = () => {
    if (!scroller.current) return;
    const now = rowsInSight(scroller.current);
    const before = inSight.peek();
    if (before.first !== now.first || before.last !== now.last) inSight.value = now;
  };
  const noteAtRest = () => {
    clearTimeout(rest.current);
    rest.current = setTimeout(note, SCROLL_RESTS_MS);
  };
  useEffect(() => () => clearTimeout(rest.current), []);
  return { inSight, note, noteAtRest };
}

export function Waterfall({ store }: { store: TraceStore }) {
  const section = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const hairline = useRef<HTMLDivElement>(null);
  const treeWidth = useSignal(firstTreeWidth());
  const { inSight, note, noteAtRest } = useRowsInSight(scroller);
  const painter = usePainter(store, { section, canvas, scroller, hairline }, treeWidth, note);
  useReveal(store, scroller);
  usePageKeys(store, scroller);

  const onScroll = () => {
    painter.current?.schedule();
    noteAtRest();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const pageRows = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
    batch(() => {
      if (onWaterfallKey(store, event, pageRows)) event.preventDefault();
    });
  };

  const setTreeWidth = (width: number) => {
    treeWidth.value = Math.round(Math.min(Math.max(width, NARROWEST_TREE), widestTree(scroller.current)));
  };

  const rows = store.rows.value;
  const cursor = store.cursor.value;
  const cursorTop = cursor >= 0 ? rowOf(rows, cursor) * ROW_HEIGHT : 0;
  return (
    <section class="waterfall" ref={section} aria-label="Waterfall">
      <div class="wf-head">
        <Tools store={store} />
        <div class="wf-time">
          <Minimap store={store} />
          <Axis store={store} />
        </div>
        <Splitter width={treeWidth.value} onChange={setTreeWidth} />
      </div>
      <div class="wf-body">
        <canvas ref={canvas} aria-hidden="true" />
        <div
          class="wf-scroll"
          ref={scroller}
          role="treegrid"
          tabIndex={0}
          aria-label="Spans of this trace. Arrows move, left and right fold and unfold, Enter shows details, plus and minus zoom."
          aria-rowcount={rows.length}
          {...(cursor >= 0 ? { 'aria-activedescendant': rowId(cursor) } : {})}
          onScroll={onScroll}
          onKeyDown={onKeyDown}
        >
          <div class="wf-rows" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
            {cursor >= 0 && <div class="wf-cursor" style={{ top: `${cursorTop}px` }} />}
            <AccessibleRows store={store} first={inSight.value.first} last={inSight.value.last} />
          </div>
        </div>
        <div class="hairline" ref={hairline} hidden>
          <span />
        </div>
      </div>
      <p class="wf-hint" aria-hidden="true">
        <kbd>↑ ↓</kbd> move <kbd>← →</kbd> fold, unfold <kbd>Enter</kbd> details <kbd>+ − 0</kbd> zoom{' '}
        <kbd>Esc</kbd> back <kbd>?</kbd> all keys
      </p>
    </section>
  );
}

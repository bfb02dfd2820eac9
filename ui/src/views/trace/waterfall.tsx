// SPDX-License-Identifier: Apache-2.0
/*
 * The waterfall: a canvas under a scroller that is as high as all rows would be, so that the
 * browser scrolls and we only paint what is in sight. Pointer, wheel and keys change the
 * store; the store's signals bring the next frame.
 */
import { batch, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatDuration } from '../../model/format';
import { hasChildren, rowOf } from '../../model/rows';
import { pan } from '../../model/scale';
import { themeVersion } from '../../theme';
import { AccessibleRows, rowId } from './accessible-rows';
import { Axis } from './axis';
import { onWaterfallKey } from './keys';
import { Minimap } from './minimap';
import { createPainter, type Painter } from './painter';
import { indentOf, ROW_HEIGHT } from './paint';
import type { TraceStore } from './store';

const NARROWEST_TREE = 90;
const ROWS_BEYOND = 8;

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

export function Waterfall({ store }: { store: TraceStore }) {
  const section = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const hairline = useRef<HTMLDivElement>(null);
  const painter = useRef<Painter | undefined>(undefined);
  const treeWidth = useSignal(firstTreeWidth());
  const inSight = useSignal({ first: 0, last: 60 });
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const noteInSight = () => {
    const box = scroller.current;
    if (!box) return;
    const first = Math.floor(box.scrollTop / ROW_HEIGHT) - ROWS_BEYOND;
    const last = Math.ceil((box.scrollTop + box.clientHeight) / ROW_HEIGHT) + ROWS_BEYOND;
    const before = inSight.peek();
    if (before.first !== first || before.last !== last) inSight.value = { first, last };
  };

  useEffect(() => {
    if (!canvas.current || !scroller.current) return undefined;
    const made = createPainter(store, {
      canvas: canvas.current,
      scroller: scroller.current,
      treeWidth: () => treeWidth.peek(),
    });
    painter.current = made;
    const resized = new ResizeObserver(() => {
      const box = scroller.current;
      if (box) section.current?.style.setProperty('--bar', `${box.offsetWidth - box.clientWidth}px`);
      const widest = (box?.clientWidth ?? 800) - 120;
      if (treeWidth.peek() > widest) treeWidth.value = Math.max(NARROWEST_TREE, widest);
      made.schedule();
      noteInSight();
    });
    resized.observe(scroller.current);
    void document.fonts.ready.then(() => made.repalette());
    return () => {
      resized.disconnect();
      made.stop();
    };
  }, [store]);

  useSignalEffect(() => {
    section.current?.style.setProperty('--tree', `${treeWidth.value}px`);
    store.trace.value;
    store.rows.value;
    store.view.value;
    store.selected.value;
    painter.current?.schedule();
  });

  useSignalEffect(() => {
    themeVersion.value;
    painter.current?.repalette();
  });

  /* Bring the cursor into sight when it was moved; not when the rows merely changed. */
  useSignalEffect(() => {
    store.reveals.value;
    const box = scroller.current;
    const at = store.cursor.peek();
    if (!box || at < 0 || store.reveals.peek() === 0) return;
    const top = rowOf(store.rows.peek(), at) * ROW_HEIGHT;
    const room = box.clientHeight;
    if (top < box.scrollTop + ROW_HEIGHT) box.scrollTop = top - (top < box.scrollTop - room ? room / 2 : ROW_HEIGHT);
    else if (top + 2 * ROW_HEIGHT > box.scrollTop + room) {
      box.scrollTop = top - (top > box.scrollTop + 2 * room ? room / 2 : room - 2 * ROW_HEIGHT);
    }
  });

  const onScroll = () => {
    painter.current?.schedule();
    clearTimeout(rest.current);
    rest.current = setTimeout(noteInSight, 80);
  };

  const spanAt = (event: MouseEvent): number => {
    const box = scroller.current;
    if (!box) return -1;
    const y = event.clientY - box.getBoundingClientRect().top + box.scrollTop;
    return store.rows.peek()[Math.floor(y / ROW_HEIGHT)] ?? -1;
  };

  const timeAt = (event: MouseEvent): number | undefined => {
    const box = scroller.current;
    if (!box) return undefined;
    const x = event.clientX - box.getBoundingClientRect().left - treeWidth.peek();
    const width = box.clientWidth - treeWidth.peek();
    const view = store.view.peek();
    return x < 0 || x > width ? undefined : view.from + (x / width) * (view.to - view.from);
  };

  const onClick = (event: MouseEvent) => {
    const i = spanAt(event);
    const box = scroller.current;
    if (i < 0 || !box) return;
    const { columns } = store.trace.peek();
    const x = event.clientX - box.getBoundingClientRect().left;
    const toggle = indentOf(columns.depth[i]!, treeWidth.peek());
    if (hasChildren(columns, i) && x >= toggle - 4 && x < toggle + 16) store.toggle(i);
    else store.select(i);
  };

  const onDblClick = (event: MouseEvent) => {
    const i = spanAt(event);
    const { columns } = store.trace.peek();
    if (i < 0 || timeAt(event) === undefined) return;
    const room = Math.max(columns.duration[i]! * 0.1, 100);
    store.setView({ from: columns.start[i]! - room, to: columns.start[i]! + columns.duration[i]! + room });
  };

  const onPointerMove = (event: PointerEvent) => {
    if (event.pointerType !== 'mouse') return;
    painter.current?.hover(spanAt(event));
    const time = timeAt(event);
    const line = hairline.current;
    const box = scroller.current;
    if (!line || !box) return;
    line.hidden = time === undefined;
    if (time === undefined) return;
    const x = event.clientX - box.getBoundingClientRect().left;
    line.style.transform = `translateX(${Math.round(x)}px)`;
    line.classList.toggle('flipped', x > box.clientWidth - 90);
    line.firstElementChild!.textContent = formatDuration(time);
  };

  const onPointerLeave = () => {
    painter.current?.hover(-1);
    if (hairline.current) hairline.current.hidden = true;
  };

  const onWheel = (event: WheelEvent) => {
    const view = store.view.peek();
    if (event.ctrlKey) store.zoomBy(Math.exp(-event.deltaY * 0.004), timeAt(event));
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = (event.deltaX || event.deltaY) * 0.0015 * (view.to - view.from);
      store.setView(pan(view, store.whole.peek(), by));
    } else return;
    event.preventDefault();
  };

  /* Preact's onWheel would be passive: it could not keep the browser from zooming the page. */
  useEffect(() => {
    const box = scroller.current;
    box?.addEventListener('wheel', onWheel, { passive: false });
    return () => box?.removeEventListener('wheel', onWheel);
  }, [store]);

  const onKeyDown = (event: KeyboardEvent) => {
    const pageRows = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
    batch(() => {
      if (onWaterfallKey(store, event, pageRows)) event.preventDefault();
    });
  };

  const setTreeWidth = (width: number) => {
    const most = (scroller.current?.clientWidth ?? 800) - 120;
    treeWidth.value = Math.round(Math.min(Math.max(width, NARROWEST_TREE), most));
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
          onClick={onClick}
          onDblClick={onDblClick}
          onPointerMove={onPointerMove}
          onPointerLeave={onPointerLeave}
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
        <kbd>Esc</kbd> back
      </p>
    </section>
  );
}

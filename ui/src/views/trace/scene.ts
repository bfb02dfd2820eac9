// SPDX-License-Identifier: Apache-2.0
/* What one frame of the waterfall shows, and where in it a moment and a level stand. */
import type { TraceColumns } from '../../model/columns';
import type { Insight } from '../../model/insight';
import type { Span1d } from '../../model/scale';

export const ROW_HEIGHT = 24;
export const BAR_HEIGHT = 10;
const INDENT = 14;
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
  /** The parts of the critical path of each span; undefined where it is not shown. */
  path: Pick<Insight, 'pathFrom' | 'pathAt' | 'pathLength'> | undefined;
  /** 1 for spans that the search found; undefined while nothing is searched for. */
  found: Uint8Array | undefined;
  selected: number;
  hovered: number;
}

export type Pen = CanvasRenderingContext2D;

/** Where the name of a span at `depth` begins. */
export function indentOf(depth: number, treeWidth: number): number {
  const wide = Math.min(depth, WIDE_LEVELS) * INDENT + Math.max(0, depth - WIDE_LEVELS) * 3;
  return 8 + Math.min(wide, treeWidth * 0.55);
}

export const timeToX = (ns: number, scene: Pick<Scene, 'view' | 'width' | 'treeWidth'>) =>
  scene.treeWidth + ((ns - scene.view.from) / (scene.view.to - scene.view.from)) * (scene.width - scene.treeWidth);

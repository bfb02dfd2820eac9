// SPDX-License-Identifier: Apache-2.0
/*
 * A flame graph's boxes: spans with the same way from the root, by service and operation, are one
 * box; its width is the time that they and all below them worked themselves, so that children
 * never reach beyond their parent, however many of them ran at once.
 */
import type { TraceColumns } from './columns';

export interface FlameBox {
  parent: number;
  depth: number;
  process: number;
  name: number;
  spans: number;
  /** ns worked by these spans, and by them with all below. */
  selfNs: number;
  totalNs: number;
  /** Left edge, ns from the graph's left. */
  fromNs: number;
  /** A span of the box, the longest. */
  longest: number;
  longestNs: number;
}

export interface Flame {
  boxes: FlameBox[];
  totalNs: number;
  depth: number;
}

/** `serviceOf[p]`: the same number for all processes of one service. */
export function buildFlame(c: TraceColumns, serviceOf: readonly number[], self: Float64Array): Flame {
  const boxes: FlameBox[] = [];
  const boxOf = new Int32Array(c.count);
  const known = new Map<string, number>();
  for (let i = 0; i < c.count; i++) {
    const parent = c.parent[i]! < 0 ? -1 : boxOf[c.parent[i]!]!;
    const key = `${parent}/${serviceOf[c.process[i]!]}/${c.name[i]}`;
    let at = known.get(key);
    if (at === undefined) {
      at = boxes.length;
      known.set(key, at);
      boxes.push({ parent, depth: parent < 0 ? 0 : boxes[parent]!.depth + 1, process: c.process[i]!, name: c.name[i]!,
        spans: 0, selfNs: 0, totalNs: 0, fromNs: 0, longest: i, longestNs: -1 });
    }
    boxOf[i] = at;
    const box = boxes[at]!;
    box.spans++;
    box.selfNs += Math.max(Number.isFinite(self[i]!) ? self[i]! : 0, 0);
    if (c.duration[i]! > box.longestNs) {
      box.longestNs = c.duration[i]!;
      box.longest = i;
    }
  }
  return place(boxes);
}

/* A box always stands behind its parent: totals go up from the last, left edges down from the first. */
function place(boxes: FlameBox[]): Flame {
  for (let b = boxes.length - 1; b >= 0; b--) {
    const box = boxes[b]!;
    box.totalNs += box.selfNs;
    if (box.parent >= 0) boxes[box.parent]!.totalNs += box.totalNs;
  }
  const widestFirst = boxes.map((_, b) => b).sort((a, b) => boxes[a]!.depth - boxes[b]!.depth || boxes[b]!.totalNs - boxes[a]!.totalNs);
  const taken = new Float64Array(boxes.length);
  let totalNs = 0;
  let depth = 0;
  for (const b of widestFirst) {
    const box = boxes[b]!;
    depth = Math.max(depth, box.depth + 1);
    if (box.parent < 0) {
      box.fromNs = totalNs;
      totalNs += box.totalNs;
    } else {
      box.fromNs = boxes[box.parent]!.fromNs + taken[box.parent]!;
      taken[box.parent]! += box.totalNs;
    }
  }
  return { boxes, totalNs, depth };
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What of the firehose is shown: the newest lines, newest first, so many at most. While the reader holds
 * the list, new ones wait; of those, too, only so many are kept, and the others are counted.
 */
import type { FirehoseLine } from '../api/firehose';

export interface FirehoseList {
  shown: FirehoseLine[];
  waiting: FirehoseLine[];
  /** How many came while the list was held, those that are not kept included. */
  waited: number;
  seen: number;
}

export const EMPTY_LIST: FirehoseList = { shown: [], waiting: [], waited: 0, seen: 0 };

/** `fresh` in the order in which they came. */
export function withLines(list: FirehoseList, fresh: readonly FirehoseLine[], held: boolean, most: number): FirehoseList {
  const newest = [...fresh].reverse();
  const seen = list.seen + fresh.length;
  if (held) return { shown: list.shown, waiting: [...newest, ...list.waiting].slice(0, most), waited: list.waited + fresh.length, seen };
  return { shown: [...newest, ...list.waiting, ...list.shown].slice(0, most), waiting: [], waited: 0, seen };
}

/** How many a second came lately: `counts` has what was seen at each moment, the oldest first. */
export function rateOf(counts: readonly { ms: number; seen: number }[]): number {
  const first = counts[0];
  const last = counts.at(-1);
  return first && last && last.ms > first.ms ? ((last.seen - first.seen) * 1000) / (last.ms - first.ms) : 0;
}

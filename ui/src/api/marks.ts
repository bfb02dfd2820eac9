// SPDX-License-Identifier: Apache-2.0
/* Marks: moments that explain what graphs show. */
import { unixMs } from '../model/format';
import type { Window } from '../model/time-range';
import { getJson, withQuery, type CallOptions } from './client';

export interface MarkOfTime {
  id: number;
  kind: 'note' | 'deploy' | 'death' | 'alert' | 'notification' | 'hot-key' | 'process';
  from_unix_ns: string;
  to_unix_ns: string;
  title: string;
  text?: string;
  service?: string;
  version?: string;
  previous?: string;
  cell?: string;
  count: number;
}

export const MOST_MARKS = 500;

export interface Marks {
  /** The newest MOST_MARKS, newest first. */
  marks: MarkOfTime[];
  /** There are older ones, too. */
  more: boolean;
}

/** Those of all kinds and services where none is named. */
export function getMarks(window: Window, of: { kind?: MarkOfTime['kind']; service?: string } = {}, options?: CallOptions): Promise<Marks> {
  const params = { start: `${Math.floor(window.fromMs)}000000`, end: `${Math.ceil(window.toMs)}000000`, ...of, limit: MOST_MARKS };
  return getJson<Marks>(withQuery('/api/v1/marks', params), options);
}

/** As a chart draws it: what is bad is red. */
export function chartMark(mark: MarkOfTime) {
  return { atMs: unixMs(mark.from_unix_ns), title: mark.title, text: mark.text ?? '', worse: mark.kind === 'death' || mark.kind === 'alert' };
}

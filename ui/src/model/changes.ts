// SPDX-License-Identifier: Apache-2.0
/*
 * What changed, as one list: what needs somebody first, and the newest of its kind first. From
 * marks, verdicts on deploys, alerts, and operations that fail more than they did. Pure.
 */
import type { Alert } from '../api/alerts';
import type { Deploy } from '../api/deploys';
import type { MarkOfTime } from '../api/marks';
import type { VectorSample } from '../api/prom';
import { parseValue } from './chart-data';
import { formatPercent, unixMs } from './format';
import { changeWord, verdictOf, verdictText } from './verdict';

export type ChangeKind = 'alert' | 'death' | 'deploy' | 'errors' | 'hot-key' | 'note';
export type Tone = 'bad' | 'warn' | 'good' | 'plain';

export interface Happening {
  key: string;
  kind: ChangeKind;
  tone: Tone;
  /** One or two words: what it is. */
  what: string;
  title: string;
  text: string;
  /** NaN: it goes on. */
  atMs: number;
  service?: string;
  operation?: string;
  /** Of the deploy. */
  deploy?: number;
}

const TONES: readonly Tone[] = ['bad', 'warn', 'plain', 'good'];
const KINDS: readonly ChangeKind[] = ['alert', 'death', 'deploy', 'errors', 'hot-key', 'note'];

/** Errors of one operation lately, and in the time before. */
export interface FailingOperation {
  service: string;
  operation: string;
  share: number;
  before: number;
  errors: number;
}

/** How many more there must be for it to be told. */
const LEAST_ERRORS = 3;
const LEAST_GROWTH = 3;
const LEAST_SHARE = 0.001;

export interface ErrorCounts {
  calls: readonly VectorSample[];
  errors: readonly VectorSample[];
}

const keyOf = ({ metric }: VectorSample) => JSON.stringify([metric['service_name'] ?? '', metric['span_name'] ?? '']);
const countOf = (sample: VectorSample | undefined) => (sample?.value ? parseValue(sample.value[1]) : 0);

/** Those that fail at least three times as often as before, the worst first. */
export function newErrors(lately: ErrorCounts, before: ErrorCounts): FailingOperation[] {
  const index = (samples: readonly VectorSample[]) => new Map(samples.map((sample) => [keyOf(sample), sample]));
  const [calls, callsBefore, errorsBefore] = [index(lately.calls), index(before.calls), index(before.errors)];
  const found: FailingOperation[] = [];
  for (const sample of lately.errors) {
    const key = keyOf(sample);
    const errors = countOf(sample);
    const share = errors / Math.max(countOf(calls.get(key)), errors);
    const callsThen = countOf(callsBefore.get(key));
    const shareThen = callsThen > 0 ? countOf(errorsBefore.get(key)) / callsThen : 0;
    if (errors < LEAST_ERRORS || share < LEAST_SHARE || share < LEAST_GROWTH * shareThen) continue;
    found.push({ service: sample.metric['service_name'] ?? '', operation: sample.metric['span_name'] ?? '', share, before: shareThen, errors });
  }
  return found.sort((a, b) => b.errors - a.errors);
}

function ofMark(mark: MarkOfTime, verdicts: ReadonlyMap<number, Deploy>): Happening | undefined {
  const shared = { key: `mark ${mark.id}`, title: mark.title, text: mark.text ?? '', atMs: unixMs(mark.to_unix_ns), ...(mark.service ? { service: mark.service } : {}) };
  switch (mark.kind) {
    case 'death':
      return { ...shared, kind: 'death', tone: 'bad', what: 'Died' };
    case 'hot-key':
      return { ...shared, kind: 'hot-key', tone: 'warn', what: 'Hot key' };
    case 'note':
      return { ...shared, kind: 'note', tone: 'plain', what: 'Note' };
    case 'deploy': {
      const deploy = verdicts.get(mark.id);
      const change = verdictOf(deploy);
      const tone = change === 'worse' ? 'bad' : change === 'better' ? 'good' : 'plain';
      const said = change === 'unknown' ? 'Deploy' : `Deploy: ${changeWord(change).toLowerCase()}`;
      return { ...shared, kind: 'deploy', tone, what: said, text: deploy ? verdictText(deploy) : '', deploy: mark.id };
    }
    default:
      return undefined;
  }
}

function ofAlert(alert: Alert): Happening {
  const { alertname = 'Alert', ...labels } = alert.labels;
  const said = alert.annotations['summary'] ?? alert.annotations['description'] ?? Object.entries(labels).map(([name, value]) => `${name}=${value}`).join(', ');
  return { key: `alert ${JSON.stringify(alert.labels)}`, kind: 'alert', tone: 'bad', what: 'Firing', title: alertname, text: said, atMs: Date.parse(alert.activeAt) };
}

function ofErrors(one: FailingOperation): Happening {
  return {
    key: `errors ${one.service} ${one.operation}`, kind: 'errors', tone: 'bad', what: 'New errors',
    title: `${one.service} “${one.operation}”`, text: `${formatPercent(one.share)} fail, ${formatPercent(one.before)} before`,
    atMs: NaN, service: one.service, operation: one.operation,
  };
}

export interface ChangeSources {
  marks: readonly MarkOfTime[];
  verdicts: ReadonlyMap<number, Deploy>;
  alerts: readonly Alert[];
  failing: readonly FailingOperation[];
}

export function happenings({ marks, verdicts, alerts, failing }: ChangeSources): Happening[] {
  const all = [
    ...alerts.filter(({ state }) => state === 'firing').map(ofAlert),
    ...failing.map(ofErrors),
    ...marks.flatMap((mark) => ofMark(mark, verdicts) ?? []),
  ];
  const newest = (one: Happening) => (Number.isNaN(one.atMs) ? Infinity : one.atMs);
  return all.sort((a, b) => {
    const rank = TONES.indexOf(a.tone) - TONES.indexOf(b.tone) || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind);
    if (rank !== 0) return rank;
    return newest(a) === newest(b) ? 0 : newest(b) > newest(a) ? 1 : -1;
  });
}

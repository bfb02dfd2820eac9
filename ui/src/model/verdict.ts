// SPDX-License-Identifier: Apache-2.0
/* A deploy's verdict in words and with the units of its measures. Pure. */
import type { Change, Comparison, Deploy, Figure, Verdict } from '../api/deploys';
import { parseValue } from './chart-data';
import { formatPercent } from './format';
import { formatValue, type Unit } from './units';

const MEASURES: Record<string, { name: string; unit: Unit }> = {
  requests_per_second: { name: 'Rate', unit: 'rate' },
  error_rate: { name: 'Errors', unit: 'share' },
  p50_seconds: { name: 'p50', unit: 'seconds' },
  p99_seconds: { name: 'p99', unit: 'seconds' },
  cpu_cores_per_process: { name: 'CPU a process', unit: 'share' },
  resident_bytes_per_process: { name: 'Memory a process', unit: 'bytes' },
};

export const figureOf = (figure: Figure): number => (typeof figure === 'number' ? figure : parseValue(figure));

export const measureName = (measure: string) => MEASURES[measure]?.name ?? measure;

export const measureText = (measure: string, figure: Figure) => formatValue(figureOf(figure), MEASURES[measure]?.unit ?? 'count');

const WORDS: Record<Change, string> = {
  worse: 'Worse', better: 'Better', different: 'Different', none: 'No change', unknown: 'Not known',
};

export const changeWord = (change: Change) => WORDS[change] ?? change;

/** What is said of a whole deploy: what is worse anywhere counts first. */
export function verdictOf(deploy: Deploy | undefined): Change {
  if (!deploy) return 'unknown';
  const both = [deploy.cell.change, deploy.service.change];
  for (const change of ['worse', 'better', 'different', 'none'] as const) if (both.includes(change)) return change;
  return 'unknown';
}

/** "×2.29" as "+129 %": how the after differs from the before. */
export function ratioText(ratio: Figure): string {
  const value = figureOf(ratio);
  if (!Number.isFinite(value)) return '–';
  if (value >= 10) return `×\u2009${value.toFixed(0)}`;
  const change = value - 1;
  if (Math.abs(change) < 0.0005) return '±0\u00a0%';
  return `${change > 0 ? '+' : '\u2212'}${formatPercent(Math.abs(change))}`;
}

/** "p99 21.0 ms → 48.0 ms", for each measure that changed so. */
export function changedMeasures(verdict: Verdict, change: Change): string[] {
  return verdict.measures
    .filter((one) => one.change === change)
    .map((one) => `${measureName(one.measure)} ${measureText(one.measure, one.before)} → ${measureText(one.measure, one.after)}`);
}

/** What a deploy did, in one line; of the cell, and else of the service. */
export function verdictText(deploy: Deploy): string {
  const change = verdictOf(deploy);
  if (change === 'unknown') return 'too early, or too few requests, to say';
  const verdict = deploy.cell.change === change ? deploy.cell : deploy.service;
  return changedMeasures(verdict, change).join(', ') || 'no measure changed';
}

/** 0.9999 as "99.99 %", never rounded up to certainty. */
export function confidenceText({ confidence }: Comparison): string {
  const value = figureOf(confidence);
  if (!Number.isFinite(value)) return '–';
  if (value >= 0.9999) return '>99.99\u00a0%';
  return `${(Math.floor(value * 1000) / 10).toFixed(1)}\u00a0%`;
}

// SPDX-License-Identifier: Apache-2.0
/* What the overview is made of, asked for at once: services, the fleet, what changed. */
import { happenings, newErrors, type ErrorCounts, type Happening } from '../model/changes';
import { requestsOf, versionsOf, type ServiceRow } from '../model/overview';
import { quoted } from '../model/red';
import type { Window } from '../model/time-range';
import { getAlerts } from './alerts';
import { getServices, getStatus, type CallOptions } from './client';
import { getVerdicts } from './deploys';
import { getMarks } from './marks';
import { queryAt } from './prom';
import { getRateLines, getRed, secondsOf } from './red';
import type { Status } from './wire';

/** What a service does now is told over so long at most. */
export const NOW_SECONDS = 300;
/** Verdicts are worked out for so many deploys, the newest. */
const MOST_VERDICTS = 8;

const byService = (labels: Record<string, string>) => labels['service_name'] ?? '';

export interface ServiceRows {
  rows: ServiceRow[];
  /** Deploys were looked for among the newest MOST_MARKS, and there are more. */
  moreDeploys: boolean;
}

export async function getServiceRows(window: Window, options?: CallOptions): Promise<ServiceRows> {
  const scope = { by: ['service_name'] };
  const now = { fromMs: Math.max(window.fromMs, window.toMs - NOW_SECONDS * 1000), toMs: window.toMs };
  const [services, reds, lines, running, deploys] = await Promise.all([
    getServices(options),
    getRed(scope, now, byService, options),
    getRateLines(scope, window, byService, options),
    queryAt('sum by (service, version) (weft_processes)', window.toMs, options),
    getMarks({ fromMs: 0, toMs: window.toMs }, { kind: 'deploy' }, options),
  ]);
  return { rows: requestsOf(services.services, { reds, lines, versions: versionsOf(running), deploys: deploys.marks }), moreDeploys: deploys.more };
}

/* What failed in the last quarter of the window and in the time before. */
async function errorCounts(fromMs: number, toMs: number, options?: CallOptions): Promise<ErrorCounts> {
  const counted = (more: string) =>
    `sum by (service_name, span_name) (increase(traces_span_metrics_calls_total{${more}}[${Math.max(Math.round((toMs - fromMs) / 1000), 10)}s]))`;
  const [calls, errors] = await Promise.all([
    queryAt(counted(''), toMs, options),
    queryAt(counted(`status_code=${quoted('STATUS_CODE_ERROR')}`), toMs, options),
  ]);
  return { calls, errors };
}

export interface Happenings {
  found: Happening[];
  /** Of the marks of this time, the newest MOST_MARKS are among them, and there are more. */
  more: boolean;
}

export async function getHappenings(window: Window, options?: CallOptions): Promise<Happenings> {
  const turnMs = window.toMs - (secondsOf(window) * 1000) / 4;
  const [{ marks, more }, alerts, lately, before] = await Promise.all([
    getMarks(window, {}, options),
    getAlerts(options),
    errorCounts(turnMs, window.toMs, options),
    errorCounts(window.fromMs, turnMs, options),
  ]);
  const verdicts = await getVerdicts(marks.filter(({ kind }) => kind === 'deploy'), MOST_VERDICTS, options);
  return { found: happenings({ marks, verdicts, alerts, failing: newErrors(lately, before) }), more };
}

export interface Fleet {
  status: Status;
  processes: number;
  services: number;
}

export async function getFleet(nowMs: number, options?: CallOptions): Promise<Fleet> {
  const [status, running] = await Promise.all([getStatus(options), queryAt('sum by (service) (weft_processes)', nowMs, options)]);
  return { status, services: running.length, processes: running.reduce((sum, { value }) => sum + Number(value?.[1] ?? 0), 0) };
}

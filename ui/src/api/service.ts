// SPDX-License-Identifier: Apache-2.0
/* One service: its figures, operations, where it runs, its deploys, what is around it. */
import { matching, type Red } from '../model/red';
import { runningOf, type RunningRow } from '../model/running';
import { graphOf, neighbourhood, type ServiceGraph } from '../model/service-graph';
import type { Window } from '../model/time-range';
import { getCaches, type CacheSummary } from './caches';
import type { CallOptions } from './client';
import { getGraph } from './graph';
import { getMarks, type MarkOfTime } from './marks';
import { queryAt, type Labels } from './prom';
import { getRed } from './red';

export interface ServiceFigures {
  /** Undefined where nothing was counted. */
  red: Red | undefined;
  operations: Red[];
  running: RunningRow[];
  /** The newest. */
  deploys: MarkOfTime[];
  moreDeploys: boolean;
}

const MOST_DEPLOYS = 20;
const operationKey = ({ span_name, span_kind }: Labels) => JSON.stringify([span_name, span_kind]);

export async function getService(name: string, window: Window, options?: CallOptions): Promise<ServiceFigures> {
  const of = matching({ service_name: name });
  const its = matching({ service: name });
  const running = (series: string) => queryAt(`sum by (version, cell, host) (${series})`, window.toMs, options);
  const [reds, operations, processes, cpu, memory, { marks, more }] = await Promise.all([
    getRed({ by: ['service_name'], of }, window, () => name, options),
    getRed({ by: ['span_name', 'span_kind'], of, allKinds: true }, window, operationKey, options),
    running(`weft_processes{${its}}`),
    running(`rate(process_cpu_seconds_total{${its}}[30s])`),
    running(`process_resident_memory_bytes{${its}}`),
    getMarks({ fromMs: 0, toMs: window.toMs }, { kind: 'deploy', service: name }, options),
  ]);
  return {
    red: reds.get(name),
    operations: [...operations.values()],
    running: runningOf(processes, cpu, memory),
    deploys: marks.slice(0, MOST_DEPLOYS),
    moreDeploys: more || marks.length > MOST_DEPLOYS,
  };
}

export interface Surroundings {
  graph: ServiceGraph;
  /** Those that speak as what it calls is named. */
  caches: CacheSummary[];
}

export async function getSurroundings(name: string, window: Window, limit: number, options?: CallOptions): Promise<Surroundings> {
  const [wire, caches] = await Promise.all([getGraph(window, limit, options), getCaches(window, options)]);
  const graph = neighbourhood(graphOf(wire), name);
  const called = new Set(graph.nodes.map((node) => node.name));
  return { graph, caches: caches.filter(({ protocol }) => called.has(protocol)) };
}

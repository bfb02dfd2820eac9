// SPDX-License-Identifier: Apache-2.0
/* Services as the overview lists them, and the fleet's health in figures. Pure. */
import type { MarkOfTime } from '../api/marks';
import type { VectorSample } from '../api/prom';
import type { Service, Status } from '../api/wire';
import { parseValue } from './chart-data';
import { unixMs } from './format';
import type { Red } from './red';

export interface VersionCount {
  version: string;
  processes: number;
}

export interface ServiceRow {
  name: string;
  red: Red | undefined;
  line: readonly number[];
  /** Those that run, the one with most processes first. */
  versions: readonly VersionCount[];
  deploy: MarkOfTime | undefined;
}

export function versionsOf(running: readonly VectorSample[]): Map<string, VersionCount[]> {
  const all = new Map<string, VersionCount[]>();
  for (const { metric, value } of running) {
    const service = metric['service'] ?? '';
    const processes = parseValue(value?.[1] ?? '0');
    if (processes > 0) all.set(service, [...(all.get(service) ?? []), { version: metric['version'] ?? '', processes }]);
  }
  for (const list of all.values()) list.sort((a, b) => b.processes - a.processes || (a.version < b.version ? -1 : 1));
  return all;
}

interface Told {
  reds: ReadonlyMap<string, Red>;
  lines: ReadonlyMap<string, readonly number[]>;
  versions: ReadonlyMap<string, readonly VersionCount[]>;
  /** Newest first. */
  deploys: readonly MarkOfTime[];
}

/** One row for each service that recorded, was counted or runs. */
export function requestsOf(services: readonly Service[], { reds, lines, versions, deploys }: Told): ServiceRow[] {
  const names = new Set([...services.map(({ name }) => name), ...reds.keys(), ...versions.keys()]);
  names.delete('');
  return [...names].sort().map((name) => ({
    name,
    red: reds.get(name),
    line: lines.get(name) ?? [],
    versions: versions.get(name) ?? [],
    deploy: deploys.find(({ service }) => service === name),
  }));
}

export interface FleetHealth {
  agents: number;
  connected: number;
  /** Agents that say that they have a problem, or are gone. */
  troubled: string[];
  /** What was lost since `fromMs`, and in how many places. */
  lossPlaces: number;
  storage: string;
}

export function fleetHealth({ collector, agents, losses }: Status, fromMs: number): FleetHealth {
  const recent = losses.filter(({ last_unix_ns }) => last_unix_ns === undefined || unixMs(last_unix_ns) >= fromMs);
  const parts = { ledger: collector.ledger.state, traces: collector.segments.state };
  const broken = Object.entries(parts).filter(([, state]) => state !== 'ok');
  return {
    agents: agents.length,
    connected: agents.filter(({ connected }) => connected).length,
    troubled: agents.filter(({ connected, problem }) => !connected || problem).map(({ id }) => id),
    lossPlaces: recent.length,
    storage: broken.map(([part, state]) => `${part}: ${state === 'full' ? 'the disk is full' : 'writing failed'}`).join(', '),
  };
}

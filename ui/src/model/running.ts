// SPDX-License-Identifier: Apache-2.0
/* Where a service runs: a row for each version in a cell on a host. Pure. */
import type { VectorSample } from '../api/prom';
import { parseValue } from './chart-data';

export interface RunningRow {
  key: string;
  version: string;
  cell: string;
  host: string;
  processes: number;
  /** Cores in use, all of its processes. */
  cpu: number;
  bytes: number;
}

const keyOf = ({ metric }: VectorSample) => JSON.stringify([metric['cell'] ?? '', metric['host'] ?? '', metric['version'] ?? '']);
const valueOf = (sample: VectorSample | undefined) => (sample?.value ? parseValue(sample.value[1]) : NaN);

export function runningOf(processes: readonly VectorSample[], cpu: readonly VectorSample[], memory: readonly VectorSample[]): RunningRow[] {
  const index = (samples: readonly VectorSample[]) => new Map(samples.map((sample) => [keyOf(sample), sample]));
  const [cpus, memories] = [index(cpu), index(memory)];
  return processes
    .filter((sample) => valueOf(sample) > 0)
    .map((sample) => {
      const key = keyOf(sample);
      const { version = '', cell = '', host = '' } = sample.metric;
      return { key, version, cell, host, processes: valueOf(sample), cpu: valueOf(cpus.get(key)), bytes: valueOf(memories.get(key)) };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

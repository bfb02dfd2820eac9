// SPDX-License-Identifier: Apache-2.0
// 1,200 agents with connections, keys and seals of their own on one collector. They are simulated
// in a few programs, which take a good part of the machine itself.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { World, build, count, cpuNs, mb, residentBytes, result, table, until } from './daemons.mjs';

const agents = Number(process.env.WEFT_BENCH_AGENTS ?? 1200);
const perProgram = 200;
const seconds = Number(process.env.WEFT_BENCH_SECONDS ?? 15);

async function once(rate) {
  const world = new World();
  try {
    const keys = join(world.directory, 'keys');
    mkdirSync(keys, { mode: 0o700 });
    for (let i = 0; i < agents; i++)
      spawnSync(join(build, 'cli/weft'), ['keygen', '--keys-dir', keys, `sim-${String(i).padStart(4, '0')}`]);
    const collector = await world.collector([`--keys-dir=${keys}`]);
    const cpu = cpuNs(collector);
    const programs = [];
    for (let first = 0; first < agents; first += perProgram) {
      const some = Math.min(perProgram, agents - first);
      programs.push(world.start('bench/bench_agents', [first, some, (rate * some) / agents, seconds,
                                                       world.link, world.control, keys]));
    }
    const parts = await Promise.all(programs.map(result));
    const sum = (field) => parts.reduce((total, part) => total + part[field], 0);
    const worst = (field) => Math.max(...parts.map((part) => part[field]));
    const status = await until('the head', async () => world.status());
    const spans = status.collector.accepted.spans;
    return [count(agents), count(rate), count(spans / seconds), count(sum('batches_sent') - sum('accepted')),
            count(sum('late')), worst('ack_p50_ms').toFixed(1), worst('ack_p99_ms').toFixed(1),
            ((cpuNs(collector) - cpu) / spans).toFixed(0), mb(residentBytes(collector).own)];
  } finally {
    await world.close();
  }
}

table([['agents', 'spans/s asked', 'accepted', 'unanswered', 'late', 'ack p50 ms', 'p99 ms', 'collector ns/span', 'its memory'],
       await once(60000), await once(240000)]);

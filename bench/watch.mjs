// SPDX-License-Identifier: Apache-2.0
// What it costs to watch processes that do not record: the real weft-agent with a rule that finds
// them, and beside it collectd's "processes" plugin, which sums up those of a name. Both look each second.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { World, count, cpuNs, median, residentBytes, sleep, table, until } from './daemons.mjs';

const rounds = Number(process.env.WEFT_BENCH_ROUNDS ?? 3);
const seconds = Number(process.env.WEFT_BENCH_SECONDS ?? 10);
const collectd = '/usr/sbin/collectd';

// `many` processes that sleep, below a shell that ends them when its input does.
async function sleepers(many) {
  const shell = spawn('sh', ['-c', `pids= i=0; while [ $i -lt ${many} ]; do sleep 3600 & pids="$pids $!"; i=$((i + 1)); done; echo; read end; [ -z "$pids" ] || kill $pids`],
                      { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((begun) => shell.stdout.once('data', begun));
  return { end: () => new Promise((done) => { shell.once('close', done); shell.stdin.end(); }) };
}

async function measured(child) {
  const before = cpuNs(child);
  const began = process.hrtime.bigint();
  await sleep(seconds * 1000);
  return { share: (cpuNs(child) - before) / Number(process.hrtime.bigint() - began), memory: residentBytes(child).own };
}

async function agent(world, many) {
  const rules = join(world.directory, 'processes.yaml');
  writeFileSync(rules, '- executable: sleep\n  service: sleepers\n');
  const child = await world.agent([`--processes=${rules}`]);
  await until('all are found', async () => (await child.metrics()).watched_processes >= many);
  return child;
}

async function collectdOf(world) {
  const config = join(world.directory, 'collectd.conf');
  writeFileSync(config, `BaseDir "${world.directory}"
PIDFile "${world.directory}/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
PluginDir "/usr/lib/collectd"
Interval 1
LoadPlugin processes
LoadPlugin csv
<Plugin csv>
  DataDir "${world.directory}/csv"
</Plugin>
<Plugin processes>
  Process "sleep"
</Plugin>
`);
  const child = world.start(collectd, ['-f', '-C', config], { LC_ALL: 'C' });
  await until('collectd has written', async () => existsSync(join(world.directory, 'csv')));
  return child;
}

async function once(many, start) {
  const world = new World();
  const crowd = await sleepers(many);
  try {
    return await measured(await start(world, many));
  } finally {
    await world.close();
    await crowd.end();
  }
}

const rows = [['watched processes', 'of a core', 'a process and second', 'memory', 'collectd: of a core', 'of ours']];
for (const many of [0, 200, 2000]) {
  const ours = [], theirs = [];
  for (let i = 0; i < rounds; i++) {
    ours.push(await once(many, agent));
    if (existsSync(collectd)) theirs.push(await once(many, collectdOf));
  }
  const share = median(ours.map((run) => run.share));
  const peer = theirs.length ? median(theirs.map((run) => run.share)) : NaN;
  rows.push([count(many), `${(share * 100).toFixed(2)} %`, many ? `${((share * 1e6) / many).toFixed(1)} µs` : '',
             `${(median(ours.map((run) => run.memory)) / 1e6).toFixed(1)} MB`,
             ...(theirs.length ? [`${(peer * 100).toFixed(2)} %`, `${(peer / share).toFixed(1)}×`] : ['not installed', ''])]);
}
table(rows);

// SPDX-License-Identifier: Apache-2.0
// What watching caches costs: a real Redis and a real memcached under as much load as one client program makes,
// with the tap, without, and with tcpdump counting the same packets.
//
// $WEFT_BENCH_ROUNDS (5) repeats each, in turn; figures are medians.
import { spawnSync } from 'node:child_process';
import { World, count, cpuNs, freePort, median, result, sleep, table, until } from './daemons.mjs';

const rounds = Number(process.env.WEFT_BENCH_ROUNDS ?? 5);

const loads = [
  { name: 'Redis, one command at a time', server: 'redis', commands: 200_000, args: ['-c', '50', '-P', '1'] },
  { name: 'Redis, 16 in a pipeline', server: 'redis', commands: 1_000_000, args: ['-c', '50', '-P', '16'] },
  { name: 'Redis, values of 4 KB', server: 'redis', commands: 200_000, args: ['-c', '50', '-P', '1', '-d', '4096'] },
  { name: 'memcached, one at a time', server: 'memcached', commands: 200_000, args: ['1'] },
  { name: 'memcached, 50 keys a get', server: 'memcached', commands: 40_000, args: ['50'] },
];

async function start(world, server) {
  const port = await freePort();
  if (server === 'redis')
    world.start('/usr/bin/redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', world.directory].map(String));
  else world.start('/usr/bin/memcached', ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-u', 'nobody', '-t', '1']);
  await until(server, async () => spawnSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`]).status === 0);
  return port;
}

// One run of the client: commands a second, and the latency that it saw.
async function drive(world, load, port) {
  if (load.server === 'memcached') return result(world.start('bench/bench_tap_client', [String(port), String(load.commands), ...load.args]));
  const child = world.start('/usr/bin/redis-benchmark', ['-p', String(port), '-n', String(load.commands), '-r', '100000', '-t', 'get', '--csv', ...load.args]);
  await child.ended;
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
  const [, rps, , , p50, , p99] = child.output.trim().split('\n').pop().split(',').map((cell) => Number(cell.replaceAll('"', '')));
  return { perSecond: rps, p50, p99 };
}

const watchers = {
  nobody: async () => ({ child: null }),
  async tap(world, load, port) {
    const child = world.start('agent/weft-tap', ['--interfaces=lo', `--directory=${world.slabs}`,
      `--${load.server}=${port}`, `--${load.server === 'redis' ? 'memcached' : 'redis'}=`]);
    await until('the tap', async () => child.log.includes('tapping'));
    return { child };
  },
  async tcpdump(world, load, port) {
    const child = world.start('/usr/bin/tcpdump', ['-i', 'lo', '-n', '-w', '/dev/null', '-B', '32768', `tcp port ${port}`]);
    await until('tcpdump', async () => child.log.includes('listening on'));
    return { child };
  },
};

async function once(load, watcher) {
  const world = new World();
  try {
    const port = await start(world, load.server);
    const { child } = await watchers[watcher](world, load, port);
    const before = child ? cpuNs(child) : 0;
    const seen = await drive(world, load, port);
    await sleep(200); // the last packets wait in the kernel for ten milliseconds
    const cpu = child ? (cpuNs(child) - before) / load.commands : 0;
    if (child) {
      child.kill('SIGTERM');
      await child.ended;
    }
    const dropped = /(\d+) packets dropped by kernel/.exec(child?.log ?? '')?.[1] ?? /dropped (\d+)/.exec(child?.log ?? '')?.[1];
    return { ...seen, cpu, dropped: Number(dropped ?? 0) };
  } finally {
    await world.close();
  }
}

const rows = [['', 'commands/s', 'watched by the tap', 'by tcpdump', 'tap, ns a command', 'tcpdump', 'dropped', 'p50 ms, without and with', 'p99']];
for (const load of loads) {
  const runs = { nobody: [], tap: [], tcpdump: [] };
  for (let i = 0; i < rounds; i++) for (const watcher of Object.keys(runs)) runs[watcher].push(await once(load, watcher));
  const of = (watcher, what) => median(runs[watcher].map((run) => run[what]));
  rows.push([load.name, count(of('nobody', 'perSecond')), count(of('tap', 'perSecond')), count(of('tcpdump', 'perSecond')),
    count(of('tap', 'cpu')), count(of('tcpdump', 'cpu')), `${of('tap', 'dropped')} / ${of('tcpdump', 'dropped')}`,
    `${of('nobody', 'p50').toFixed(3)} / ${of('tap', 'p50').toFixed(3)}`, `${of('nobody', 'p99').toFixed(3)} / ${of('tap', 'p99').toFixed(3)}`]);
}
console.log(`medians of ${rounds} rounds; "dropped": packets, by the tap / by tcpdump\n`);
table(rows);

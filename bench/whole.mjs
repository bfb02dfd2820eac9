// SPDX-License-Identifier: Apache-2.0
// Services, agent and collector together on this machine: the highest rate without a loss, how
// fresh spans are, what memory does over time, what recording costs a service that works.
//
//     node bench/whole.mjs [rates] [cost] [memory]
import { World, count, cpuNs, mb, median, residentBytes, result, sleep, table, until } from './daemons.mjs';

const seconds = Number(process.env.WEFT_BENCH_SECONDS ?? 8);
const minutes = Number(process.env.WEFT_BENCH_MINUTES ?? 10);

async function withWorld(use) {
  const world = new World();
  try {
    const collector = await world.collector();
    const agent = await world.agent();
    return await use(world, collector, agent);
  } finally {
    await world.close();
  }
}

// One rate for some seconds: what was recorded, accepted, lost, and how fresh it was.
const atRate = (workload, rate) => withWorld(async (world, collector, agent) => {
  const cpu = [cpuNs(collector), cpuNs(agent)];
  const recorded = await result(world.start('bench/bench_record_service', [workload, rate, seconds, 2]));
  const expected = recorded.spans - recorded.ring_full;
  const status = await until('all spans at the collector', async () => {
    const now = await world.status();
    return now.collector.accepted.spans >= expected && now;
  }, 60000);
  return {
    rate: recorded.spans / seconds,
    lost: recorded.ring_full + recorded.no_slot + (expected - status.collector.accepted.spans),
    p50: status.freshness.p50_ns / 1e6,
    p99: status.freshness.p99_ns / 1e6,
    service: recorded.cpu_ns / recorded.spans,
    collector: (cpuNs(collector) - cpu[0]) / recorded.spans,
    agent: (cpuNs(agent) - cpu[1]) / recorded.spans,
  };
});

// Rising rates, each up to three times, until none of the three runs was without a loss: other
// users of a shared machine take the processor away for longer than a ring holds. The row shows
// the best run, and how many it took.
async function ceiling(workload, rates) {
  const rows = [];
  for (const rate of rates) {
    let best;
    let runs = 0;
    while (runs < 3 && !(best?.lost === 0)) {
      const run = await atRate(workload, rate);
      if (!best || run.lost < best.lost) best = run;
      runs++;
    }
    rows.push([`${workload} ${count(rate)}/s`, count(best.rate), count(best.lost), runs, best.p50.toFixed(0),
               best.p99.toFixed(0), best.service.toFixed(0), best.agent.toFixed(0), best.collector.toFixed(0)]);
    if (best.lost > 0) break;
  }
  return rows;
}

// CPU of a service that does 20 µs of work a trace, with recording on and off, in turn.
async function serviceCost() {
  const runs = { on: [], off: [] };
  for (let i = 0; i < 5; i++)
    for (const [name, env] of [['on', {}], ['off', { WEFT_OFF: '1' }]])
      runs[name].push(await withWorld(async (world) => {
        const r = await result(world.start('bench/bench_record_service', ['dashboard', 100000, 3, 1, 20000], env));
        return r.cpu_ns / r.spans;
      }));
  return [median(runs.on), median(runs.off)];
}

// Memory at a steady rate, sampled.
const overTime = () => withWorld(async (world, collector, agent) => {
  const rows = [['minute', 'collector own', 'collector all', 'agent own', 'agent all', 'service own', 'head']];
  const service = world.start('bench/bench_record_service', ['dashboard', 50000, minutes * 60, 2]);
  const step = minutes / 5;
  await sleep(10000);
  for (let i = 0; i <= 5; i++) {
    const [c, a, s] = [collector, agent, service].map(residentBytes);
    const status = await world.status();
    rows.push([(i * step).toFixed(1), mb(c.own), mb(c.all), mb(a.own), mb(a.all), mb(s.own),
               mb(status.collector.head.bytes)]);
    if (i < 5) await sleep((step * 60000) - (i === 4 ? 15000 : 0));
  }
  service.kill('SIGKILL');
  return rows;
});

const parts = process.argv.length > 2 ? process.argv.slice(2) : ['rates', 'cost', 'memory'];
console.log(`services, agent and collector on one machine, ${seconds} s each\n`);
if (parts.includes('rates'))
  table([['rate', 'spans/s', 'lost', 'runs', 'fresh p50 ms', 'p99 ms', 'service ns/span', 'agent', 'collector'],
         ...await ceiling('dashboard', [50000, 100000, 200000, 400000, 600000, 800000, 1000000, 1200000, 1500000]),
         ...await ceiling('eleven', [50000, 100000, 200000, 300000, 400000, 500000, 600000])]);
if (parts.includes('cost')) {
  const [on, off] = await serviceCost();
  table([['a service with 20 µs of work a trace', 'CPU ns/span', 'ratio'],
         ['recording on', on.toFixed(0), (on / off).toFixed(3)], ['recording off', off.toFixed(0), '1.000']]);
}
if (parts.includes('memory') && minutes > 0) table(await overTime());

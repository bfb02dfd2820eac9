// SPDX-License-Identifier: Apache-2.0
// What a span costs the agent, from the slab to its spool: CPU and bytes. The real weft-agent, a
// real service that records the workload at a steady rate, no collector.
import { World, count, cpuNs, median, result, table } from './daemons.mjs';

const rounds = Number(process.env.WEFT_BENCH_ROUNDS ?? 3);
const seconds = Number(process.env.WEFT_BENCH_SECONDS ?? 5);

async function once(workload, rate) {
  const world = new World();
  try {
    const agent = await world.agent();
    const before = await agent.metrics();
    const cpu = cpuNs(agent);
    const service = world.start('bench/bench_record_service', [workload, rate, seconds]);
    const recorded = await result(service);
    for (;;) { // until what it left is swept
      const now = await agent.metrics();
      if (now.spans_total - before.spans_total >= recorded.spans - recorded.ring_full && now.processes === 0) {
        const spans = now.spans_total - before.spans_total;
        return {
          cpu: (cpuNs(agent) - cpu) / spans,
          bytes: (now.batch_bytes_total - before.batch_bytes_total) / spans,
          rate: spans / seconds,
          lost: recorded.ring_full,
        };
      }
    }
  } finally {
    await world.close();
  }
}

const rows = [['agent, slab to spool', 'spans/s', 'CPU ns/span', 'budget', 'bytes/span', 'budget', 'lost']];
for (const workload of ['dashboard', 'eleven']) {
  for (const rate of [50000, 500000]) {
    const runs = [];
    for (let i = 0; i < rounds; i++) runs.push(await once(workload, rate));
    rows.push([workload, count(median(runs.map((r) => r.rate))), median(runs.map((r) => r.cpu)).toFixed(0), 200,
               median(runs.map((r) => r.bytes)).toFixed(1), '25',
               count(Math.max(...runs.map((r) => r.lost)))]);
  }
}
table(rows);

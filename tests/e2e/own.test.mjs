// SPDX-License-Identifier: Apache-2.0
/* What the collector and the agents say of themselves is kept as series, with no Prometheus between. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ask, parseMetrics, root, scenario, until } from './harness.mjs';

const often = ['--own-metrics=1s'];

async function series(collector, promql) {
  const answer = await collector.ask(`/api/v1/query?${new URLSearchParams({ query: promql })}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json().data.result;
}

/* The names of /metrics, as series have them. */
const names = (text) => [...new Set([...parseMetrics(text).keys()].map((key) => key.split('{')[0]))].sort();

const known = async (collector, selector) =>
  (await series(collector, `count by (__name__) (${selector})`)).map((one) => one.metric.__name__).sort();

scenario('all that /metrics of the collector say is kept as series, but for what agents tell themselves', async (world) => {
  const collector = await world.collector({ args: often });
  await world.agent(collector, { name: 'left', args: often });
  const right = { slabs: `${world.slabs}/right`, spool: path.join(world.dir, 'right'), name: 'right', args: often };
  world.run('mkdir', [right.slabs]);
  await world.agent(collector, right);
  await until('both agents tell of themselves', async () => {
    const lag = await series(collector, 'weft_agent_sweep_lag_seconds');
    return lag.map((one) => one.metric.agent).sort().join() === 'left,right';
  });
  const text = (await collector.ask('/metrics')).text;
  const expected = names(text).filter((name) => !name.startsWith('process_') && name !== 'weft_lost_total');
  await until('each is a series', async () => {
    const kept = new Set(await known(collector, '{__name__=~"weft_.*"}'));
    const missing = expected.filter((name) => !kept.has(name));
    if (missing.length > 0) throw new Error(`missing: ${missing}`);
    return true;
  });
  const [accepted, ...more] = await until('it has accepted something', async () => {
    const list = await series(collector, 'weft_collector_accepted_batches_total');
    return Number(list[0]?.value[1]) > 0 && list;
  });
  assert.deepEqual(accepted.metric, { __name__: 'weft_collector_accepted_batches_total', collector: os.hostname() });
  assert.equal(more.length, 0);
  const processes = await series(collector, 'weft_agent_processes');
  assert.deepEqual(processes.map(({ metric: { __name__, ...labels } }) => labels).sort((a, b) => (a.agent < b.agent ? -1 : 1)), [
    { agent: 'left', host: os.hostname() },
    { agent: 'right', host: os.hostname() },
  ]);
  const metadata = (await collector.ask('/api/v1/metadata?metric=weft_collector_accepted_spans_total')).json();
  assert.equal(metadata.data.weft_collector_accepted_spans_total[0].type, 'counter');
});

scenario('each metric of the collector and of an agent is in docs/operations.md', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const page = fs.readFileSync(path.join(root, 'docs/operations.md'), 'utf8');
  const all = [...names((await collector.ask('/metrics')).text), ...names((await ask(`${agent.url}/metrics`)).text)];
  assert.ok(all.length > 100);
  const missing = all.filter((name) => !page.includes(`\`${name.replace(/_(bucket|sum|count)$/, '')}`));
  assert.deepEqual(missing, []);
});

scenario("all that an agent's /metrics say is kept as series", async (world) => {
  const collector = await world.collector({ args: ['--own-metrics=0'] });
  const agent = await world.agent(collector, { args: often });
  const expected = [...(await agent.metrics()).keys()].map((key) => key.split('{')[0]);
  await until('each is a series', async () => {
    const kept = new Set(await known(collector, '{__name__=~"weft_agent_.*",agent="box"}'));
    const missing = expected.filter((name) => !kept.has(name));
    if (missing.length > 0) throw new Error(`missing: ${missing}`);
    return true;
  });
  assert.deepEqual(await known(collector, '{__name__=~"weft_collector_.*"}'), [], 'the collector was told to keep none');
});

scenario('an agent that was told so keeps nothing of itself', async (world) => {
  const collector = await world.collector({ args: often });
  await world.agent(collector, { args: ['--own-metrics=0'] });
  await until('the collector tells of itself more than once', async () =>
    Number((await series(collector, 'weft_collector_own_samples_total'))[0]?.value[1]) > 0);
  assert.deepEqual(await series(collector, 'weft_agent_sweep_lag_seconds'), []);
});

scenario('when the disk is full its own samples are dropped and counted, and come again after', async (world, t) => {
  const disk = await world.smallDisk('1m');
  if (disk.denied) return t.skip(`no small disk can be made here: ${disk.denied}`);
  const collector = await world.collector({
    within: disk.within,
    ledger: path.join(disk.path, 'ledger'),
    args: ['--ledger-segment=128K', '--ledger-limit=64M', ...often],
  });
  const agent = await world.agent(collector);
  const worker = world.worker('busy', ['--requests=0', '--rate=400', '--threads=2', '--payload=400']);
  const dropped = async () =>
    parseMetrics((await collector.ask('/metrics')).text).get('weft_collector_own_samples_dropped_total');
  await until('the ledger is full', async () => (await collector.status()).collector.ledger.state === 'full');
  const full = Date.now();
  await until('a while has passed', () => Date.now() - full > 3000);
  await worker.finish();
  disk.resize('256m');
  const some = await until('samples were dropped', dropped);
  await until('it tells again', async () => {
    const [one] = await series(collector, 'weft_collector_own_samples_dropped_total');
    return Number(one?.value[1]) >= some;
  });
  await agent.drained();
  await collector.stop();
});

scenario('a collector whose disk is full ends in good order', async (world, t) => {
  const disk = await world.smallDisk('1m');
  if (disk.denied) return t.skip(`no small disk can be made here: ${disk.denied}`);
  const collector = await world.collector({ within: disk.within, ledger: path.join(disk.path, 'ledger'), args: ['--ledger-segment=128K', ...often] });
  await world.agent(collector);
  world.worker('busy', ['--requests=0', '--rate=400', '--threads=2', '--payload=400']);
  await until('the ledger is full', async () => (await collector.status()).collector.ledger.state === 'full');
  await collector.stop();
});

scenario('a full store of series refuses new ones of its own and goes on', async (world) => {
  const collector = await world.collector({ args: ['--series-active=20', ...often] });
  await until('it refuses', async () =>
    parseMetrics((await collector.ask('/metrics')).text).get('weft_collector_refused_samples_total{reason="series_limit"}') > 100);
  const kept = await series(collector, 'count({__name__=~"weft_collector_.*"})');
  assert.equal(Number(kept[0].value[1]), 20);
  await collector.stop();
});

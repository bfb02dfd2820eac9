// SPDX-License-Identifier: Apache-2.0
/* kill -9, of each part, at moments of no choosing. Services say in a worklog that survives them
 * what they began and ended; the accountant holds that against the ledger. */
import assert from 'node:assert/strict';
import { assertComplete, assertWhole, ids, lost, scenario, sleep, until } from '../e2e/harness.mjs';

const accepted = async (collector) => (await collector.status()).collector.accepted.spans;

/* More arrives than had, by `more`: something is going on right now. */
async function underLoad(collector, more = 300) {
  const before = await accepted(collector);
  await until('spans arrive', async () => (await accepted(collector)) >= before + more);
}

scenario('a service killed in the middle of a request: its tree says died, its ended spans are whole', async (world, t) => {
  const collector = await world.collector();
  await world.agent(collector);
  const web = world.scripted('web');
  const cell = world.scripted('cell', { WEFT_CELL: 'c2' });
  const root = ids(await web.tell('begin server GET /dashboard'));
  const call = await web.tell('begin client call cell');
  await cell.tell(`from ${call} server deliver`);
  await cell.tell('begin client redis LPUSH');
  await cell.tell('int pushed 3');
  await cell.tell('end');
  const { span: open } = ids(await cell.tell('begin client memcached get'));
  await cell.tell('int key 99');
  await cell.kill();
  const killed = Date.now();
  const trace = await collector.trace(root.trace, (x) => x.died_count === 2);
  t.diagnostic(`the tree said so after ${Date.now() - killed} ms`);
  await web.tell('status error cell c2: gone');
  await web.tell('end');
  await web.tell('end');
  const whole = await collector.trace(root.trace, (x) => x.complete && x.spans.length === 5);

  const by = (name) => whole.spans.find((s) => s.name === name);
  assert.equal(by('memcached get').span_id, open);
  assert.deepEqual(['deliver', 'memcached get'].map((n) => by(n).status), ['died', 'died']);
  assert.deepEqual(by('memcached get').attributes, [{ key: 'key', type: 'int', value: 99 }]);
  assert.equal(by('redis LPUSH').status, 'unset');
  assert.deepEqual(by('redis LPUSH').attributes, [{ key: 'pushed', type: 'int', value: 3 }]);
  assert.equal(by('GET /dashboard').status, 'unset');
  const process = whole.processes[by('deliver').process];
  assert.equal(process.state, 'died');
  assert.equal(process.cell, 'c2');
  assert.ok(BigInt(process.state_unix_ns) > BigInt(process.start_unix_ns));
  assert.ok(trace.spans.every((s) => s.name !== 'redis LPUSH' || s.status === 'unset'));
  const { traces } = await collector.api('/api/v1/traces?status=died');
  assert.deepEqual(traces.map((x) => x.trace_id), [root.trace]);
  assert.deepEqual((await collector.status()).losses, []);
});

scenario('services killed under load: each span that had begun is there once', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  for (let round = 0; round < 6; round++) {
    const worker = world.worker(`victim-${round}`, ['--threads=3', '--requests=0', '--rate=400', '--payload=30']);
    await underLoad(collector, 150);
    await worker.kill();
  }
  await agent.drained();
  const account = world.account(collector.ledger);
  assertComplete(account, await collector.status());
  assert.ok(account.strangers <= account.reserved, JSON.stringify(account));
  assert.equal(account.strangers, account.strangers_died);
});

scenario('the agent killed under load: nothing is missing, nothing comes twice', async (world) => {
  const collector = await world.collector();
  let agent = await world.agent(collector);
  const workers = ['a', 'b', 'c'].map((s) => world.worker(s, ['--threads=2', '--requests=0', '--rate=500', '--payload=30']));
  for (let round = 0; round < 6; round++) {
    await underLoad(collector);
    await sleep(Math.random() * 120); /* in the middle of whatever it does */
    await agent.kill();
    agent = await agent.again();
  }
  const said = await Promise.all(workers.map((w) => w.finish()));
  await agent.drained();
  const account = world.account(collector.ledger);
  assertComplete(account, await collector.status());
  assert.equal(account.distinct, said.reduce((sum, s) => sum + s.ended, 0));
});

scenario('agent and services die together: the next agent sweeps what they left', async (world) => {
  const collector = await world.collector();
  const first = await world.agent(collector);
  const workers = ['a', 'b'].map((s) => world.worker(s, ['--threads=2', '--requests=0', '--rate=500', '--payload=30']));
  await underLoad(collector);
  await first.kill();
  await sleep(Math.random() * 100);
  await Promise.all(workers.map((w) => w.kill()));
  const agent = await first.again();
  await agent.drained();
  const account = world.account(collector.ledger);
  assertComplete(account, await collector.status());
  assert.ok(account.strangers <= account.reserved, JSON.stringify(account));
});

scenario('the collector killed in the middle of commits: what it acknowledged is there once', async (world) => {
  let collector = await world.collector();
  const agent = await world.agent(collector, { args: ['--batch-age=5ms', '--batch-bytes=8K'] });
  const workers = ['a', 'b'].map((s) => world.worker(s, ['--threads=2', '--requests=0', '--rate=700', '--payload=60']));
  let acknowledged = 0;
  for (let round = 0; round < 6; round++) {
    await underLoad(collector);
    await sleep(Math.random() * 80);
    acknowledged = (await agent.metrics()).get('weft_agent_link_acknowledged_total');
    await collector.kill();
    assert.ok(world.account(collector.ledger).batches >= acknowledged, 'each acknowledged batch is on disk');
    collector = await collector.again();
  }
  await Promise.all(workers.map((w) => w.finish()));
  await agent.drained();
  const account = world.account(collector.ledger);
  assertComplete(account, await collector.status());
  const { services } = await collector.api('/api/v1/services');
  assert.equal(services.reduce((sum, s) => sum + s.spans, 0), account.distinct, 'the head holds what the ledger does');
});

const seconds = Number(process.env.WEFT_CHAOS_SECONDS ?? 10);

scenario(`everything killed at random for ${seconds} s: each span is there once, or counted`, async (world, t) => {
  let collector = await world.collector();
  let agent = await world.agent(collector, { args: ['--batch-age=20ms', '--batch-bytes=16K'] });
  const work = (i) => world.worker(`service-${i}`, ['--threads=2', '--requests=0', '--rate=300', '--payload=40']);
  const workers = [0, 1, 2, 3].map(work);
  const deaths = { service: 0, agent: 0, collector: 0 };
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    await sleep(Math.random() * 400);
    const dice = Math.random();
    if (dice < 0.4) {
      const i = Math.floor(Math.random() * workers.length);
      await workers[i].kill();
      workers[i] = work(i);
      deaths.service++;
    } else if (dice < 0.7) {
      await agent.kill();
      agent = await agent.again();
      deaths.agent++;
    } else {
      await collector.kill();
      collector = await collector.again();
      deaths.collector++;
    }
  }
  await Promise.all(workers.map((w) => w.finish()));
  await agent.drained();
  const status = await collector.status();
  const account = world.account(collector.ledger);
  t.diagnostic(`killed ${JSON.stringify(deaths)}; ${account.ended} spans ended, ${account.died} died, ${lost(status)} lost`);
  assertWhole(account);
  assert.equal(account.missing_ended + account.missing_begun + account.unrecorded, lost(status), JSON.stringify([account, status.losses]));
  assert.ok(account.strangers <= account.reserved, JSON.stringify(account));
});

// SPDX-License-Identifier: Apache-2.0
/* Counting: what services end is what the ledger holds, whoever comes and goes. */
import assert from 'node:assert/strict';
import { assertComplete, assertWhole, ids, lost, sanitized, scenario, sleep, until } from './harness.mjs';

/* Waits until the collector has accepted everything that ended. */
const settled = async (agent) => agent.drained();

async function spansOf(collector, service) {
  const { services } = await collector.api('/api/v1/services');
  return services.find((s) => s.name === service)?.spans ?? 0;
}

/* SOAK makes it the host with 500 processes of the design. */
const processes = process.env.WEFT_SOAK ? 500 : 60;

scenario(`${processes} short-lived processes are each recorded exactly`, async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const workers = [];
  for (let i = 0; i < processes; i++) {
    workers.push(world.worker(`short-${i}`, ['--requests=7', '--threads=2'], { WEFT_RING_BYTES: '65536' }));
    if (i % 10 === 9) await sleep(1); /* lets node see who has ended */
  }
  const said = await Promise.all(workers.map((w) => w.finish({ ask: false })));
  await settled(agent);
  for (const s of said) assert.equal(s.ended, 7 * 2 * 3, JSON.stringify(s));
  const status = await collector.status();
  assertComplete(world.account(collector.ledger), status);
  assert.equal(status.collector.accepted.spans, processes * 42);
  const { services } = await collector.api('/api/v1/services');
  assert.deepEqual(new Set(services.map((s) => s.spans)), new Set([42]));
  assert.equal(services.length, processes);
});

scenario('what was recorded before the agent started is there after it did', async (world) => {
  const collector = await world.collector();
  const early = world.worker('early', ['--requests=200', '--threads=3']);
  const said = await early.finish({ ask: false });
  const open = world.scripted('open');
  const { trace: id } = ids(await open.tell('begin server GET /early'));
  const agent = await world.agent(collector);
  await until('its spans are there', async () => (await spansOf(collector, 'early')) === said.ended);
  await collector.trace(id, (t) => t.in_flight_count === 1);
  await open.tell('end');
  await open.leave();
  await settled(agent);
  assertComplete(world.account(collector.ledger), await collector.status());
});

scenario('the agent is restarted under load and every span arrives once', async (world) => {
  const collector = await world.collector();
  let agent = await world.agent(collector);
  const workers = ['a', 'b', 'c'].map((s) => world.worker(s, ['--threads=2', '--rate=300', '--payload=40', '--requests=0']));
  for (let round = 0; round < 3; round++) {
    const before = (await collector.status()).collector.accepted.spans;
    await until('spans arrive', async () => (await collector.status()).collector.accepted.spans > before + 500);
    await agent.stop();
    agent = await agent.again();
  }
  const said = await Promise.all(workers.map((w) => w.finish()));
  await settled(agent);
  const status = await collector.status();
  const account = world.account(collector.ledger);
  assertComplete(account, status);
  const ended = said.reduce((sum, s) => sum + s.ended, 0);
  assert.equal(account.ended, ended);
  assert.equal(account.distinct, ended);
  assert.equal(status.collector.accepted.spans, ended);
});

scenario('SIGTERM drains: what services ended is acknowledged when the agent is gone', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector, { args: ['--sweep-interval=1s', '--batch-age=10s', '--drain=30s'] });
  const worker = world.worker('last', ['--requests=50']);
  const { ended } = await worker.finish({ ask: false });
  await agent.stop();
  assert.equal((await collector.status()).collector.accepted.spans, ended);
});

scenario('a restarted collector has the traces that it had', async (world) => {
  let collector = await world.collector();
  const agent = await world.agent(collector);
  const web = world.scripted('web', { WEFT_RESOURCE: 'zone=b' });
  const { trace: id } = ids(await web.tell('begin server GET /'));
  await web.tell('string key value');
  await web.tell('end');
  const worker = world.worker('bulk', ['--requests=500', '--payload=20']);
  const { ended } = await worker.finish({ ask: false });
  await until('all is accepted', async () => (await collector.status()).collector.accepted.spans === ended + 1);
  const before = await collector.trace(id);
  await collector.stop();
  collector = await collector.again();
  assert.equal(await spansOf(collector, 'bulk'), ended);
  assert.deepEqual((await collector.trace(id)).spans, before.spans);
  await web.tell('begin server GET /again');
  await web.tell('end');
  await until('it goes on', async () => (await spansOf(collector, 'web')) === 2);
  await web.leave();
  await settled(agent);
  assertWhole(world.account(collector.ledger));
});

scenario('recording goes off and on by the API, for one service', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const web = world.scripted('web');
  const cell = world.scripted('cell');
  const records = async (service) => {
    const answer = await service.tell('begin internal probe');
    if (answer !== '-') await service.tell('end');
    return answer !== '-';
  };
  await until('both record', async () => (await records(web)) && (await records(cell)));
  await until('the agent is connected', async () => (await collector.status()).agents[0]?.connected);
  assert.deepEqual(await collector.switchRecording('cell', false), { agents: 1 });
  await until('cell does not', async () => !(await records(cell)));
  assert.ok(await records(web));
  const late = world.scripted('cell');
  await late.tell('begin internal first');
  await until('one that starts later does not either', async () => !(await records(late)));
  await collector.switchRecording('cell', true);
  await until('cell does again', async () => (await records(cell)) && (await records(late)));
  await agent.stop();
});

scenario('what a process lost in its last moments is told after its end', async (world) => {
  const collector = await world.collector();
  const greedy = world.worker('greedy', ['--requests=2000', '--payload=100'], { WEFT_RING_BYTES: '65536' });
  const said = await greedy.finish({ ask: false });
  assert.ok(said.ring_full > 0, 'without an agent the ring fills');
  const agent = await world.agent(collector);
  await settled(agent);
  const status = await until('the loss is told', async () => {
    const s = await collector.status();
    return lost(s) > 0 && s;
  });
  const account = world.account(collector.ledger);
  assertWhole(account);
  assert.equal(lost(status, 'ring_full'), said.ring_full);
  assert.equal(account.missing_ended, said.ring_full);
  const row = status.losses.find((l) => l.reason === 'ring_full');
  assert.deepEqual([row.place, row.agent, row.service], ['service', 'box', 'greedy']);
});

scenario('under more than the rings hold, every span is recorded or counted', { skip: sanitized && 'no load under a sanitizer' }, async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const worker = world.worker('flat-out', ['--threads=2', '--requests=0', '--capacity=300000'], { WEFT_RING_BYTES: '65536' });
  const said = await worker.finish({ ask: false });
  await settled(agent);
  const status = await until('losses are told', async () => {
    const s = await collector.status();
    return lost(s) === said.ring_full + said.unrecorded && s;
  });
  const account = world.account(collector.ledger);
  assertWhole(account);
  assert.equal(account.missing_ended, said.ring_full, JSON.stringify([account, status.losses]));
});

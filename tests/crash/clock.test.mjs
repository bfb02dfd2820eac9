// SPDX-License-Identifier: Apache-2.0
/* Hosts whose wall clock is wrong: programs/clock_shift.c stands between them and the time. */
import assert from 'node:assert/strict';
import { assertComplete, scenario, until } from '../e2e/harness.mjs';

const shifted = (world, seconds) => world.preload('clock_shift', { CLOCK_SHIFT_S: String(seconds) });
const hour = 3600;

for (const [how, seconds] of [['an hour ahead', hour], ['a day behind', -24 * hour]])
  scenario(`a host whose clock is ${how} is reported with its skew and loses nothing`, async (world) => {
    const collector = await world.collector();
    const agent = await world.agent(collector, { env: shifted(world, seconds) });
    const worker = world.worker('elsewhen', ['--requests=100'], shifted(world, seconds));
    const { ended } = await worker.finish({ ask: false });
    await agent.drained();
    const skew = await until('the skew is told', async () => {
      const [a] = (await collector.status()).agents;
      return a && Math.abs(a.clock_skew_ns) > 1e9 && a.clock_skew_ns / 1e9;
    });
    assert.ok(Math.abs(skew + seconds) < 30, `${skew} s: the collector's clock less the agent's`);
    const account = world.account(collector.ledger);
    assertComplete(account, await collector.status());
    assert.equal(account.distinct, ended);
  });

scenario('a clock that is set back between runs of the agent costs nothing', async (world) => {
  const collector = await world.collector();
  let ended = 0;
  const run = async (seconds, requests) => {
    const agent = await world.agent(collector, { env: shifted(world, seconds) });
    if (requests) ended += (await world.worker('steady', [`--requests=${requests}`], shifted(world, seconds)).finish({ ask: false })).ended;
    await agent.drained();
    await agent.stop();
  };
  await run(0, 100);
  await run(0, 0); /* nothing waits in the spool any more, and nothing new came */
  await run(0, 0);
  await run(-hour, 100);
  await run(-2 * hour, 100);
  const account = world.account(collector.ledger);
  assertComplete(account, await collector.status());
  assert.equal(account.distinct, ended);
});

scenario('a clock that jumps under a running agent costs nothing', async (world) => {
  const collector = await world.collector();
  const first = await world.agent(collector, { env: shifted(world, 2 * hour) });
  const worker = world.worker('steady', ['--requests=0', '--rate=200']);
  await until('spans arrive', async () => (await collector.status()).collector.accepted.spans > 300);
  await first.kill();
  const agent = await world.agent(collector, { env: shifted(world, -hour) });
  await until('more arrive', async () => (await collector.status()).collector.accepted.spans > 600);
  await worker.finish();
  await agent.drained();
  assertComplete(world.account(collector.ledger), await collector.status());
});

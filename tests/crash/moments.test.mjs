// SPDX-License-Identifier: Apache-2.0
/* kill -9 exactly where something is committed (programs/die_at.c), before, in the middle and
 * after: the moments that a kill at random hardly ever meets. */
import assert from 'node:assert/strict';
import { assertComplete, scenario, until } from '../e2e/harness.mjs';

const steady = ['--threads=2', '--requests=0', '--rate=300', '--payload=60'];
const accepted = async (collector) => (await collector.status()).collector.accepted.spans;
const gone = (daemon) => until(`${daemon.name} dies`, () => daemon.result?.signal === 'SIGKILL');

for (const moment of ['pwritev .spool 5 before', 'pwritev .spool 5 half', 'pwritev .spool 5 after', 'pwritev .spool 6 after'])
  scenario(`the agent dies at "${moment}": each span once`, async (world) => {
    const collector = await world.collector();
    const first = await world.agent(collector, { env: world.preload('die_at', { DIE_AT: moment }) });
    const workers = ['a', 'b'].map((s) => world.worker(s, steady));
    await gone(first);
    await workers[0].kill();
    const agent = await world.agent(collector);
    const before = await accepted(collector);
    await until('it goes on', async () => (await accepted(collector)) > before + 100);
    await workers[1].finish();
    await agent.drained();
    const account = world.account(collector.ledger);
    assertComplete(account, await collector.status());
    assert.ok(account.strangers <= account.reserved, JSON.stringify(account));
  });

for (const moment of ['pwritev .spool 2 before', 'pwritev .spool 2 after', 'pwritev .spool 3 after', 'pwritev .spool 4 half', 'pwritev .spool 5 after'])
  scenario(`the agent dies at "${moment}" in a round of statistics of several batches: each count once`, async (world) => {
    const collector = await world.collector();
    const services = Array.from({ length: 8 }, (_, i) => world.scripted(`busy${i}`));
    const metrics = Array.from({ length: 250 }, (_, i) => `busy_${i}_total`);
    await Promise.all(services.map(async (service) => {
      for (const metric of metrics) assert.equal(await service.tell(`count ${metric} 3`), 'ok');
    }));
    const args = ['--batch-bytes=4096'];
    await gone(await world.agent(collector, { args, env: world.preload('die_at', { DIE_AT: moment }) }));
    const agent = await world.agent(collector, { args });
    await Promise.all(services.map((service) => service.leave()));
    await agent.drained();
    const sum = encodeURIComponent('sum({__name__=~"busy_.*"}) or vector(0)');
    const counted = async () => Number((await collector.api(`/api/v1/query?query=${sum}`)).data.result[0].value[1]);
    await until('all is counted', async () => (await counted()) >= 3 * services.length * metrics.length);
    assert.equal(await counted(), 3 * services.length * metrics.length);
  });

for (const moment of ['pwritev .ledger 6 before', 'pwritev .ledger 6 half', 'pwritev .ledger 6 after', 'fdatasync .ledger 6 before', 'fdatasync .ledger 6 after'])
  scenario(`the collector dies at "${moment}": each span once`, async (world) => {
    const first = await world.collector({ env: world.preload('die_at', { DIE_AT: moment }) });
    const agent = await world.agent(first);
    const worker = world.worker('steady', steady);
    await gone(first);
    const collector = await world.collector({ ports: first.ports });
    const before = await accepted(collector);
    await until('it goes on', async () => (await accepted(collector)) > before + 100);
    await worker.finish();
    await agent.drained();
    assertComplete(world.account(collector.ledger), await collector.status());
    const { services } = await collector.api('/api/v1/services');
    const account = world.account(collector.ledger);
    assert.equal(services[0].spans, account.distinct, 'the head holds what the ledger does');
  });

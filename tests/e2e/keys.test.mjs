// SPDX-License-Identifier: Apache-2.0
/* The link between agent and collector: sealed, and clear about what is wrong with it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { assertComplete, build, freePort, scenario, until } from './harness.mjs';

const weft = path.join(build, 'cli/weft');

/* Makes an agent's key in a directory of this world; the file's path. */
function keygen(world, directory, agent = 'box') {
  const at = path.join(world.dir, directory);
  world.run(weft, ['keygen', '--keys-dir', at, agent]);
  return path.join(at, `${agent}.key`);
}

const accepted = async (collector) => (await collector.status()).collector.accepted.spans;

/* Passes bytes on between agents and the collector and keeps a copy. */
async function wiretap(to) {
  const seen = [];
  const port = await freePort();
  const server = net.createServer((near) => {
    const far = net.connect(to, '127.0.0.1');
    near.on('data', (bytes) => seen.push(bytes));
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return { port, text: () => Buffer.concat(seen).toString('latin1'), close: () => server.close() };
}

scenario('with keys the link works, and nothing of a span can be read on it', async (world) => {
  const key = keygen(world, 'keys');
  assert.equal(fs.statSync(key).mode & 0o777, 0o600);
  const collector = await world.collector({ args: [`--keys-dir=${path.dirname(key)}`] });
  const tap = await wiretap(collector.ports.link);
  try {
    const agent = await world.agent({ ports: { ...collector.ports, link: tap.port } }, { args: [`--key-file=${key}`] });
    const web = world.scripted('very-secret-service');
    await web.tell('begin server very-secret-name');
    await web.tell('end');
    await web.leave();
    await agent.drained();
    assert.equal(await accepted(collector), 1);
    assert.ok(tap.text().length > 100);
    assert.ok(!tap.text().includes('very-secret'));
    const { services } = await collector.api('/api/v1/services');
    assert.equal(services[0].name, 'very-secret-service');
    assert.ok(!fs.readFileSync(path.join(agent.spool, fs.readdirSync(agent.spool).find((f) => f.endsWith('.spool')))).includes('very-secret'));
  } finally {
    tap.close();
  }
});

scenario('an agent whom the collector does not know says what to do, and loses nothing until it is done', async (world) => {
  const key = keygen(world, 'mine');
  const keys = path.join(world.dir, 'keys');
  fs.mkdirSync(keys, { mode: 0o700 });
  const collector = await world.collector({ args: [`--keys-dir=${keys}`] });
  const agent = await world.agent(collector, { args: [`--key-file=${key}`] });
  const worker = world.worker('early', ['--requests=100']);
  const { ended } = await worker.finish({ ask: false });
  await agent.says(/the collector does not know agent box: copy .*box\.key to its keys directory as box\.key/);
  await until('batches wait', async () => (await agent.metrics()).get('weft_agent_spool_batches') > 0);
  assert.equal(await accepted(collector), 0);
  fs.copyFileSync(key, path.join(keys, 'box.key'));
  fs.chmodSync(path.join(keys, 'box.key'), 0o600);
  await until('they arrive', async () => (await accepted(collector)) === ended);
  await agent.drained();
  assertComplete(world.account(collector.ledger), await collector.status());
});

scenario('an agent with another key than the collector says so, and loses nothing until it is mended', async (world) => {
  const mine = keygen(world, 'mine');
  const theirs = keygen(world, 'keys');
  const collector = await world.collector({ args: [`--keys-dir=${path.dirname(theirs)}`] });
  const agent = await world.agent(collector, { args: [`--key-file=${mine}`] });
  const worker = world.worker('early', ['--requests=100']);
  const { ended } = await worker.finish({ ask: false });
  await agent.says(/the collector has another key for agent box/);
  const refused = await until('the collector counts it', async () => (await collector.ask('/metrics')).text.match(/link_refused_total\{reason="bad_key"\} (\d+)/));
  assert.ok(Number(refused[1]) >= 0);
  assert.equal(await accepted(collector), 0);
  fs.copyFileSync(mine, theirs);
  await until('they arrive', async () => (await accepted(collector)) === ended);
  await agent.drained();
  assertComplete(world.account(collector.ledger), await collector.status());
});

scenario('without a key an agent gets nowhere where the collector has keys', async (world) => {
  const keys = path.dirname(keygen(world, 'keys'));
  const collector = await world.collector({ args: [`--keys-dir=${keys}`] });
  const agent = await world.agent(collector);
  await world.worker('early', ['--requests=10']).finish({ ask: false });
  await agent.says(/warn .*key/);
  await until('batches wait', async () => (await agent.metrics()).get('weft_agent_spool_batches') > 0);
  assert.equal(await accepted(collector), 0);
});

scenario('a key that others may read, or that is none, is refused', async (world) => {
  const key = keygen(world, 'mine');
  const start = () => spawnSync(path.join(build, 'agent/weft-agent'), [
    `--directory=${world.slabs}`, '--agent=box', `--spool=${path.join(world.dir, 'spool')}`, `--key-file=${key}`, '--http=',
  ], { encoding: 'utf8', timeout: 60_000 });
  fs.chmodSync(key, 0o644);
  const open = start();
  assert.notEqual(open.status, 0);
  assert.match(open.stderr, /others may use this key .*chmod 600/);
  fs.chmodSync(key, 0o600);
  fs.writeFileSync(key, 'no key\n');
  const none = start();
  assert.notEqual(none.status, 0);
  assert.match(none.stderr, /box\.key/);
});

scenario('without keys neither side speaks to another host', async (world) => {
  const agent = spawnSync(path.join(build, 'agent/weft-agent'), [
    `--directory=${world.slabs}`, '--agent=box', `--spool=${path.join(world.dir, 'spool')}`, '--collector=tcp://192.0.2.1:4042', '--http=',
  ], { encoding: 'utf8', timeout: 60_000 });
  assert.notEqual(agent.status, 0);
  assert.match(agent.stderr, /beyond this host.*weft keygen/);
  const collector = spawnSync(path.join(build, 'collector/weft-collector'), [
    '--http=127.0.0.1:0', '--link=tcp://0.0.0.0:4042', `--ledger-dir=${path.join(world.dir, 'ledger')}`,
  ], { encoding: 'utf8', timeout: 60_000 });
  assert.notEqual(collector.status, 0);
  assert.match(collector.stderr, /beyond this host.*weft keygen/);
});

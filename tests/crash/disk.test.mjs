// SPDX-License-Identifier: Apache-2.0
/* Disks that are full for a while, and a collector that stops reading. A small disk is a tmpfs in
 * a mount namespace of its own. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { assertComplete, assertWhole, lost, scenario, until } from '../e2e/harness.mjs';

const incompressible = ['--requests=0', '--rate=400', '--threads=2', '--payload=400'];

scenario("the ledger's disk is full: agents keep their batches, and all arrive when there is room", async (world, t) => {
  const disk = await world.smallDisk('1m');
  if (disk.denied) return t.skip(`no small disk can be made here: ${disk.denied}`);
  const collector = await world.collector({
    within: disk.within,
    ledger: path.join(disk.path, 'ledger'),
    args: ['--ledger-segment=128K'],
  });
  const agent = await world.agent(collector);
  const worker = world.worker('busy', incompressible);
  const full = await until('the ledger is full', async () => {
    const { ledger } = (await collector.status()).collector;
    return ledger.state === 'full' && ledger;
  });
  assert.match(full.error, /No space left/);
  const ready = await collector.ask('/readyz');
  assert.equal(ready.status, 503);
  assert.match(ready.json().error, /full/);
  assert.equal((await collector.ask('/healthz')).status, 200);
  await until('batches wait in the spool', async () => (await agent.metrics()).get('weft_agent_spool_batches') > 10);
  await collector.trace((await collector.api('/api/v1/traces?limit=1')).traces[0].trace_id);

  disk.resize('256m');
  await until('it is ready again', async () => (await collector.ask('/readyz')).status === 200);
  await worker.finish();
  await agent.drained();
  assertComplete(world.account(collector.ledger, { within: disk.within }), await collector.status());
  await collector.stop();
});

scenario("the spool's disk is full: rings hold what they can, and what they cannot is counted", async (world, t) => {
  const disk = await world.smallDisk('256k');
  if (disk.denied) return t.skip(`no small disk can be made here: ${disk.denied}`);
  let collector = await world.collector();
  await collector.stop();
  const agent = await world.agent(collector, { within: disk.within, spool: path.join(disk.path, 'spool') });
  const patient = world.worker('patient', ['--requests=0', '--rate=50', '--payload=400']);
  const greedy = world.worker('greedy', ['--requests=4000', '--payload=400'], { WEFT_RING_BYTES: '65536' });
  await until('the spool refuses', async () => (await agent.metrics()).get('weft_agent_spool_errors_total') > 2);
  await greedy.finish({ ask: false });

  disk.resize('256m');
  collector = await collector.again();
  const { ring_full: quiet } = await patient.finish();
  assert.equal(quiet, 0, 'a ring that has room loses nothing');
  await agent.drained();
  const status = await collector.status();
  const account = world.account(collector.ledger);
  assertWhole(account);
  assert.ok(account.missing_ended > 0, 'the greedy one lost some');
  assert.equal(account.missing_ended, lost(status, 'ring_full'), JSON.stringify([account, status.losses]));
  assert.equal(lost(status), lost(status, 'ring_full'));
  await agent.stop();
});

scenario('a collector that stops reading: the spool grows to its limit, the oldest go, counted; the rest arrives', async (world) => {
  const limit = 2 << 20;
  const collector = await world.collector();
  const agent = await world.agent(collector, { args: [`--spool-limit=${limit}`, '--in-flight=4'] });
  const worker = world.worker('steady', ['--requests=0', '--rate=800', '--threads=2', '--payload=800']);
  await until('spans arrive', async () => (await collector.status()).collector.accepted.spans > 100);
  collector.signal('SIGSTOP');
  await until('the spool passes its limit', async () =>
    (await agent.metrics()).get('weft_agent_lost_total{place="spool",reason="spool_full"}') > 2000);
  const bytes = fs.readdirSync(agent.spool).reduce((sum, f) => sum + fs.statSync(path.join(agent.spool, f)).size, 0);
  assert.ok(bytes <= limit + (2 << 20), `${bytes} bytes in the spool: its limit and at most a segment more`);
  collector.signal('SIGCONT');
  await worker.finish();
  await agent.drained();
  await until('the loss is told', async () => lost(await collector.status(), 'spool_full') > 0);
  const metrics = await agent.metrics();
  const counted = metrics.get('weft_agent_lost_total{place="spool",reason="spool_full"}');
  const status = await until('all of the loss is told', async () => {
    const s = await collector.status();
    return lost(s) === counted && s;
  });
  const account = world.account(collector.ledger);
  assertWhole(account);
  assert.ok(account.missing_ended > 0);
  /* Batches that were on the way when they were dropped may still arrive. */
  assert.ok(account.missing_ended + account.missing_begun <= counted, JSON.stringify([account, status.losses]));
});

scenario("the marks' disk is full: all else goes on, and a death of that time is a mark later, after a kill -9 too", async (world, t) => {
  const disk = await world.smallDisk('1m');
  if (disk.denied) return t.skip(`no small disk can be made here: ${disk.denied}`);
  const collector = await world.collector({ within: disk.within, args: [`--marks-dir=${path.join(disk.path, 'marks')}`] });
  const agent = await world.agent(collector);
  const fill = path.join(disk.path, 'fill');
  const state = async (c) => (await c.status()).collector.marks;
  const dies = async (service) => {
    const web = world.scripted(service);
    await web.tell('begin server GET /dashboard');
    await web.kill();
  };
  const deaths = async (c) => (await c.api('/api/v1/marks?kind=death')).marks.map((m) => `${m.service} ${m.count}`).sort();

  world.run('sh', ['-c', `cat /dev/zero > ${fill}; true`], { within: disk.within });
  await dies('first');
  const failing = await until('marks cannot be written', async () => {
    const marks = await state(collector);
    return marks.state === 'failed' && marks.waiting > 0 && marks;
  });
  assert.match(failing.error, /full|I\/O/);
  assert.equal((await collector.ask('/readyz')).status, 200);
  await until('its span is there', async () => (await collector.api('/api/v1/traces?limit=1')).traces.length === 1);
  world.run('rm', [fill], { within: disk.within });
  await until('the death is a mark', async () => (await deaths(collector)).length === 1);
  assert.equal((await state(collector)).refused, 0);

  world.run('sh', ['-c', `cat /dev/zero > ${fill}; true`], { within: disk.within });
  await dies('second');
  await until('its death waits', async () => (await state(collector)).waiting > 0);
  await agent.drained();
  await collector.kill();
  world.run('rm', [fill], { within: disk.within });
  const again = await collector.again();
  await until('both deaths are marks', async () => (await deaths(again)).length === 2);
  assert.deepEqual(await deaths(again), ['first 1', 'second 1']);
});

const dashboard = (letter, kilobytes) =>
  JSON.stringify({ title: letter, panels: [{ title: letter, kind: 'lines', note: letter.repeat(kilobytes << 10), queries: [{ query: 'up' }] }] });
const save = (collector, body, headers = {}) =>
  collector.ask('/api/v1/dashboards/ours', { method: 'PUT', headers: { 'Content-Type': 'application/json', ...headers }, body });

scenario("the dashboards' disk is full: saving says what to do, and what was saved before is whole", async (world, t) => {
  const disk = await world.smallDisk('1m');
  if (disk.denied) return t.skip(`no small disk can be made here: ${disk.denied}`);
  const collector = await world.collector({ within: disk.within, args: [`--dashboards-dir=${path.join(disk.path, 'dashboards')}`] });
  const fill = path.join(disk.path, 'fill');
  const old = dashboard('a', 40);
  assert.equal((await save(collector, old)).status, 200);
  const read = await collector.ask('/api/v1/dashboards/ours');
  world.run('sh', ['-c', `cat /dev/zero > ${fill}; true`], { within: disk.within });
  const refused = await save(collector, dashboard('b', 80), { 'If-Match': read.headers.etag });
  assert.equal(refused.status, 507);
  assert.match(refused.json().error, /disk is full; make room and save it again/);
  const still = await collector.ask('/api/v1/dashboards/ours');
  assert.equal(still.text, old);
  assert.equal(still.headers.etag, read.headers.etag);
  assert.equal((await collector.ask('/readyz')).status, 200, 'nothing else is held up');
  world.run('rm', [fill], { within: disk.within });
  assert.equal((await save(collector, dashboard('b', 80), { 'If-Match': read.headers.etag })).status, 200);
  assert.equal((await save(collector, old, { 'If-Match': read.headers.etag })).status, 412);
  await collector.stop();
});

scenario('a collector that is killed while dashboards are saved has the old one or the new one, whole', async (world) => {
  let collector = await world.collector();
  const versions = ['a', 'b', 'c', 'd'].map((letter) => dashboard(letter, 60));
  let answered = versions[0];
  assert.equal((await save(collector, answered)).status, 200);
  for (let round = 0; round < 8; round++) {
    const sent = [];
    const writing = (async () => {
      for (let i = round; ; i++) {
        sent.push(versions[i % versions.length]);
        if ((await save(collector, sent.at(-1))).status !== 200) return;
        answered = sent.at(-1);
      }
    })().catch(() => {});
    await until('some were saved', () => sent.length > 3 + round);
    await collector.kill();
    await writing;
    collector = await collector.again();
    const { text } = await collector.ask('/api/v1/dashboards/ours');
    assert.ok(text === answered || text === sent.at(-1), `round ${round}: it is one of the last two`);
    assert.deepEqual((await collector.api('/api/v1/dashboards')).dashboards.filter(({ saved }) => saved).map(({ name }) => name), ['ours']);
  }
  await collector.stop();
});

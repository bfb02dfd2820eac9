// SPDX-License-Identifier: Apache-2.0
/* Bytes that changed on disk or in shared memory between two runs: the damage is counted, its
 * neighbours are not lost, and nobody dies of it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { assertWhole, lost, scenario, until } from '../e2e/harness.mjs';

const files = (directory, suffix) =>
  fs.readdirSync(directory).filter((f) => f.endsWith(suffix)).sort().map((f) => path.join(directory, f));

/* Turns over every bit of `length` bytes. */
function flip(file, offset, length = 1) {
  const fd = fs.openSync(file, 'r+');
  const bytes = Buffer.alloc(length);
  const n = fs.readSync(fd, bytes, 0, length, offset);
  for (let i = 0; i < n; i++) bytes[i] ^= 0xff;
  fs.writeSync(fd, bytes, 0, n, offset);
  fs.closeSync(fd);
}

/* A spool with some dozen batches in it and nobody at work. */
async function leftSpool(world) {
  const collector = await world.collector();
  await collector.stop();
  const agent = await world.agent(collector, { args: ['--batch-age=10ms', '--drain=0'] });
  const worker = world.worker('past', ['--requests=400', '--rate=400', '--payload=200', '--threads=2']);
  await worker.finish({ ask: false });
  await until('all is in the spool', async () => (await agent.metrics()).get('weft_agent_processes') === 0);
  await agent.stop();
  return { collector, agent };
}

async function shipped(world, collector, agent) {
  const next = await collector.again();
  const sweeper = await agent.again();
  await sweeper.drained();
  return { collector: next, agent: sweeper };
}

scenario('a flipped byte in the spool costs its batch, which is counted, and no other', async (world) => {
  const left = await leftSpool(world);
  const [spool] = files(left.agent.spool, '.spool');
  flip(spool, Math.floor(fs.statSync(spool).size / 2));
  const { collector } = await shipped(world, left.collector, left.agent);
  const status = await until('the damage is told', async () => {
    const s = await collector.status();
    return lost(s, 'spool_torn') > 0 && s;
  });
  assert.equal(lost(status), 1);
  const account = world.account(collector.ledger);
  assertWhole(account);
  assert.ok(account.missing_ended > 0 && account.missing_ended < account.ended / 2, JSON.stringify(account));
});

scenario('a torn end of the spool is cut off, counted, and written over', async (world) => {
  const left = await leftSpool(world);
  const spool = files(left.agent.spool, '.spool').pop();
  fs.truncateSync(spool, Math.floor(fs.statSync(spool).size * 0.88)); /* the last batches may be of samples alone */
  const worker = world.worker('after', ['--requests=50', '--payload=200']);
  await worker.finish({ ask: false });
  const { collector } = await shipped(world, left.collector, left.agent);
  const status = await until('the damage is told', async () => {
    const s = await collector.status();
    return lost(s, 'spool_torn') > 0 && s;
  });
  assert.equal(lost(status), 1);
  const account = world.account(collector.ledger);
  assertWhole(account);
  assert.ok(account.missing_ended > 0 && account.missing_ended < account.ended / 2, JSON.stringify(account));
  const { services } = await collector.api('/api/v1/services');
  assert.equal(services.find((s) => s.name === 'after').spans, 150);
});

scenario('a spool of noise is no spool: the agent says so or begins anew, and records', async (world) => {
  const collector = await world.collector();
  const spool = path.join(world.dir, 'spool');
  fs.mkdirSync(spool, { mode: 0o700 });
  const noise = Buffer.alloc(300_000);
  for (let i = 0; i < noise.length; i++) noise[i] = Math.random() * 256;
  fs.writeFileSync(path.join(spool, '00000000000000000001.spool'), noise, { mode: 0o600 });
  const agent = await world.agent(collector, { spool });
  const worker = world.worker('fresh', ['--requests=50']);
  const { ended } = await worker.finish({ ask: false });
  await agent.drained();
  const account = world.account(collector.ledger);
  assertWhole(account);
  assert.equal(account.distinct, ended);
  await until('the damage is told', async () => lost(await collector.status(), 'spool_torn') > 0);
});

/* A ledger with many batches, and its collector gone. */
async function leftLedger(world) {
  const collector = await world.collector();
  const agent = await world.agent(collector, { args: ['--batch-age=10ms'] });
  const worker = world.worker('past', ['--requests=400', '--rate=400', '--payload=200', '--threads=2']);
  await worker.finish({ ask: false });
  await agent.drained();
  await collector.stop();
  return { collector, agent };
}

async function nextWorks(world, agent, collector) {
  const worker = world.worker('after', ['--requests=50']);
  await worker.finish({ ask: false });
  await agent.drained();
  const { services } = await collector.api('/api/v1/services');
  assert.equal(services.find((s) => s.name === 'after').spans, 150);
}

scenario('a flipped byte in the ledger costs one batch, counted in bytes, and no other', async (world) => {
  const left = await leftLedger(world);
  const before = world.account(left.collector.ledger);
  const [ledger] = files(left.collector.ledger, '.ledger');
  flip(ledger, Math.floor(fs.statSync(ledger).size / 2));
  const collector = await left.collector.again();
  const first = lost(await collector.status(), 'ledger_damaged');
  assert.ok(first > 0);
  await nextWorks(world, left.agent, collector);
  await collector.stop();
  const account = world.account(collector.ledger);
  assertWhole(account);
  const stood = before.distinct + 150 - account.distinct;
  assert.ok(stood > 0 && stood < before.distinct / 4, JSON.stringify([before, account]));
  const again = await collector.again();
  assert.equal(lost(await again.status(), 'ledger_damaged'), first, 'the same damage counts once');
});

scenario("the ledger's torn end is cut off and written over", async (world) => {
  const left = await leftLedger(world);
  const ledger = files(left.collector.ledger, '.ledger').pop();
  fs.appendFileSync(ledger, Buffer.from('eafe54d1ff0000001234', 'hex')); /* half a frame's head */
  const collector = await left.collector.again();
  await nextWorks(world, left.agent, collector);
  const account = world.account(collector.ledger);
  assertWhole(account);
  assert.equal(account.missing_ended, 0, JSON.stringify(account));
});

/* Where the parts of a process file begin (docs/format/slab.md). */
function layout(slab) {
  const head = Buffer.alloc(160), fd = fs.openSync(slab, 'r');
  fs.readSync(fd, head, 0, 160, 0);
  fs.closeSync(fd);
  return { stats: Number(head.readBigUInt64LE(128)), threads: Number(head.readBigUInt64LE(144)), threadBytes: Number(head.readBigUInt64LE(152)) };
}

scenario('flipped bytes in the slabs of the dead cost what they hit, counted, and never the agent', async (world) => {
  const collector = await world.collector();
  for (let i = 0; i < 8; i++)
    await world.worker(`victim-${i}`, ['--requests=100', '--payload=50'], { WEFT_RING_BYTES: '65536' }).finish({ ask: false });
  const slabs = files(world.slabs, '.slab');
  assert.equal(slabs.length, 8);
  for (const slab of slabs.slice(1)) {
    const { size } = fs.statSync(slab);
    const { stats, threads, threadBytes } = layout(slab);
    for (let i = 0; i < 40; i++) {
      /* What lies between the first statistics and the threads is a hole. */
      const at = Math.floor(Math.random() * (stats + 200_000 + size - threads));
      flip(slab, at < stats + 200_000 ? at : at - stats - 200_000 + threads, 1 + Math.floor(Math.random() * 8));
    }
    flip(slab, threads + threadBytes - 60_000, 2_000); /* within the ring: several records, not a payload alone */
  }
  const agent = await world.agent(collector);
  const fresh = world.worker('fresh', ['--requests=50']);
  await fresh.finish({ ask: false });
  await until('the whole ones are there', async () => {
    const { services } = await collector.api('/api/v1/services');
    const spans = (name) => services.find((s) => s.name === name)?.spans;
    return spans('victim-0') === 300 && spans('fresh') === 150;
  });
  await until('the damage is told', async () => lost(await collector.status(), 'bad_record', 'bad_file') > 0);
  assert.ok(agent.alive && collector.alive);
  await agent.stop();
});

// SPDX-License-Identifier: Apache-2.0
/* Segments under kill -9 where one is cut, takes its name, takes the place of those that were merged
 * into it, or goes because there are too many (programs/die_at.c); on a full disk; and with bytes
 * that changed. Whatever happens: what was acknowledged is there once, or counted as aged. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { assertComplete, assertWhole, lost, scenario, until } from '../e2e/harness.mjs';

/* Little memory, so that segments are cut a few times in a second. */
const small = ['--memory=16M', '--traces-cut=1s'];
const busy = ['--threads=2', '--requests=0', '--rate=300', '--payload=1200'];
const accepted = async (collector) => (await collector.status()).collector.accepted.spans;
const gone = (daemon) => until(`${daemon.name} dies`, () => daemon.result?.signal === 'SIGKILL');
const directory = (world) => path.join(world.dir, 'traces');
const segments = (world) => fs.readdirSync(directory(world)).filter((f) => f.endsWith('.segment')).sort();

/* Spans as a query counts them, each once however often it is there. */
async function counted(collector) {
  const answer = await collector.api(`/api/v1/measure?q=${encodeURIComponent('{ } | count_over_time()')}`);
  assert.equal(answer.partial, false, JSON.stringify(answer));
  return answer.series.reduce((sum, s) => sum + s.values.reduce((n, v) => n + (v ?? 0), 0), 0);
}

/* The head and the segments hold all of the ledger's spans but those that were aged out, none of them
 * twice; and what was aged out is told as lost, and nothing else. */
function assertHolds(collector, { distinct }) {
  return until(`${distinct} spans, each once`, async () => {
    const before = await collector.status();
    const { head, segments } = before.collector;
    assert.equal(head.spans + segments.spans + segments.aged_spans, distinct, JSON.stringify({ head, segments }));
    assert.equal(lost(before, 'segment_aged'), segments.aged_spans);
    assert.equal(lost(before), segments.aged_spans, JSON.stringify(before.losses));
    assert.equal(await counted(collector), head.spans + segments.spans);
    return before;
  }, { withinMs: 20_000 });
}

const newest = (world) => path.join(directory(world), segments(world).pop());

/* At once: later, merging would make one of copies. */
async function assertHoldsAtStart(world, { ledger }, args) {
  const alone = await world.collector({ args }); /* no agent knows where it is */
  const { distinct } = world.account(ledger);
  const { head, segments } = (await alone.status()).collector;
  assert.equal(head.spans + segments.spans + segments.aged_spans, distinct, JSON.stringify({ head, segments }));
  await alone.stop();
}

/* The collector dies at the moment, another goes on; then all work is done. */
async function dieAndGoOn(world, moment, args) {
  const first = await world.collector({ args, env: world.preload('die_at', { DIE_AT: moment }) });
  const agent = await world.agent(first);
  const worker = world.worker('busy', busy);
  await gone(first);
  await assertHoldsAtStart(world, first, args);
  const collector = await world.collector({ args, ports: first.ports });
  const before = await accepted(collector);
  await until('it goes on', async () => (await accepted(collector)) > before + 100);
  await until('it cuts', async () => (await collector.status()).collector.segments.cuts > 0);
  await worker.finish();
  await agent.drained();
  return collector;
}

const merged = '1-00000000000000000004.segment';
for (const moment of [
  'fsync .segment.new 1 before',
  'fsync .segment.new 3 after',
  'renameat .segment 1 before',
  'renameat .segment 2 after',
  'fsync /traces 2 after',
  `fsync ${merged}.new 1 after`,
  `renameat ${merged} 1 before`,
  `renameat ${merged} 1 after`,
  'unlinkat .segment 1 before',
  'unlinkat .segment 2 after',
])
  scenario(`the collector dies at "${moment}": each span once`, async (world) => {
    const collector = await dieAndGoOn(world, moment, small);
    const account = world.account(collector.ledger);
    assertComplete(account, await collector.status());
    await assertHolds(collector, account);
    await collector.stop();
    assert.deepEqual(fs.readdirSync(directory(world)).filter((f) => f.endsWith('.new')), []);
  });

for (const moment of ['unlinkat .segment 1 before', 'unlinkat .segment 1 after', 'unlinkat .segment 3 after'])
  scenario(`the oldest segment goes and the collector dies at "${moment}": what went is counted, the rest is there once`, async (world) => {
    const collector = await dieAndGoOn(world, moment, [...small, '--traces-limit=1M']);
    const account = world.account(collector.ledger);
    assertWhole(account);
    assert.equal(account.missing_ended + account.missing_begun, 0, JSON.stringify(account));
    const status = await assertHolds(collector, account);
    assert.ok(status.collector.segments.aged_spans > 0);
    await collector.stop();
  });

scenario('the disk of the traces is full: nothing that was accepted is lost, and all goes on when there is room', async (world, t) => {
  const disk = await world.smallDisk('1m');
  if (disk.denied) return t.skip(`no small disk can be made here: ${disk.denied}`);
  const collector = await world.collector({
    within: disk.within,
    args: [...small, `--traces-dir=${path.join(disk.path, 'traces')}`],
  });
  const agent = await world.agent(collector);
  const worker = world.worker('busy', busy);
  await until('segments cannot be written', async () => (await collector.status()).collector.segments.state === 'full');
  assert.equal((await collector.ask('/healthz')).status, 200);
  await until('batches wait in the spool', async () => (await agent.metrics()).get('weft_agent_spool_batches') > 10);
  assert.ok((await counted(collector)) > 0, 'questions are answered');

  disk.resize('256m');
  await until('segments are written', async () => (await collector.status()).collector.segments.state === 'ok');
  await worker.finish();
  await agent.drained();
  const account = world.account(collector.ledger, { within: disk.within });
  assertComplete(account, await collector.status());
  await assertHolds(collector, account);
  await collector.stop();
});

/* At least two segments, and the collector gone. */
async function leftSegments(world) {
  const collector = await world.collector({ args: small });
  const agent = await world.agent(collector);
  for (;;) {
    const { cuts } = (await collector.status()).collector.segments;
    await world.worker('past', ['--requests=100', '--payload=400']).finish({ ask: false });
    await agent.drained();
    const { segments: kept } = (await until('all is on disk', async () => {
      const s = await collector.status();
      return s.collector.segments.cuts > cuts && s.collector.head.spans === 0 && s;
    })).collector;
    if (kept.count > 1) break;
  }
  await agent.stop();
  await collector.stop();
  return { collector, account: world.account(collector.ledger) };
}

function flip(file, offset) {
  const fd = fs.openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  fs.readSync(fd, byte, 0, 1, offset);
  byte[0] ^= 0xff;
  fs.writeSync(fd, byte, 0, 1, offset);
  fs.closeSync(fd);
}

for (const which of ['oldest', 'newest'])
  scenario(`a flipped byte in the footer of the ${which} segment: it is set aside and named, all others are there`, async (world) => {
    const left = await leftSegments(world);
    const file = which === 'oldest' ? path.join(directory(world), segments(world)[0]) : newest(world);
    flip(file, fs.statSync(file).size - 20);
    const collector = await left.collector.again();
    const { head, segments: kept } = (await collector.status()).collector;
    assert.equal(kept.damaged.length, 1);
    assert.ok(kept.damaged[0].file.startsWith(path.basename(file)), JSON.stringify(kept.damaged));
    assert.ok(fs.existsSync(`${file}.damaged`));
    assert.match(collector.said(), new RegExp(path.basename(file)));
    assert.ok(kept.spans > 0 && kept.spans < left.account.distinct, JSON.stringify(kept));
    /* What only the newest had is read from the ledger again. */
    assert.equal(head.spans + kept.spans === left.account.distinct, which === 'newest');
    assert.equal(await counted(collector), head.spans + kept.spans);
    await collector.stop();
  });

scenario('a flipped byte in a group of a segment: it is named, and the rest is found', async (world) => {
  const left = await leftSegments(world);
  const file = newest(world);
  flip(file, Math.floor(fs.statSync(file).size / 2));
  const collector = await left.collector.again();
  const ask = `/api/v1/search?q=${encodeURIComponent('{ span.payload != "" && span.number >= 0 }')}&limit=1000`;
  const found = await until('the damage is met', async () => {
    const answer = await collector.api(ask);
    return answer.partial && answer;
  });
  assert.equal(found.progress.damaged_units, 1);
  assert.ok(found.traces.length > 0);
  const { segments: kept } = (await until('the damage is told', async () => {
    const s = await collector.status();
    return s.collector.segments.damaged.length > 0 && s;
  })).collector;
  assert.ok(JSON.stringify(kept.damaged).includes(path.basename(file)), JSON.stringify(kept.damaged));
  await collector.stop();
});

// SPDX-License-Identifier: Apache-2.0
/* The archive on a disk that is full for a while, and killed while it writes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { parseMetrics, scenario, sleep, until } from '../e2e/harness.mjs';
import { counters, write } from '../e2e/remote_write.mjs';

const rules = 'archive:\n- record: hits:rate\n  expr: sum by (service) (rate(hits[1m]))\n';
const hour = 3600;

/* Two hours of counters that grow by 100 a second, told up to the last full minute. */
async function load(collector, services) {
  const end = Math.floor(Date.now() / 60_000) * 60;
  await write(collector, services.map((service) => counters({ __name__: 'hits', service }, end - 2 * hour, end, 15, 100)));
  await until('they can be asked for', async () => {
    const query = new URLSearchParams({ query: `count(hits{service=~"${services.join('|')}"})`, time: end });
    return (await collector.api(`/api/v1/query?${query}`)).data.result[0]?.value[1] === String(services.length);
  });
  return end;
}

const archived = async (collector) => parseMetrics((await collector.ask('/metrics')).text);

/* How many of the steps of an hour have a value, and whether each is what it should be. */
async function steps(collector, service, end) {
  const query = new URLSearchParams({ query: `hits:rate{service="${service}"}`, start: end - hour - 600, end: end - 610, step: 10 });
  const [series] = (await collector.api(`/api/v1/query_range?${query}`)).data.result;
  for (const [, value] of series?.values ?? []) assert.ok(Math.abs(Number(value) - 100) < 1e-6, `${service}: ${value}`);
  return series?.values.length ?? 0;
}

scenario("the archive's disk is full: nothing else stops, it is told, and when there is room it catches up", async (world, t) => {
  const disk = await world.smallDisk('5m');
  if (disk.denied) return t.skip(`no small disk can be made here: ${disk.denied}`);
  const plan = path.join(world.dir, 'archive.yml');
  fs.writeFileSync(plan, rules);
  const services = ['web', 'cache', 'mail', 'feed', 'push', 'auth'];
  const first = await world.collector({
    within: disk.within,
    args: ['--series-late=0', `--archive=${plan}`, `--archive-dir=${path.join(disk.path, 'archive')}`],
  });
  const end = await load(first, services);
  first.signal('SIGHUP'); /* a round at once */
  await until('it says that it cannot write', async () => (await archived(first)).get('weft_collector_archive_writable') === 0);
  const { archive } = (await first.status()).collector;
  assert.equal(archive.state, 'failed');
  assert.match(archive.error, /No space left|disk is full|cannot be written/i);
  assert.ok(archive.files > 0 && archive.files < services.length, `${archive.files} have room`);
  assert.equal((await first.ask('/readyz')).status, 200);
  await load(first, ['late']);
  const { data } = await first.api(`/api/v1/query?${new URLSearchParams({ query: 'count(hits)', time: end })}`);
  assert.equal(data.result[0].value[1], '7');

  await first.stop();
  const second = await first.again(); /* on a disk that is still full */
  await until('it fails again', async () => (await archived(second)).get('weft_collector_archive_writable') === 0);
  disk.resize('64m');
  second.signal('SIGHUP');
  await until('it is written', async () => (await archived(second)).get('weft_collector_archive_writable') === 1);
  assert.equal((await second.status()).collector.archive.files, services.length + 1);
  for (const service of services) assert.equal(await steps(second, service, end), 360, service);
  const left = world.run('ls', [path.join(disk.path, 'archive')], { within: disk.within });
  const strange = left.trim().split('\n').filter((name) => !/^[0-9a-f]{32}\.rrd$|^archive\.db(-wal|-shm)?$|^undo$/.test(name));
  assert.deepEqual(strange, [], 'nothing half made is left');
  await second.stop();
});

scenario('the collector is killed while it archives, again and again: every step is there once, as it was', async (world) => {
  const plan = path.join(world.dir, 'archive.yml');
  const copies = Array.from({ length: 30 }, (_, i) => `- record: hits:copy${i}\n  expr: sum by (service) (hits) + ${i}\n`);
  fs.writeFileSync(plan, `archive:\n${copies.join('')}`);
  const args = ['--series-late=0', `--archive=${plan}`];
  let collector = await world.collector({ args });
  const end = Math.floor(Date.now() / 60_000) * 60;
  await write(collector, ['web', 'cache'].map((service) => counters({ __name__: 'hits', service }, end - 2 * hour, end, 10, 7)));
  for (let i = 0; i < 8; i++) {
    await collector.kill();
    collector = await collector.again(); /* a round begins by itself */
    await sleep(150 + Math.random() * 150); /* how far it comes is chance; nothing depends on it */
  }
  const last = new URLSearchParams({ query: 'hits:copy29{service="web"}', time: end - 60 });
  await until('the last rule is written', async () => (await collector.api(`/api/v1/query?${last}`)).data.result.length === 1);
  await collector.stop();
  for (const name of ['series', 'ledger']) fs.rmSync(path.join(world.dir, name), { recursive: true });
  collector = await collector.again();
  for (const i of [0, 13, 29]) {
    const query = new URLSearchParams({ query: `hits:copy${i}{service="web"}[7000s]`, time: end - 60 });
    const [{ values }] = (await collector.api(`/api/v1/query?${query}`)).data.result;
    assert.equal(values.length, 700);
    for (const [t, value] of values) assert.equal(Number(value), (t - (end - 2 * hour)) * 7 + i, `at ${t}`);
  }
  await collector.stop();
});

// SPDX-License-Identifier: Apache-2.0
/* Deleting series over HTTP: where it is allowed, at once, for good, and no more than was asked for. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { scenario } from './harness.mjs';
import { counters, write } from './remote_write.mjs';

const remove = (collector, query) => collector.ask(`/api/v1/admin/tsdb/delete_series?${query}`, { method: 'POST' });

async function points(collector, query, at) {
  const { data } = await collector.api(`/api/v1/query?query=${encodeURIComponent(query)}&time=${at}`);
  return Object.fromEntries(data.result.map(({ metric, values }) => [metric.host, values.length]));
}

scenario('what is deleted is in no answer any more, after a restart either', async (world) => {
  let collector = await world.collector({ args: ['--admin-api', '--series-late=0'] });
  const now = Math.floor(Date.now() / 1000);
  await write(collector, ['a', 'b', 'c'].map((host) => counters({ __name__: 'sent_total', host }, now - 600, now, 10, 1)));
  assert.deepEqual(await points(collector, 'sent_total[20m]', now), { a: 61, b: 61, c: 61 });
  assert.equal((await remove(collector, `match[]=sent_total{host="a"}&match[]=sent_total{host="b"}&end=${now - 301}`)).status, 204);
  const left = { a: 31, b: 31, c: 61 };
  assert.deepEqual(await points(collector, 'sent_total[20m]', now), left);
  await write(collector, [counters({ __name__: 'sent_total', host: 'a' }, now - 450, now - 440, 10, 1)]);
  assert.deepEqual(await points(collector, 'sent_total[20m]', now), { ...left, a: 33 }, 'what comes later stays');
  await collector.kill();
  collector = await collector.again();
  assert.deepEqual(await points(collector, 'sent_total[20m]', now), { ...left, a: 33 });
  assert.equal((await collector.ask('/api/v1/admin/tsdb/clean_tombstones', { method: 'POST' })).status, 204);
});

scenario('a mistake deletes nothing, and nobody deletes who may not', async (world) => {
  const now = Math.floor(Date.now() / 1000);
  const collector = await world.collector({ args: ['--admin-api'] });
  await write(collector, [counters({ __name__: 'sent_total', host: 'a' }, now - 60, now, 10, 1)]);
  for (const query of ['', 'match[]=', 'match[]=sent_total&match[]=rate(x)', 'match[]=sent_total&start=soon', 'match[]=sent_total&start=10&end=5',
    `match[]=sent_total&match[]=sent_total{${'host!="x",'.repeat(64)}}`]) {
    const answer = await remove(collector, query);
    assert.equal(answer.status, 400, `${query}: ${answer.text}`);
  }
  assert.equal((await collector.ask('/api/v1/admin/tsdb/delete_series?match[]=sent_total')).status, 405);
  assert.deepEqual(await points(collector, 'sent_total[20m]', now), { a: 7 });
  fs.mkdirSync(`${world.dir}/careful`);
  const careful = await world.collector({ ledger: `${world.dir}/careful/ledger` });
  const answer = await remove(careful, 'match[]=sent_total');
  assert.equal(answer.status, 503);
  assert.match(answer.json().error, /admin-api/);
});

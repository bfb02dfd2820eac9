// SPDX-License-Identifier: Apache-2.0
/* The tap beside caches that are asked by the clients that services of Node.js use: each says things in
 * its own way, and everything is counted as the servers count it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { root, scenario, until } from './harness.mjs';
import { assertNothingLost, countedAsMemcachedSays, countedAsRedisSays, losses, memcached, redis, series, skip, tap } from './tapped.mjs';

const require = createRequire(path.join(root, 'ui/package.json'));
const noMemcaslap = spawnSync('memcaslap', ['--version']).error !== undefined;
const Redis = require('ioredis');
const { createClient } = require('redis');
const memjs = require('memjs');
const Memcached = require('memcached');

const many = (count, make) => Promise.all(Array.from({ length: count }, (_, i) => make(i)));
const text = (i) => `value ${i} ${'v'.repeat((i * 37) % 900)}`;

/* As far as both ask alike. `call`: a command as words. */
async function mixOfRedis(call) {
  await many(300, (i) => call('SET', `user:${i % 50}:feed`, text(i)));
  await many(500, (i) => call('GET', `user:${i % 70}:feed`));
  await many(40, (i) => call('MGET', `user:${i}:feed`, 'nothing', `user:${i + 20}:feed`));
  await many(60, (i) => call('HSET', `profile:${i % 7}`, 'name', text(i), 'age', String(i)));
  await many(20, (i) => call('HGETALL', `profile:${i}`));
  await many(30, (i) => call('LPUSH', 'queue', text(i), text(i + 1)));
  await call('LRANGE', 'queue', '0', '-1');
  await many(30, (i) => call('ZADD', 'board', String(i), `member:${i}`));
  await call('ZRANGE', 'board', '0', '9', 'WITHSCORES');
  await many(25, () => call('INCR', 'count'));
  await call('EXPIRE', 'count', '100');
  await call('SCAN', '0', 'MATCH', 'user:*');
  await call('DEL', 'queue', 'board', 'nothing');
  await call('SET', 'bytes', Buffer.from([0, 13, 10, 255, 42]));
  await assert.rejects(call('LPOP', 'count'), /WRONGTYPE/);
  await call('EVAL', "return redis.call('TIME')", '1', 'count');
}

scenario('what ioredis asks, alone, in pipelines and in transactions, is counted as Redis counts it', { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port }, ['--window=1s']);
  const client = new Redis({ port: server.port, disableClientInfo: true });
  await mixOfRedis((...words) => client.call(...words));
  const pipeline = client.pipeline();
  for (let i = 0; i < 400; i++) pipeline.set(`p:${i}`, text(i)).get(`p:${i}`);
  assert.equal((await pipeline.exec()).length, 800);
  assert.equal((await client.multi().set('a', 1).get('a').incr('a').exec()).length, 3);
  client.defineCommand('twice', { numberOfKeys: 1, lua: "return {KEYS[1], ARGV[1], ARGV[1]}" });
  assert.deepEqual(await client.twice('k', 'x'), ['k', 'x', 'x']); /* EVALSHA, then EVAL */
  assert.deepEqual(await client.twice('k', 'y'), ['k', 'y', 'y']);
  const automatic = new Redis({ port: server.port, disableClientInfo: true, enableAutoPipelining: true });
  await many(500, (i) => automatic.get(`p:${i}`));
  const listener = new Redis({ port: server.port, disableClientInfo: true });
  const heard = new Promise((done) => listener.on('message', (channel, message) => done([channel, message])));
  await listener.subscribe('news', 'more');
  await client.publish('news', 'hello');
  assert.deepEqual(await heard, ['news', 'hello']);
  await listener.unsubscribe();
  for (const c of [client, automatic, listener]) await c.quit();
  await countedAsRedisSays(collector, server, ['time']); /* what scripts call is not on the wire */
  const hits = await series(collector, 'weft_cache_hits_total', 'command', server.port);
  const misses = await series(collector, 'weft_cache_misses_total', 'command', server.port);
  assert.equal(hits.get + misses.get, 500 + 400 + 1 + 500);
  assert.deepEqual([hits.mget, misses.mget], [40 + 30, 10 + 40]); /* fifty were set */
  assertNothingLost(t, await losses(collector));
  await t.stop();
});

scenario("what node-redis asks in RESP3 is counted as Redis counts it", { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port });
  const client = createClient({ url: `redis://127.0.0.1:${server.port}`, RESP: 3, disableClientInfo: true, maintNotifications: 'disabled' });
  await client.connect();
  await mixOfRedis((...words) => client.sendCommand(words));
  const [, value] = await client.multi().set('a', '1').get('a').exec();
  assert.equal(value, '1');
  for await (const keys of client.scanIterator({ COUNT: 10 })) assert.ok(keys);
  await client.close();
  await countedAsRedisSays(collector, server, ['time']); /* what scripts call is not on the wire */
  const { hello } = await series(collector, 'weft_cache_commands_total', 'command', server.port);
  assert.equal(hello, 1);
  assertNothingLost(t, await losses(collector));
  await t.stop();
});

scenario('what memjs asks in binary and memcached in text is counted as memcached counts it', { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await memcached(world);
  const t = await tap(world, { memcached: server.port });
  const binary = memjs.Client.create(`127.0.0.1:${server.port}`, { timeout: 20 });
  await many(200, (i) => binary.set(`b:${i % 40}`, text(i), {}));
  await many(300, (i) => binary.get(`b:${i % 60}`));
  await binary.set('n', '5', {}); /* one that is not there would be made, which the server counts as neither */
  await many(20, () => binary.increment('n', 1, {}));
  await binary.decrement('n', 1, {});
  await binary.add('b:1', 'there', {});
  await binary.replace('b:2', 'other', {});
  await binary.replace('nothing', 'other', {});
  await binary.append('b:2', 'more');
  await binary.prepend('b:2', 'more');
  await binary.touch('b:2', 100);
  await binary.touch('nothing', 100);
  await binary.delete('b:3');
  await binary.delete('nothing');
  binary.close();

  const plain = new Memcached(`127.0.0.1:${server.port}`, { poolSize: 3, timeout: 20_000 });
  const call = (name) => promisify(plain[name]).bind(plain);
  await many(200, (i) => call('set')(`t:${i % 40}`, text(i), 0));
  await many(300, (i) => call('get')(`t:${i % 60}`));
  await many(30, (i) => call('getMulti')(Array.from({ length: 20 }, (_, k) => `t:${i + k}`)));
  const { cas } = await call('gets')('t:1');
  await call('cas')('t:1', 'changed', cas, 0);
  await call('cas')('t:1', 'too late', cas, 0).catch(() => {});
  await call('set')('number', 5, 0);
  await call('incr')('number', 2);
  await call('decr')('number', 1);
  await call('touch')('t:1', 100);
  await call('append')('t:2', 'more');
  await call('del')('t:3');
  await call('del')('nothing').catch(() => {});
  await call('version')();
  plain.end();
  await countedAsMemcachedSays(collector, server);
  await until('both protocols are seen', async () => {
    const keys = await series(collector, 'weft_cache_keys_total', 'command', server.port);
    return keys.get >= 300 + 300 + 600;
  });
  assertNothingLost(t, await losses(collector));
  await t.stop();
});

scenario('what memcaslap asks from many connections, in text and in binary, is counted as memcached counts it', { skip: skip || (noMemcaslap && 'memcaslap is not installed') }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await memcached(world);
  const t = await tap(world, { memcached: server.port });
  const asks = (...args) => world.run('memcaslap', ['-s', `127.0.0.1:${server.port}`, '-T', '2', '-c', '16', ...args]);
  asks('-x', '5000');
  asks('-x', '5000', '-B');
  asks('-x', '2000', '-d', '20'); /* twenty keys of one get */
  await countedAsMemcachedSays(collector, server);
  assertNothingLost(t, await losses(collector));
  await t.stop();
});

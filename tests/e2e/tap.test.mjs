// SPDX-License-Identifier: Apache-2.0
/* The tap beside real caches under real clients: what it counts is what the servers say of themselves. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { freePort, program, scenario } from './harness.mjs';
import { assertNothingLost, converse, countedAsMemcachedSays, countedAsRedisSays, losses, memcached, noted, redis, series, skip, tap } from './tapped.mjs';

scenario("every command of a Redis is counted as its own statistics have it", { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port });
  const bench = (...args) => world.run('redis-benchmark', ['-p', String(server.port), '-q', ...args]);
  bench('-n', '5000', '-c', '20', '-P', '16', '-r', '1000', '-t', 'set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset');
  bench('-n', '2000', '-c', '50', '-r', '100', '-t', 'ping,set,get', '-d', '3000');
  bench('-n', '500', '-r', '100', 'mget', 'key:__rand_int__', 'key:__rand_int__', 'none');
  bench('-n', '300', 'eval', "return redis.call('time')", '0');
  server.cli('hgetall', 'nothing');
  server.cli('--eval', '/dev/null');
  const multi = (...commands) => commands.map((c) => `${c}\r\n`).join('');
  await converse(server.port, [multi('MULTI', 'SET a 1', 'GET a', 'LPOP a', 'EXEC', 'MULTI', 'SET b 2', 'DISCARD', 'MULTI', 'SET', 'GET a', 'EXEC', 'GET b', 'ECHO done')],
    (text) => text.includes('done'));
  await converse(server.port, ['SUBSCRIBE one two\r\n', 'PING\r\n', 'UNSUBSCRIBE\r\n', 'HELLO 3\r\n', 'GET a\r\n', 'CONFIG GET save\r\n', 'ECHO done\r\n'], (text) => text.includes('done'));
  await converse(server.port, ['CLIENT REPLY OFF\r\n', 'SET quiet 1\r\n', 'GET quiet\r\n', 'CLIENT REPLY ON\r\n', 'ECHO done\r\n'], (text) => text.includes('done'));
  await countedAsRedisSays(collector, server, ['time']); /* what scripts call is not on the wire */
  const stats = noted(server.cli('info', 'stats'), /(keyspace_\w+|total_\w+):(\d+)/g);
  const hits = await series(collector, 'weft_cache_hits_total', 'command', server.port);
  const misses = await series(collector, 'weft_cache_misses_total', 'command', server.port);
  assert.ok(hits.get > 0 && misses.mget >= 500 && misses.hgetall === 1, JSON.stringify({ hits, misses, stats }));
  assertNothingLost(t, await losses(collector));
  const status = fs.readFileSync(`/proc/${t.pid}/status`, 'utf8');
  for (const set of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb']) assert.match(status, new RegExp(`${set}:\\s+0{16}`), set);
  await t.stop();
});

scenario("every key of a memcached is counted as its own statistics have it", { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await memcached(world);
  const t = await tap(world, { memcached: server.port });
  const servers = `--servers=127.0.0.1:${server.port}`;
  world.run('memccapable', ['-h', '127.0.0.1', '-p', String(server.port), '-a']);
  for (const binary of [[], ['--binary']])
    for (const test of ['set', 'get', 'mget'])
      world.run('memcslap', [servers, `--test=${test}`, '--concurrency=5', '--execute-number=200', '--initial-load=500', ...binary]);
  await converse(server.port, ['set a 0 0 5\r\nhello\r\n', 'get a b a c\r\n', 'gets a\r\n', 'gat 0 a nothing\r\n', 'incr a 1\r\n', 'set n 0 0 1 noreply\r\n5\r\n',
    'incr n 2\r\ndecr n 1\r\ndecr none 1\r\n', 'touch a 0\r\ntouch none 0\r\n', 'delete a\r\ndelete a\r\n', 'cas n 0 0 1 1\r\n6\r\n', 'append n 0 0 1\r\n7\r\n',
    'mg n v t\r\nmg none v\r\nms m 2\r\nhi\r\nmd m\r\nma n\r\n', 'mg n v q k\r\nmg none q v k\r\nmn\r\n', 'verbosity 0\r\nversion\r\n'],
  (text) => text.includes('VERSION'));
  await converse(server.port, ['set big 0 0 900000\r\n', 'x'.repeat(900000), '\r\nget big\r\nversion\r\n'], (text) => text.includes('VERSION'));
  await countedAsMemcachedSays(collector, server);
  assertNothingLost(t, await losses(collector));
  await t.stop();
});

scenario('a port on which somebody else answers is left alone', { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const port = await freePort();
  const server = net.createServer((socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n'))).listen(port, '127.0.0.1');
  const t = await tap(world, { redis: port });
  for (let i = 0; i < 5; i++) await converse(port, ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], () => true);
  await t.says(/127\.0\.0\.1\D*:\d+ does not speak redis: it is left alone/);
  server.close();
  await t.stop();
});

scenario('where the keys of a Redis command stand is what the server itself says', async (world) => {
  const server = await redis(world);
  const real = JSON.parse(server.cli('--json', 'command')).flatMap((command) => [command, ...(command[9] ?? [])]);
  const known = new Map(JSON.parse(world.run(program('redis_commands'), [])).map((row) => [row.name, row]));
  for (const [name, , , first, last, step, , , specs] of real) {
    const row = known.get(name);
    assert.ok(row, `${name} is not known`);
    const counted = specs.find(({ find_keys: { type }, begin_search: { type: from } }) => type === 'keynum' && from === 'index');
    if (!row.streams) assert.deepEqual([name, row.first, row.last, row.step], [name, first, last, step]);
    assert.deepEqual([name, row.streams], [name, specs.some(({ begin_search: { spec } }) => spec.keyword === 'STREAMS')]);
    assert.deepEqual([name, row.countAt], [name, counted ? counted.begin_search.spec.index + counted.find_keys.spec.keynumidx : 0]);
  }
});

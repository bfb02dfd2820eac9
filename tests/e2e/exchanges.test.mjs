// SPDX-License-Identifier: Apache-2.0
/* What the tap remembers of exchanges for the agent, beside real caches. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { program, scenario, until } from './harness.mjs';
import { memcached, redis, skip, tap } from './tapped.mjs';

const now = () => BigInt(Date.now()) * 1000000n;
const lines = (text) => text.trim().split('\n').map((line) => JSON.parse(line));
const state = (world) => lines(world.run(program('exchanges'), [world.slabs]))[0];

/* A connection that stays open; `say` waits until the answer satisfies. */
async function connect(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  let text = '';
  socket.on('data', (bytes) => { text += bytes.toString('latin1'); });
  await new Promise((done, failed) => socket.once('connect', done).once('error', failed));
  return {
    port: socket.localPort,
    async say(bytes, enough) {
      text = '';
      socket.write(bytes);
      await until(`the answer to ${JSON.stringify(bytes)}`, () => text.includes(enough));
    },
    end() { socket.destroy(); },
  };
}

/* All that the tap remembers of a connection since `from`, when all of it was seen. */
async function remembered(world, client, port, from) {
  const asked = now() + 1000000n;
  await until('the tap has read as far', () => BigInt(state(world).seen_unix_ns) > asked);
  const [head, ...list] = lines(world.run(program('exchanges'), [world.slabs, String(client.port), String(port), String(from)]));
  return { ...head, list };
}

scenario('exchanges of a Redis are remembered by connection, in the order asked', { skip }, async (world) => {
  const server = await redis(world);
  const t = await tap(world, { redis: server.port }, ['--remember=1M']);
  const from = now();
  const client = await connect(server.port), other = await connect(server.port);
  await client.say('SET user:17:name x\r\n', '+OK');
  await other.say('GET other\r\n', '$-1');
  await client.say('GET user:17:name\r\nMGET user:17:name nobody:1 nobody:2\r\nLPUSH user:17:name y\r\nCLIENT REPLY SKIP\r\nSET quiet 1\r\nECHO done\r\n', 'done');
  const { complete, list } = await remembered(world, client, server.port, from);
  assert.equal(complete, true);
  assert.deepEqual(list.map((e) => [e.order, e.protocol, e.command, e.pattern, e.keys, e.hits, e.misses, e.error, e.ending]), [
    [0, 'redis', 'set', 'user:*:name', 1, 0, 0, '', 0],
    [1, 'redis', 'get', 'user:*:name', 1, 1, 0, '', 0],
    [2, 'redis', 'mget', 'user:*:name', 3, 1, 2, '', 0],
    [3, 'redis', 'lpush', 'user:*:name', 1, 0, 0, 'WRONGTYPE', 0],
    [4, 'redis', 'client|reply', '', 0, 0, 0, '', 1],
    [5, 'redis', 'set', 'quiet', 1, 0, 0, '', 1],
    [6, 'redis', 'echo', '', 0, 0, 0, '', 0],
  ]);
  for (const e of list.filter(({ ending }) => ending === 0))
    assert.ok(from <= BigInt(e.asked) && BigInt(e.asked) <= BigInt(e.answered) && BigInt(e.answered) <= BigInt(e.done), JSON.stringify(e));
  assert.equal((await remembered(world, other, server.port, from)).list.length, 1);
  await until('the cache is told to be this host\'s', () => state(world).ports.includes(server.port));
  assert.equal(state(world).current, true);
  await t.stop();
  assert.equal(fs.existsSync(path.join(world.slabs, 'tap.exchanges')), false);
});

scenario('exchanges of a memcached are remembered, quiet ones and those still under way too', { skip }, async (world) => {
  const server = await memcached(world);
  await tap(world, { memcached: server.port }, ['--remember=1M', '--tell-keys=hashed']);
  const from = now();
  const client = await connect(server.port);
  await client.say('set a1 0 0 1\r\nx\r\nset b2 0 0 1 noreply\r\ny\r\nget a1 c3 b2\r\n', 'END');
  const { complete, list } = await remembered(world, client, server.port, from);
  assert.equal(complete, true);
  assert.deepEqual(list.map((e) => [e.order, e.command, e.pattern, e.keys, e.hits, e.misses, e.ending]), [
    [0, 'set', '', 1, 0, 0, 0], [1, 'set', '', 1, 0, 0, 1], [2, 'get', '', 3, 2, 1, 0]]);
});

scenario('a tap that is killed leaves a file that is not current, and the next one makes another', { skip }, async (world) => {
  const server = await redis(world);
  const first = await tap(world, { redis: server.port }, ['--remember=1M']);
  assert.equal(state(world).current, true);
  await first.kill();
  assert.equal(state(world).current, false);
  const second = await tap(world, { redis: server.port }, ['--remember=1M']);
  assert.equal(state(world).current, true);
  fs.unlinkSync(path.join(world.slabs, 'tap.exchanges'));
  await until('the file is made anew', () => fs.existsSync(path.join(world.slabs, 'tap.exchanges')) && state(world).current);
  const from = now();
  const client = await connect(server.port);
  await client.say('GET a\r\n', '$-1');
  assert.equal((await remembered(world, client, server.port, from)).list.length, 1);
  await second.stop();
  await tap(world, { redis: server.port }, ['--remember=0']);
  assert.equal(fs.existsSync(path.join(world.slabs, 'tap.exchanges')), false);
});

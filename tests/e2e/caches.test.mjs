// SPDX-License-Identifier: Apache-2.0
/* From packets to "which key is hot": real caches under a load that counts for itself what it asks. What the
 * API and the CLI say lies within the error that they tell of these counts. */
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { build, scenario, sleep, until } from './harness.mjs';
import { memcached, redis, skip, tap } from './tapped.mjs';

const celebrity = 'celebrity:1:profile';
const bytesKey = Buffer.from([0x62, 0x69, 0x6e, 0xff, 0x00, 0x5c, 0x01]);

/* A generator that is the same in each run. */
function dice(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/* Ranks by Zipf's law: the first comes most often. */
function zipf(count, roll) {
  const sums = [];
  let sum = 0;
  for (let i = 1; i <= count; i++) sums.push(sum += 1 / i);
  return () => {
    const at = roll() * sum;
    let low = 0, high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/* What was asked of a cache, by key: {calls, bytes, misses}. */
class Counts {
  constructor() { this.keys = new Map(); this.calls = 0; }
  add(key, bytes, missed) {
    const row = this.keys.get(key) ?? { calls: 0, bytes: 0, misses: 0 };
    row.calls++;
    row.bytes += bytes;
    row.misses += missed ? 1 : 0;
    this.keys.set(key, row);
    this.calls++;
  }
  of(by) { return [...this.keys.values()].reduce((sum, row) => sum + row[by], 0); }
  static sum(...all) {
    const sum = new Counts();
    for (const counts of all) {
      sum.calls += counts.calls;
      for (const [key, row] of counts.keys) {
        const at = sum.keys.get(key) ?? { calls: 0, bytes: 0, misses: 0 };
        for (const by of Object.keys(at)) at[by] += row[by];
        sum.keys.set(key, at);
      }
    }
    return sum;
  }
}

const encodings = {
  redis: {
    get: (key) => Buffer.concat([Buffer.from(`*2\r\n$3\r\nGET\r\n$${Buffer.byteLength(key)}\r\n`), Buffer.from(key), Buffer.from('\r\n')]),
    set: (key, value) => Buffer.concat([Buffer.from(`*3\r\n$3\r\nSET\r\n$${Buffer.byteLength(key)}\r\n`), Buffer.from(key), Buffer.from(`\r\n$${value.length}\r\n${value}\r\n`)]),
    /* How many replies are whole in the text. */
    replies(text) {
      let at = 0, count = 0;
      for (;;) {
        const end = text.indexOf('\r\n', at);
        if (end < 0) return count;
        const length = text[at] === '$' ? Number(text.slice(at + 1, end)) : -1;
        at = end + 2 + (length >= 0 ? length + 2 : 0);
        if (at > text.length) return count;
        count++;
      }
    },
  },
  memcached: {
    get: (key) => Buffer.from(`get ${key}\r\n`),
    set: (key, value) => Buffer.from(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`),
    replies: (text) => (text.match(/^(END|STORED)\r\n/gm) ?? []).length,
  },
};

/* One client of a cache. */
class Client {
  static async to(port, protocol, seed) {
    const c = new Client();
    Object.assign(c, { encoding: encodings[protocol], counts: new Counts(), sizes: new Map(), roll: dice(seed) });
    c.rank = zipf(2000, c.roll);
    c.socket = net.connect(port, '127.0.0.1');
    await new Promise((done, failed) => c.socket.once('connect', done).once('error', failed));
    return c;
  }
  /* Writes them at once and waits for all replies: [['get', key], ['set', key, value]]. */
  async say(commands) {
    let text = '';
    const answered = new Promise((done, failed) => {
      this.socket.on('error', failed);
      this.socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        if (this.encoding.replies(text) === commands.length) done();
      });
    });
    this.socket.write(Buffer.concat(commands.map(([what, ...of]) => this.encoding[what](...of))));
    await answered;
    this.socket.removeAllListeners('data').removeAllListeners('error');
    for (const [what, key, value] of commands) {
      const name = String(key);
      if (what === 'set') this.sizes.set(name, value.length);
      this.counts.add(name, this.sizes.get(name) ?? 0, what === 'get' && !this.sizes.has(name));
    }
  }
  /* Mostly one celebrity's key, else whoever's by Zipf's law, now and then a key that is not there. */
  async load(commands, { hot = 0.4 } = {}) {
    for (let done = 0; done < commands; done += 50) {
      await this.say(Array.from({ length: 50 }, () => {
        const roll = this.roll();
        if (roll < hot) return this.roll() < 0.1 ? ['set', celebrity, 'x'.repeat(300)] : ['get', celebrity];
        if (roll < hot + 0.05) return ['get', `gone:${this.rank()}`];
        const key = `user:${this.rank()}:feed`;
        return this.roll() < 0.3 ? ['set', key, 'y'.repeat(10 + Math.floor(this.roll() * 90))] : ['get', key];
      }));
    }
  }
  end() { this.socket.end(); }
}

/* told <= true <= told + error, for what is listed; what is not listed has no more than the rest. */
function assertWithin(list, by, counts, name = (row) => row.key) {
  const listed = new Set();
  for (const row of list.keys) {
    const real = counts.keys.get(name(row))?.[by];
    assert.ok(real !== undefined, `${row.key} was asked for`);
    assert.ok(row[by] <= real && real <= row[by] + row.error, `${by} of ${row.key}: ${real} in ${JSON.stringify(row)}`);
    listed.add(name(row));
  }
  for (const [key, row] of counts.keys)
    assert.ok(listed.has(key) || row[by] <= list.rest, `${by} of ${key}, which is not listed: ${row[by]} <= ${list.rest}`);
  assert.equal(list.total, counts.of(by), by);
}

const listOf = (collector, rest) => collector.api(`/api/v1/caches/${rest}${rest.includes('?') ? '&' : '?'}range=1h`);

/* Until every call that was made is in windows that were told. */
const counted = (collector, where, calls) => until(`${calls} calls are in windows of ${where}`, async () => {
  const list = await listOf(collector, `${where}keys?limit=1`);
  assert.ok(list.total <= calls, `${list.total} calls were told, of ${calls}`);
  return list.total === calls && list;
});

const cachesBy = async (collector) =>
  Object.fromEntries((await collector.api('/api/v1/caches?range=1h')).caches.map((c) => [c.protocol, c]));

const cli = (world, collector, ...args) =>
  world.run(path.join(build, 'cli/weft'), ['caches', ...args], { env: { WEFT_URL: collector.url, NO_COLOR: '1' } });

scenario('the hottest key is named first, by calls, bytes and misses, of one cache and of all', { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const servers = { redis: await redis(world), memcached: await memcached(world) };
  const t = await tap(world, { redis: servers.redis.port, memcached: servers.memcached.port }, ['--window=1s', '--keys=400']);
  const clients = {};
  for (const [i, protocol] of ['redis', 'memcached'].entries()) clients[protocol] = await Client.to(servers[protocol].port, protocol, 7 + i);
  for (let round = 0; round < 4; round++) {
    await Promise.all(Object.values(clients).map((c) => c.load(3000)));
    await sleep(300);
  }
  const all = Counts.sum(clients.redis.counts, clients.memcached.counts);
  await counted(collector, '', all.calls);
  const ids = await cachesBy(collector);
  for (const by of ['calls', 'bytes', 'misses']) {
    assertWithin(await listOf(collector, `keys?by=${by}&limit=1000`), by, all);
    for (const protocol of ['redis', 'memcached'])
      assertWithin(await listOf(collector, `${ids[protocol].id}/keys?by=${by}&limit=1000`), by, clients[protocol].counts);
  }
  const fleet = await listOf(collector, 'keys');
  assert.equal(fleet.keys[0].key, celebrity);
  assert.equal(fleet.caches, 2);
  assert.equal((await listOf(collector, 'keys?protocol=redis')).total, clients.redis.counts.calls);
  assert.equal((await listOf(collector, 'keys?host=elsewhere')).total, 0);
  const { patterns } = await listOf(collector, 'patterns');
  assert.deepEqual(patterns.map((row) => row.key).sort(), ['celebrity:*:profile', 'gone:*', 'user:*:feed']);
  assert.equal(patterns.reduce((sum, row) => sum + row.calls, 0), all.calls);
  const who = (await listOf(collector, `${ids.redis.id}/clients`)).clients;
  assert.deepEqual(who.map((row) => [row.key, row.calls, row.error]), [['127.0.0.1', clients.redis.counts.calls, 0]]);
  assert.ok(Math.abs(fleet.distinct_keys / all.keys.size - 1) < 0.1, `about ${fleet.distinct_keys} keys, truly ${all.keys.size}`);
  /* A rate is what was added after a series' first sample, and on a slow machine that one has the whole load. */
  await until('the series tell of both', async () => {
    await Promise.all(Object.values(clients).map((c) => c.load(50)));
    return Object.values(await cachesBy(collector)).every((c) => c.commands_per_s > 0 && c.p99_seconds > 0 && c.hit_rate > 0);
  });
  const one = await collector.api(`/api/v1/caches/${ids.redis.id}?range=1h`);
  assert.equal(one.hottest.key, celebrity);
  assert.equal(one.address, `127.0.0.1:${servers.redis.port}`);

  assert.match(cli(world, collector, '--range', '1h'), new RegExp(`127\\.0\\.0\\.1:${servers.redis.port} +redis.*${celebrity}`));
  assert.equal(JSON.parse(cli(world, collector, 'keys', '--json', '--range', '1h')).keys[0].key, celebrity);
  const [, , first] = cli(world, collector, 'keys', '--by', 'bytes', '--cache', `127.0.0.1:${servers.memcached.port}`, '--range', '1h').split('\n');
  assert.ok(first.endsWith(celebrity), first);
  for (const c of Object.values(clients)) c.end();
  await t.stop();
});

scenario('a hot key has a mark and a series while it is hot, and one that is no text breaks nothing', { skip }, async (world) => {
  const collector = await world.collector({ args: ['--hot-key-share=25', '--hot-key-rate=1'] });
  await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port }, ['--window=1s']);
  const client = await Client.to(server.port, 'redis', 3);
  const share = async (key) => {
    const { data } = await collector.api(`/api/v1/query?query=${encodeURIComponent(`weft_cache_hot_key_share{host="boxh",cache="127.0.0.1:${server.port}",key=${JSON.stringify(key)}}`)}`);
    return data.result.length === 1 && Number(data.result[0].value[1]);
  };
  const marks = async () => (await collector.api('/api/v1/marks?kind=hot-key')).marks;
  await until('the celebrity is hot', async () => {
    await client.load(200, { hot: 0.6 });
    return (await share(celebrity)) > 0.25;
  });
  const [mark] = await marks();
  assert.ok(mark.title.startsWith(`${celebrity} is hot in 127.0.0.1:${server.port}`), mark.title);
  assert.ok(BigInt(mark.to_unix_ns) > BigInt(mark.from_unix_ns));
  await until('bytes that are no text are hot, and the celebrity no more', async () => {
    await client.say(Array.from({ length: 100 }, () => ['set', bytesKey, 'z']));
    return (await share('bin\\xff\\x00\\\\\\x01')) > 0.25 && (await share(celebrity)) === false;
  });
  const ended = (await marks()).filter((m) => m.title.startsWith(celebrity));
  assert.equal(ended.filter((m) => m.id === mark.id).length, 1);
  const list = await listOf(collector, 'keys');
  const row = list.keys.find((r) => r.escaped);
  assert.equal(row.key, 'bin\\xff\\x00\\\\\\x01');
  client.end();
  await t.stop();
});

scenario('windows that were told count once, whatever is killed', { skip }, async (world) => {
  let collector = await world.collector();
  let agent = await world.agent(collector);
  const server = await memcached(world);
  const t = await tap(world, { memcached: server.port }, ['--window=1s']);
  const client = await Client.to(server.port, 'memcached', 11);
  for (let round = 0; round < 3; round++) {
    await client.load(2000);
    await counted(collector, '', client.counts.calls);
    await client.load(1000);
    await collector.kill();
    await client.load(1000);
    await agent.kill(); /* it may have taken a window, and not said so: that comes twice */
    await client.load(1000);
    agent = await agent.again();
    collector = await collector.again();
  }
  await counted(collector, '', client.counts.calls);
  const list = await listOf(collector, 'keys?limit=1000');
  assertWithin(list, 'calls', client.counts);
  assert.equal(list.keys[0].key, celebrity);
  client.end();
  await t.stop();
  await agent.drained();
  await collector.stop();
  collector = await collector.again();
  assert.equal((await listOf(collector, 'keys')).total, client.counts.calls);
});

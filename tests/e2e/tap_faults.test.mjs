// SPDX-License-Identifier: Apache-2.0
/* The tap where things go wrong, or are not plain: killed, stopped, without its agent, on IPv6, behind VLAN tags. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { Daemon, build, freePort, scenario, until } from './harness.mjs';
import { assertNothingLost, losses, noted, redis, series, skip, tap, mayNamespace, network } from './tapped.mjs';

/* A client that asks, and waits for the answer, on one connection. */
class Client {
  static open(port) {
    const c = new Client();
    return new Promise((done, failed) => {
      c.socket = net.connect(port, '127.0.0.1', () => done(c));
      c.socket.setNoDelay(true);
      c.socket.on('error', failed);
      c.socket.on('data', (bytes) => { c.text += bytes.toString('latin1'); c.look?.(); });
    });
  }

  text = '';

  ask(command) {
    const words = command.split(' ');
    return new Promise((done) => {
      this.look = () => {
        if (!this.text.endsWith('\r\n')) return;
        this.text = '';
        done();
      };
      this.socket.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);
    });
  }

  async times(count, command) {
    for (let i = 0; i < count; i++) await this.ask(command);
  }
}

const calls = (server) => noted(server.cli('info', 'commandstats'), /cmdstat_([\w|-]+):calls=(\d+)/g);

scenario('a tap that is killed is followed by one that joins connections in their middle, and counts on exactly', { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await redis(world);
  const first = await tap(world, { redis: server.port });
  const client = await Client.open(server.port);
  await client.ask('SET k 1');
  await client.times(50, 'GET k');
  await until('the first tap has told', async () => (await series(collector, 'weft_cache_hits_total', 'command', server.port)).get === 50);
  await first.kill();
  await client.times(20, 'GET k'); /* which nobody sees */
  const second = await tap(world, { redis: server.port });
  await client.times(100, 'GET k');
  await client.times(30, 'GET none');
  await until('the second tap has told', async () => {
    const of = (what) => series(collector, `weft_cache_${what}_total`, 'command', server.port);
    const [commands, hits, misses, unseen] = await Promise.all(['commands', 'hits', 'misses', 'unseen_replies'].map(of));
    assert.deepEqual([commands.get, misses.get, hits.get + unseen.get], [130, 30, 100]);
    assert.ok(unseen.get < 16, `${unseen.get} replies were not seen`);
    return true;
  });
  await second.stop();
});

scenario('a tap that is started again under load tells nothing that was not', { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await redis(world);
  const load = new Daemon(world, 'load', 'redis-benchmark', ['-p', String(server.port), '-q', '-n', '100000000', '-c', '10', '-P', '8', '-t', 'get']);
  let t = await tap(world, { redis: server.port });
  for (let round = 0; round < 3; round++) {
    await t.kill();
    t = await tap(world, { redis: server.port });
    await until('it counts', async () => ((await series(collector, 'weft_cache_commands_total', 'command', server.port)).get ?? 0) > 1000);
  }
  await load.kill();
  await until('every command of it is accounted for', async () => {
    const of = (what) => series(collector, `weft_cache_${what}_total`, 'command', server.port);
    const [commands, hits, misses, unseen] = await Promise.all(['commands', 'hits', 'misses', 'unseen_replies'].map(of));
    assert.equal(hits.get ?? 0, 0); /* there are no keys */
    assert.equal(commands.get, (misses.get ?? 0) + (unseen.get ?? 0));
    assert.ok(commands.get <= calls(server).get);
    return true;
  });
  await t.stop();
});

scenario('an agent that was away hears of everything when it is back', { skip }, async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port });
  const bench = () => world.run('redis-benchmark', ['-p', String(server.port), '-q', '-n', '3000', '-c', '5', '-t', 'set,get,incr']);
  bench();
  await agent.kill();
  bench();
  await t.says(/the agent at/);
  bench();
  await agent.again();
  const own = calls(server);
  await until('all of it is told', async () => {
    const counted = await series(collector, 'weft_cache_commands_total', 'command', server.port);
    assert.deepEqual([counted.set, counted.get, counted.incr], [own.set, own.get, own.incr]);
    return true;
  });
  assert.equal((await losses(collector)).losses, 0);
  await t.stop();
});

scenario('packets that come while the tap stands still hold up nobody, and what was dropped is said', { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port }, ['--buffer=1M']);
  t.signal('SIGSTOP');
  world.run('redis-benchmark', ['-p', String(server.port), '-q', '-n', '200000', '-c', '20', '-P', '64', '-d', '100', '-t', 'set,get']);
  t.signal('SIGCONT');
  await t.says(/packets were not read/);
  await until('it tells of them', async () => (await losses(collector)).dropped > 0);
  /* What comes then is seen as ever. */
  const before = (await series(collector, 'weft_cache_hits_total', 'command', server.port)).mget ?? 0;
  world.run('redis-benchmark', ['-p', String(server.port), '-q', '-n', '500', '-c', '5', 'mget', 'key:__rand_int__']);
  await until('it counts on', async () => (await series(collector, 'weft_cache_hits_total', 'command', server.port)).mget === before + 500);
  const own = calls(server);
  const counted = await series(collector, 'weft_cache_commands_total', 'command', server.port);
  assert.ok((counted.set ?? 0) <= own.set && (counted.get ?? 0) <= own.get, JSON.stringify({ counted, own }));
  await t.stop();
});

scenario('a pipeline of many thousand commands is seen to its end', { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port });
  world.run('redis-benchmark', ['-p', String(server.port), '-q', '-n', '120000', '-c', '2', '-P', '30000', '-t', 'lpush,get']);
  const own = calls(server);
  await until('it is counted', async () => {
    const counted = await series(collector, 'weft_cache_commands_total', 'command', server.port);
    assert.deepEqual([counted.lpush, counted.get], [own.lpush, own.get]);
    return true;
  });
  assert.deepEqual(await series(collector, 'weft_cache_unseen_replies_total', 'command', server.port), {});
  assertNothingLost(t, await losses(collector));
  await t.stop();
});

scenario('IPv6 is read as IPv4 is', { skip }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const server = await redis(world, '::1');
  const t = await tap(world, { redis: server.port });
  world.run('redis-benchmark', ['-h', '::1', '-p', String(server.port), '-q', '-n', '2000', '-c', '5', '-t', 'set,get']);
  const own = calls(server);
  await until('it is counted', async () => {
    const counted = await series(collector, 'weft_cache_commands_total', 'command', server.port, '[::1]');
    assert.deepEqual([counted.set, counted.get], [own.set, own.get]);
    return true;
  });
  await t.stop();
});

/* Not every kernel has them. */
const mayTag = mayNamespace && spawnSync('unshare', ['--net', 'sh', '-c',
  'ip link add one type veth peer name other && ip link add link one name tagged type vlan id 1']).status === 0;

for (const [what, tags] of [['no VLAN tag', []], ['a VLAN tag', [42]], ['two VLAN tags', [42, 7]]])
  scenario(`commands between two hosts are counted behind ${what}`, { skip: skip || (!mayNamespace && 'network namespaces need CAP_SYS_ADMIN') ||
    (tags.length > 0 && !mayTag && 'this kernel has no VLANs') }, async (world) => {
    const collector = await world.collector();
    await world.agent(collector);
    const [box, other] = [await network(world, 'box'), await network(world, 'other')];
    box.run('ip', 'link', 'add', 'wire0', 'type', 'veth', 'peer', 'name', 'wire0', 'netns', String(other.pid));
    for (const [n, side] of [box, other].entries()) {
      let link = 'wire0';
      side.run('ip', 'link', 'set', link, 'up');
      for (const tag of tags) {
        side.run('ip', 'link', 'add', 'link', link, 'name', `v${tag}`, 'type', 'vlan', 'id', String(tag));
        link = `v${tag}`;
        side.run('ip', 'link', 'set', link, 'up');
      }
      side.run('ip', 'address', 'add', `10.99.0.${n + 1}/24`, 'dev', link);
    }
    const port = await freePort();
    const server = new Daemon(world, 'redis', 'redis-server', ['--port', String(port), '--bind', '10.99.0.1', '--protected-mode', 'no', '--save', '', '--dir', world.dir],
      { within: box.within });
    await server.says(/Ready to accept/);
    const t = new Daemon(world, 'tap', path.join(build, 'agent/weft-tap'),
      ['--interfaces=wire0', `--directory=${world.slabs}`, '--host=boxh', '--memcached=', `--redis=${port}`], { within: box.within });
    await t.says(/tapping 1 ports/);
    other.run('redis-benchmark', '-h', '10.99.0.1', '-p', String(port), '-q', '-n', '1000', '-c', '5', '-P', '4', '-d', '4000', '-t', 'set,get');
    await until('every command is counted', async () => {
      const counted = await series(collector, 'weft_cache_commands_total', 'command', port, '10.99.0.1');
      const hits = await series(collector, 'weft_cache_hits_total', 'command', port, '10.99.0.1');
      assert.deepEqual([counted.set, counted.get, hits.get], [1000, 1000, 1000]);
      return true;
    });
    assertNothingLost(t, await losses(collector));
    await t.stop();
  });

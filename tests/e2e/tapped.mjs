// SPDX-License-Identifier: Apache-2.0
/* Real caches, and the tap beside them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { Daemon, build, freePort, until } from './harness.mjs';

/* Opening an interface needs a right that not everybody who runs tests has. */
const mayCapture = spawnSync(path.join(build, 'agent/weft-tap'), ['--interfaces=lo', '--directory=/nonexistent'],
  { timeout: 500, encoding: 'utf8' }).stderr.includes('CAP_NET_RAW') === false;
export const skip = mayCapture ? false : 'capturing needs CAP_NET_RAW';

async function answers(port, host = '127.0.0.1') {
  await until(`somebody answers on ${port}`, () => new Promise((done) => {
    const socket = net.connect(port, host, () => { socket.destroy(); done(true); });
    socket.on('error', () => done(false));
  }));
}

export async function redis(world, host = '127.0.0.1') {
  const port = await freePort();
  const server = new Daemon(world, 'redis', 'redis-server', ['--port', String(port), '--bind', host, '--save', '', '--dir', world.dir]);
  await answers(port, host);
  return { port, server, cli: (...args) => world.run('redis-cli', ['-h', host, '-p', String(port), ...args]) };
}

export async function memcached(world) {
  const port = await freePort();
  const server = new Daemon(world, 'memcached', 'memcached', ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-u', 'nobody', '-m', '64']);
  await answers(port);
  return { port, server };
}

export async function tap(world, ports, args = []) {
  const t = new Daemon(world, 'tap', path.join(build, 'agent/weft-tap'), ['--interfaces=lo', `--directory=${world.slabs}`, '--host=boxh',
    `--memcached=${ports.memcached ?? ''}`, `--redis=${ports.redis ?? ''}`, ...args]);
  await t.says(/tapping \d+ ports/);
  return t;
}

/* Whatever is said to a server as bytes, on one connection; ends when `enough` says so of the answer. */
export function converse(port, pieces, enough) {
  return new Promise((done, failed) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise((next) => setImmediate(next));
      }
    });
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (enough(text)) { socket.end(); done(text); }
    });
    socket.on('error', failed);
    socket.on('close', () => done(text));
  });
}

/* One metric of the tap's by one label, from the series: {get: 5, set: 2}. */
export async function series(collector, metric, by, port, host = '127.0.0.1') {
  const query = `sum by (${by}) (${metric}{cache="${host}:${port}",host="boxh"})`;
  const { data } = await collector.api(`/api/v1/query?query=${encodeURIComponent(query)}`);
  return Object.fromEntries(data.result.map(({ metric: labels, value }) => [labels[by], Number(value[1])]));
}

export const noted = (text, pattern) => Object.fromEntries([...text.matchAll(pattern)].map(([, name, value]) => [name, Number(value)]));

export function assertNothingLost(t, totals) {
  for (const [what, count] of Object.entries(totals)) assert.equal(count, 0, `${what}: ${t.said()}`);
}

export async function losses(collector) {
  const of = async (metric) => {
    const { data } = await collector.api(`/api/v1/query?query=sum(${metric})`);
    return Number(data.result[0]?.value[1] ?? NaN);
  };
  return { dropped: await of('weft_tap_dropped_packets_total'), gaps: await of('weft_tap_gaps_total'),
    losses: await of('weft_tap_losses_total'), skipped: await of('weft_tap_skipped_bytes_total') };
}

export const mayNamespace = spawnSync('unshare', ['--net', 'ip', 'link']).status === 0;

/* A network namespace, which goes with the test. */
export async function network(world, name) {
  const holder = new Daemon(world, name, 'sleep', ['infinity'], { within: ['unshare', '--net'] });
  const within = ['nsenter', '-t', String(holder.pid), '-n'];
  const run = (...words) => world.run(within[0], [...within.slice(1), ...words]);
  await until(`${name} is a network of its own`, () => {
    const own = spawnSync('readlink', [`/proc/${holder.pid}/ns/net`], { encoding: 'utf8' }).stdout;
    return own && own !== spawnSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' }).stdout;
  });
  return { pid: holder.pid, within, run };
}

/* Two hosts, 10.99.0.1 and 10.99.0.2, with a wire between them. */
export async function wired(world) {
  const hosts = [await network(world, 'box'), await network(world, 'other')];
  hosts[0].run('ip', 'link', 'add', 'wire0', 'type', 'veth', 'peer', 'name', 'wire0', 'netns', String(hosts[1].pid));
  for (const [n, host] of hosts.entries()) {
    host.run('ip', 'address', 'add', `10.99.0.${n + 1}/24`, 'dev', 'wire0');
    host.run('ip', 'link', 'set', 'wire0', 'up');
  }
  return hosts;
}

/* Waits until each command was counted as often as the server's own statistics have it. `inside`: what only scripts call. */
export async function countedAsRedisSays(collector, server, inside = []) {
  const told = server.cli('info', 'commandstats');
  const own = noted(told, /cmdstat_([\w|-]+):calls=(\d+)/g);
  const rejected = noted(told, /cmdstat_([\w|-]+):.*rejected_calls=(\d+)/g);
  for (const name of Object.keys(own)) own[name] += rejected[name];
  for (const name of ['info', ...inside]) delete own[name];
  await until('the tap has counted every command', async () => {
    const counted = await series(collector, 'weft_cache_commands_total', 'command', server.port);
    const withdrawn = await series(collector, 'weft_cache_withdrawn_total', 'command', server.port);
    for (const [name, count] of Object.entries(withdrawn)) counted[name] -= count;
    delete counted.info;
    for (const name of Object.keys(counted)) if (counted[name] === 0) delete counted[name];
    assert.deepEqual(counted, own);
    return true;
  });
}

/* The same of keys, with what became of them. */
export async function countedAsMemcachedSays(collector, server) {
  const own = noted(await converse(server.port, ['stats\r\n'], (text) => text.endsWith('END\r\n')), /STAT (\w+) (\d+)\r/g);
  await until('the tap has counted every key', async () => {
    const [keys, hits, misses, unanswered] = await Promise.all(['keys', 'hits', 'misses', 'unanswered'].map((what) =>
      series(collector, `weft_cache_${what}_total`, 'command', server.port)));
    const sum = (from, ...names) => names.reduce((total, name) => total + (from[name] ?? 0), 0);
    const gets = ['get', 'gets', 'mg']; /* it counts gat as a touch alone */
    /* Without a reply the wire does not say what was found. */
    const asked = (...names) => sum(hits, ...names) + sum(misses, ...names) + sum(unanswered, ...names);
    const both = (what) => own[`${what}_hits`] + own[`${what}_misses`];
    assert.deepEqual(
      [sum(keys, ...gets), sum(hits, ...gets), sum(misses, ...gets), sum(keys, 'set', 'add', 'replace', 'append', 'prepend', 'cas', 'ms'),
        asked('delete', 'md'), asked('incr', 'ma'), asked('decr'), asked('touch', 'gat')],
      [own.cmd_get, own.get_hits, own.get_misses, own.cmd_set, both('delete'), both('incr'), both('decr'), both('touch')]);
    return true;
  });
}

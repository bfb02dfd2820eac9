// SPDX-License-Identifier: Apache-2.0
/* Real caches, and the tap beside them. */
import { spawnSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { Daemon, build, freePort, until } from './harness.mjs';

/* Opening an interface needs a right that not everybody who runs tests has. */
const mayCapture = spawnSync(path.join(build, 'agent/weft-tap'), ['--interfaces=lo', '--directory=/nonexistent'],
  { timeout: 500, encoding: 'utf8' }).stderr.includes('CAP_NET_RAW') === false;
export const skip = mayCapture ? false : 'capturing needs CAP_NET_RAW';

async function answers(port) {
  await until(`somebody answers on ${port}`, () => new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); done(true); });
    socket.on('error', () => done(false));
  }));
}

export async function redis(world) {
  const port = await freePort();
  const server = new Daemon(world, 'redis', 'redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', world.dir]);
  await answers(port);
  return { port, server, cli: (...args) => world.run('redis-cli', ['-p', String(port), ...args]) };
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

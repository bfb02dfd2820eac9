// SPDX-License-Identifier: Apache-2.0
/* The agent's feed against whoever connects to it (docs/format/feed.md). */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Daemon, scenario } from './harness.mjs';

scenario('the feed takes frames alone, from its own user, and the agent lives on', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const feed = path.join(world.slabs, 'feed.sock');
  assert.equal(fs.statSync(feed).mode & 0o777, 0o600);
  /* The first answer; none where the agent lets go. */
  const talk = (bytes) => new Promise((done) => {
    const socket = net.connect(feed, () => socket.write(bytes));
    let said = Buffer.alloc(0);
    socket.on('data', (part) => {
      said = Buffer.concat([said, part]);
      if (said.length >= 16 && said.length >= 16 + said.readUInt32LE(4)) socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => done(said));
  });
  const frame = (type, body = Buffer.alloc(0), length = body.length) => {
    const head = Buffer.from([0x57, 0x46, 1, type, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32LE(length, 4);
    return Buffer.concat([head, body]);
  };
  assert.equal((await talk(Buffer.alloc(4096, 'x'))).length, 0);
  assert.equal((await talk(frame(1, Buffer.alloc(0), 0xffffffff))).length, 0);
  assert.equal((await talk(frame(2))).length, 0, 'answers are not for the agent');
  const refused = await talk(frame(1, Buffer.from('no batch')));
  assert.equal(refused[3], 4, 'refused');
  assert.equal(refused[8], 9, 'by its number');
  assert.match(refused.subarray(16).toString(), /not a zstd frame/);
  assert.equal((await agent.metrics()).get('weft_agent_feed_refused_total'), 1);
  assert.equal((await talk(Buffer.concat([frame(5), frame(5)])))[3], 6, 'summaries');
  if (process.getuid() === 0) {
    fs.chmodSync(world.slabs, 0o755);
    fs.chmodSync(feed, 0o666);
    const program = `const s = require('net').connect(${JSON.stringify(feed)});
      s.on('close', () => process.exit(7)); s.on('error', () => {});`;
    const stranger = new Daemon(world, 'stranger', 'setpriv', ['--reuid=65534', '--clear-groups', process.execPath, '-e', program]);
    assert.equal((await stranger.end()).code, 7, 'a stranger is let go');
    await agent.says(/a process of user 65534 is refused/);
  }
  await agent.stop();
  assert.ok(!fs.existsSync(feed));
});

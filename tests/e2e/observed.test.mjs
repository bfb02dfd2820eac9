// SPDX-License-Identifier: Apache-2.0
/* The cache in the trace: what a tap saw of a real Redis stands in the traces of those who asked it, under the
 * client span whose command it was, on one host and across two. Each command names a key of its own, so that a
 * child under the wrong span would be seen. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { Daemon, Service, build, freePort, ids, program, scenario, until } from './harness.mjs';
import { redis, skip, tap } from './tapped.mjs';

/* A service that asks a Redis (programs/cached.c). */
function cached(world, { env = {}, slabs = world.slabs, within = [] } = {}) {
  return Service.start(world, 'cell', { WEFT_DIR: slabs, ...env }, { file: program('cached'), within });
}

const text = (span, key) => span.attributes.find((a) => a.key === key)?.value;

/* The observed children of a span, once there are `count`. */
async function observed(collector, traceparent, count = 1) {
  const { trace, span } = ids(traceparent);
  const whole = await collector.trace(trace, (t) => t.spans.filter((s) => s.flags.includes('observed')).length >= count);
  const children = whole.spans.filter((s) => s.flags.includes('observed'));
  assert.equal(children.length, count);
  for (const child of children) assert.equal(child.parent_id, span);
  return { trace: whole, client: whole.spans.find((s) => s.span_id === span), children };
}

const results = async (agent) => Object.fromEntries([...await agent.metrics()].filter(([name]) => name.startsWith('weft_agent_inquiries_total'))
  .map(([name, value]) => [name.match(/"(.*)"/)[1], value]));

scenario('the cache stands in the trace, with its own time, the key and whether it was there', { skip }, async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port });
  server.cli('set', 'user:17:name', 'weft');
  const service = cached(world);
  await service.tell(`connect 127.0.0.1 ${server.port}`);
  const hit = await observed(collector, await service.tell('ask GET user:17:name'));
  const [child] = hit.children;
  assert.equal(child.name, 'get');
  assert.equal(child.kind, 'server');
  assert.equal(text(child, 'weft.cache.key_pattern'), 'user:*:name');
  assert.equal(text(child, 'weft.cache.outcome'), 'hit');
  assert.equal(text(child, 'weft.observed'), true);
  const { service: name, instance, host } = hit.trace.processes[child.process];
  assert.deepEqual([name, instance], ['redis', `127.0.0.1:${server.port}`]);
  assert.ok(host);
  assert.ok(child.duration_ns > 0 && child.duration_ns < hit.client.duration_ns);
  const miss = await observed(collector, await service.tell('ask GET user:18:name'));
  assert.equal(text(miss.children[0], 'weft.cache.outcome'), 'miss');
  const wrong = await observed(collector, await service.tell('ask LPUSH user:17:name x'));
  assert.equal(wrong.children[0].status, 'error');
  assert.equal(wrong.children[0].status_message, 'WRONGTYPE');
  const pipeline = await observed(collector, await service.tell('within 3 GET user:17:name'), 3);
  for (const one of pipeline.children) assert.equal(text(one, 'weft.cache.outcome'), 'hit');
  await service.leave();
  const found = await results(agent);
  assert.deepEqual([found.observed, found.ambiguous, found['not seen']], [4, 0, 0]);
  await t.stop();
});

scenario('commands that overlap on one connection are told apart by their order', { skip }, async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port });
  const service = cached(world);
  await service.tell(`connect 127.0.0.1 ${server.port}`);
  const asked = [];
  for (let i = 0; i < 3; i++) { /* commands that stand alone tell how the clocks stand */
    const alone = await service.tell('ask GET who:alone');
    await observed(collector, alone);
    asked.push([alone, 'who:alone']);
  }
  for (let i = 0; i < 60; i++) {
    const letters = String.fromCharCode(97 + i % 26).repeat(1 + i / 26);
    if (i % 7 === 3) await service.tell(`untraced GET nobody:${letters}`);
    const said = (await service.tell(`pipe ${1 + i % 5} GET who:${letters}`)).split(' ');
    for (const traceparent of said) asked.push([traceparent, `who:${letters}`]);
  }
  let whole = 0;
  await until('nothing waits any more', async () => Object.values(await results(agent))
    .reduce((sum, n) => sum + n, 0) === asked.length);
  for (const [traceparent, key] of asked) {
    const { trace, span } = ids(traceparent);
    const { spans } = await collector.trace(trace);
    const children = spans.filter((s) => s.flags.includes('observed'));
    for (const child of children) {
      assert.equal(child.parent_id, span);
      assert.equal(text(child, 'weft.cache.key_pattern'), key);
    }
    whole += children.length === 1;
  }
  assert.ok(whole > asked.length * 0.8, `${whole} of ${asked.length} were told: ${JSON.stringify(await results(agent))}`);
  await service.leave();
  await t.stop();
});

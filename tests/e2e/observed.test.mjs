// SPDX-License-Identifier: Apache-2.0
/* The cache in the trace: what a tap saw of a real Redis stands in the traces of those who asked it, under the
 * client span whose command it was, on one host and across two. Each command names a key of its own, so that a
 * child under the wrong span would be seen. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, Service, build, freePort, ids, program, scenario, until } from './harness.mjs';
import { mayNamespace, redis, skip, tap, wired } from './tapped.mjs';

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

/* From here on what is asked of caches is asked of their agents. */
const watched = (collector) => until('an agent watches', async () =>
  /weft_collector_watched_caches [1-9]/.test((await collector.ask('/metrics')).text));

const results = async (agent) => Object.fromEntries([...await agent.metrics()].filter(([name]) => name.startsWith('weft_agent_inquiries_total'))
  .map(([name, value]) => [name.match(/"(.*)"/)[1], value]));

scenario('the cache stands in the trace, with its own time, the key and whether it was there', { skip }, async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port });
  await watched(collector);
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
  const long = await observed(collector, await service.tell('within 500 GET user:18:name'));
  assert.deepEqual(['commands', 'hits', 'misses', 'errors'].map((of) => text(long.children[0], `weft.cache.${of}`)), [500, 0, 500, 0]);
  assert.equal(text(long.children[0], 'weft.cache.outcome'), 'miss');
  await service.leave();
  const found = await results(agent);
  assert.deepEqual([found.observed, found.ambiguous, found['not seen']], [5, 0, 0]);
  await t.stop();
});

scenario('commands that overlap on one connection are told apart by their order', { skip }, async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const server = await redis(world);
  const t = await tap(world, { redis: server.port });
  await watched(collector);
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
  assert.ok(whole > asked.length * 0.5, `${whole} of ${asked.length} were told: ${JSON.stringify(await results(agent))}`);
  await service.leave();
  await t.stop();
});

scenario('across two hosts whose clocks differ the agent of the cache is asked', { skip: skip || (!mayNamespace && 'network namespaces need CAP_SYS_ADMIN') }, async (world) => {
  const collector = await world.collector();
  const [box, other] = await wired(world);
  const port = await freePort();
  const server = new Daemon(world, 'redis', 'redis-server', ['--port', String(port), '--bind', '10.99.0.1', '--protected-mode', 'no', '--save', '', '--dir', world.dir],
    { within: box.within });
  await server.says(/Ready to accept/);
  const asked = await world.agent(collector, { name: 'boxc' });
  const t = new Daemon(world, 'tap', path.join(build, 'agent/weft-tap'),
    ['--interfaces=wire0', `--directory=${world.slabs}`, '--host=boxc', '--memcached=', `--redis=${port}`], { within: box.within });
  await t.says(/tapping 1 ports/);
  await watched(collector);
  /* The host of the service: its own agent, its clock three seconds ahead. */
  const slabs = path.join(world.slabs, 'other'), ahead = world.preload('clock_shift', { CLOCK_SHIFT_S: '3' });
  fs.mkdirSync(slabs);
  await world.agent(collector, { name: 'boxs', slabs, spool: path.join(world.dir, 'spool-other'), env: ahead });
  const service = cached(world, { slabs, env: ahead, within: other.within });
  await service.tell(`connect 10.99.0.1 ${port}`);
  const said = [];
  for (let i = 0; i < 20; i++) {
    const key = `who:${String.fromCharCode(97 + i)}`;
    said.push([await service.tell(`ask GET ${key}`), key]);
    if (i < 3) await observed(collector, said[i][0]); /* alone: by these the clocks are learned */
  }
  for (const [traceparent, key] of said) {
    const { trace, client, children: [child] } = await observed(collector, traceparent);
    assert.equal(text(child, 'weft.cache.key_pattern'), key);
    assert.equal(trace.processes[child.process].instance, `10.99.0.1:${port}`);
    const analysis = await collector.api(`/api/v1/analysis/traces/${trace.trace_id}?among=0`);
    const { call } = analysis.spans.find((s) => s.span_id === client.span_id);
    assert.equal(call.observed, true);
    assert.equal(call.server_ns + call.network_ns, client.duration_ns);
    assert.match(analysis.calls[0].sentence, new RegExp(`cell "ask redis" took .*: redis "get" ${key} \\(miss\\) .*, network and queues`));
    assert.ok(child.start_offset_ns < 1e9 || analysis.skew.corrected, 'its clock is seen to be off');
  }
  assert.equal((await results(asked)).observed, 20);
  await service.leave();
  await t.stop();
});

scenario('where nobody watches the trace says so', { skip }, async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const server = await redis(world);
  const service = cached(world);
  await service.tell(`connect 127.0.0.1 ${server.port}`);
  const why = async (traceparent, pattern) => {
    const { trace, span } = ids(traceparent);
    await collector.trace(trace);
    return until(`it says ${pattern}`, async () => {
      const { spans, calls } = await collector.api(`/api/v1/analysis/traces/${trace}?among=0`);
      assert.deepEqual(calls, []);
      return pattern.test(spans.find((s) => s.span_id === span).call.not_observed);
    });
  };
  await why(await service.tell('ask GET a'), /^no tap watches it$/);
  const t = await tap(world, { redis: server.port });
  await watched(collector);
  await service.tell(`connect 127.0.0.1 ${server.port}`);
  t.signal('SIGSTOP');
  const late = await service.tell('ask GET b');
  await why(late, /is on its way/);
  t.signal('SIGCONT');
  await observed(collector, late);
  await t.kill();
  await until('nobody watches any more', async () => (await collector.ask('/metrics')).text.includes('weft_collector_watched_caches 0'));
  await why(await service.tell('ask GET c'), /^no tap watches it$/);
  await service.leave();
});

// SPDX-License-Identifier: Apache-2.0
/* What a service records is what an engineer sees. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { build, ids, program, scenario, until } from './harness.mjs';
import { traceColumns } from '../ui/fixture-columns.mjs';

const byName = (trace, name) => trace.spans.find((s) => s.name === name);
const valueOf = (attributes, key) => attributes.find((a) => a.key === key);

scenario('a span of a C program is visible with everything that it says', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const web = world.scripted('web', {
    WEFT_VERSION: '1.4.0',
    WEFT_INSTANCE: 'web-0',
    WEFT_CELL: 'c1',
    WEFT_RESOURCE: 'zone=b,rack=r7',
  });
  const other = ids(await web.tell('begin producer earlier'));
  await web.tell('end');
  const { trace: id, span } = ids(await web.tell('begin server GET /dashboard'));
  await web.tell('string user.name Grüße "quoted" <b>');
  await web.tell('int bytes.sent 9223372036854775807');
  await web.tell('int small -7');
  await web.tell('double ratio 0.125');
  await web.tell('double lost nan');
  await web.tell('bool cached true');
  await web.tell('bytes raw abc');
  await web.tell('event retry attempt second');
  await web.tell(`link 00-${other.trace}-${other.span}-01 why earlier`);
  await web.tell('status error cell c2: connection reset');
  await web.tell('begin client redis LRANGE');
  await web.tell('end');
  await web.tell('end');

  const trace = await collector.trace(id, (t) => t.complete && t.spans.length === 2);
  const top = byName(trace, 'GET /dashboard');
  assert.equal(top.span_id, span);
  assert.equal(top.parent_id, '');
  assert.equal(top.kind, 'server');
  assert.equal(top.status, 'error');
  assert.equal(top.status_message, 'cell c2: connection reset');
  const value = (key) => {
    const { type, value: v } = valueOf(top.attributes, key);
    return [type, v];
  };
  assert.deepEqual(value('user.name'), ['string', 'Grüße "quoted" <b>']);
  assert.deepEqual(value('bytes.sent'), ['int', '9223372036854775807']);
  assert.deepEqual(value('small'), ['int', -7]);
  assert.deepEqual(value('ratio'), ['double', 0.125]);
  assert.deepEqual(value('lost'), ['double', 'NaN']);
  assert.deepEqual(value('cached'), ['bool', true]);
  assert.deepEqual(value('raw'), ['bytes', Buffer.from('abc').toString('base64')]);
  assert.equal(top.events.length, 1);
  assert.equal(top.events[0].name, 'retry');
  assert.ok(top.events[0].offset_ns >= 0 && top.events[0].offset_ns <= top.duration_ns);
  assert.equal(valueOf(top.events[0].attributes, 'attempt').value, 'second');
  assert.equal(top.links.length, 1);
  assert.equal(top.links[0].trace_id, other.trace);
  assert.equal(top.links[0].span_id, other.span);
  assert.equal(valueOf(top.links[0].attributes, 'why').value, 'earlier');
  const child = byName(trace, 'redis LRANGE');
  assert.equal(child.parent_id, span);
  assert.equal(child.kind, 'client');
  assert.equal(child.status, 'unset');
  const process = trace.processes[top.process];
  assert.equal(process.service, 'web');
  assert.equal(process.version, '1.4.0');
  assert.equal(process.instance, 'web-0');
  assert.equal(process.cell, 'c1');
  assert.equal(process.pid, web.pid);
  assert.equal(process.state, 'alive');
  assert.equal(valueOf(process.resource, 'zone').value, 'b');
  assert.equal(valueOf(process.resource, 'rack').value, 'r7');
  assert.equal(trace.error_count, 1);
  assert.deepEqual(trace.losses, []);

  const { services } = await collector.api('/api/v1/services');
  assert.deepEqual(services.map((s) => [s.name, s.spans, s.errors]), [['web', 3, 1]]);
  const { traces } = await collector.api('/api/v1/traces?status=error&service=web');
  assert.deepEqual(traces.map((t) => t.trace_id), [id]);
  await web.leave();
});

scenario('a request over two processes is one tree', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const web = world.scripted('web');
  const cell = world.scripted('cell');
  await web.tell('begin server GET /dashboard');
  const carried = await web.tell('begin client call cell');
  await cell.tell(`from ${carried} server deliver`);
  await cell.tell('end');
  await web.tell('end');
  await web.tell('end');

  const trace = await collector.trace(ids(carried).trace, (t) => t.complete && t.spans.length === 3);
  const call = byName(trace, 'call cell');
  const deliver = byName(trace, 'deliver');
  assert.equal(deliver.parent_id, call.span_id);
  assert.deepEqual(deliver.flags, ['remote_parent']);
  assert.equal(trace.processes[deliver.process].service, 'cell');
  assert.equal(trace.processes[call.process].service, 'web');
  assert.deepEqual(trace.spans.map((s) => s.name), ['GET /dashboard', 'call cell', 'deliver']);
});

scenario('a span is visible before it ends, and no longer in flight after', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const web = world.scripted('web');
  const { trace: id, span } = ids(await web.tell('begin server GET /slow'));
  await web.tell('int user.id 42');
  const open = await until('it is in flight', async () => {
    const { spans } = await collector.api('/api/v1/inflight?service=web');
    return spans.find((s) => s.span_id === span);
  });
  assert.equal(open.trace_id, id);
  assert.equal(open.name, 'GET /slow');
  assert.equal(open.pid, web.pid);
  assert.equal(valueOf(open.attributes, 'user.id').value, 42);
  const early = await collector.trace(id, (t) => t.in_flight_count === 1);
  assert.equal(early.spans[0].status, 'in_flight');
  const { traces } = await collector.api('/api/v1/traces?status=in_flight');
  assert.deepEqual(traces.map((t) => t.trace_id), [id]);

  await web.tell('end');
  await until('it is not in flight', async () => (await collector.api('/api/v1/inflight')).spans.length === 0);
  const late = await collector.trace(id, (t) => t.in_flight_count === 0);
  assert.equal(late.spans.length, 1);
  assert.equal(late.spans[0].status, 'unset');
});

scenario('a C++ program records, and an exception ends its scopes', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const id = world.run(program('cxx'), [], { env: { WEFT_DIR: world.slabs } }).trim();
  const trace = await collector.trace(id, (t) => t.complete && t.spans.length === 2);
  assert.equal(byName(trace, 'throws').status, 'error');
  assert.equal(byName(trace, 'throws').status_message, 'left by an exception');
  assert.deepEqual(byName(trace, 'main').events.map((e) => e.name), ['caught']);
  assert.equal(trace.processes[0].service, 'cxx');
});

scenario('a plugin that brought libweft can go before its threads do', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const plugin = path.join(build, 'tests/e2e/libe2e_plugin.so');
  const said = world.run(program('dlopener'), [plugin], { env: { WEFT_DIR: world.slabs, WEFT_SERVICE: 'host' } });
  assert.equal(said, 'done\n');
  await until('its eight spans are there', async () => {
    const { services } = await collector.api('/api/v1/services');
    return services.find((s) => s.name === 'host')?.spans === 8;
  });
});

scenario('without an agent, a directory or room a service goes on as if nothing was', async (world) => {
  const web = world.scripted('web', { WEFT_DIR: path.join(world.dir, 'missing') });
  assert.equal(await web.tell('begin server GET /'), '-');
  await web.tell('string key value');
  await web.tell('end');
  assert.ok(Number(await web.tell('losses')) > 0);
  await web.leave();
});

scenario('a trace as columns says what it says as JSON', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const services = ['web', 'cell'].map((name) => world.scripted(name));
  let parent = await services[0].tell('begin server GET /columns');
  const { trace } = ids(parent);
  for (let depth = 0; depth < 30; depth++) {
    const service = services[depth % 2];
    parent = await service.tell(`from ${parent} ${depth % 2 ? 'server' : 'client'} step ${depth % 5} naïve`);
    await service.tell(`event woke why ${depth}`);
    if (depth % 3 === 0) await service.tell('end');
    if (depth === 10) await service.tell('status error no');
  }
  await services[0].tell(`from 00-${trace}-00000000000000aa-01 server whose parent is missing`);
  for (const service of services) await service.leave();
  const json = await collector.trace(trace, (t) => t.spans.length >= 32 && t.in_flight_count === 0);
  const { bytes, status, headers } = await collector.ask(`/api/v1/traces/${trace}?format=columns`);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/octet-stream');
  const head = (all) => 16 + Math.ceil(all.readUInt32LE(8) / 8) * 8;
  const told = JSON.parse(bytes.subarray(16, 16 + bytes.readUInt32LE(8)).toString());
  assert.deepEqual(told, { ...json, spans: [] });
  const expected = traceColumns(json);
  assert.deepEqual(bytes.subarray(head(bytes)), expected.subarray(head(expected)));
  assert.equal((await collector.ask(`/api/v1/traces/${trace}?format=columns&limit=1`)).status, 400);
});

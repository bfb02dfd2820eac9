// SPDX-License-Identifier: Apache-2.0
/* docs/openapi.yaml against a running collector: every route is described, every answer is as
 * described, and what is not described is refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root, scenario, until } from './harness.mjs';

const require = createRequire(path.join(root, 'ui/package.json'));
const { parse } = require('yaml');
const Ajv = require('ajv/dist/2020').default;

const spec = parse(readFileSync(path.join(root, 'docs/openapi.yaml'), 'utf8'), { merge: true });
const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'openapi', components: spec.components });

const named = (item) => (item.$ref ? item.$ref.split('/').slice(1).reduce((at, name) => at[name], spec) : item);

function assertValid(schema, value, where) {
  const rooted = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components'));
  const validate = ajv.compile(rooted);
  assert.ok(validate(value), `${where}: ${JSON.stringify(validate.errors?.slice(0, 3))} in ${JSON.stringify(value).slice(0, 400)}`);
}

/* The call of an operation with its examples; those in `given` go before. */
function callOf(template, operation, given) {
  const query = new URLSearchParams();
  let at = template;
  for (const parameter of (operation.parameters ?? []).map(named)) {
    const value = given[parameter.name] ?? parameter.example;
    if (parameter.in === 'path') at = at.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value !== undefined) query.set(parameter.name, value);
  }
  return query.size > 0 ? `${at}?${query}` : at;
}

const jsonSchema = (operation, status) => named(operation.responses[status])?.content?.['application/json']?.schema;

scenario('every route is described', async () => {
  const routes = readFileSync(path.join(root, 'collector/web/route.c'), 'utf8');
  const described = Object.keys(spec.paths);
  for (const [, route, prefix] of routes.matchAll(/^\s*\{"(\/[^"]*)", (true|false), WEB_/gm)) {
    const found = described.some((p) => (prefix === 'true' ? p.startsWith(`${route}{`) : p === route));
    assert.ok(found, `${route} is not in docs/openapi.yaml`);
  }
});

scenario('every answer is as described', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const worker = world.worker('described', ['--requests=20', '--threads=2']);
  const open = world.scripted('open');
  await open.tell('begin server GET /open');
  await worker.finish({ ask: false });
  await until('spans are there', async () => (await collector.api('/api/v1/services')).services.some((s) => s.name === 'described'));
  await until('one is in flight', async () => (await collector.api('/api/v1/inflight')).spans.length > 0);
  const made = await collector.api('/api/v1/marks', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ title: 'described' }) });
  assert.deepEqual(made, { id: 1 });
  const dashboard = { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ title: 'described', panels: [] }) };
  assert.deepEqual(await collector.api('/api/v1/dashboards/deploys', dashboard), { name: 'deploys' });
  const { traces } = await collector.api('/api/v1/traces?service=described&limit=2');
  const given = { trace_id: traces[0].trace_id, start: String(BigInt(traces[0].start_unix_ns) - 60_000_000_000n) };
  let checked = 0;
  for (const [template, methods] of Object.entries(spec.paths)) {
    const schema = methods.get && jsonSchema(methods.get, '200');
    if (!schema || ['/api/v1/deploys/{id}', '/api/v1/caches/{id}'].includes(template)) continue; /* there is none: stats.test.mjs and caches.test.mjs ask */
    const prometheus = methods.get.tags?.includes('prometheus'); /* has times of its own */
    const call = callOf(template, methods.get, prometheus ? {} : given);
    const answer = await collector.ask(call);
    assert.equal(answer.status, 200, `${call}: ${answer.text}`);
    assertValid(schema, JSON.parse(answer.text), call);
    checked++;
    if (prometheus) {
      if (!methods.post) continue;
      const [where, form] = call.split('?');
      const posted = await collector.ask(where, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form });
      assert.equal(posted.status, 200, `${call} by POST: ${posted.text}`);
      assertValid(schema, JSON.parse(posted.text), call);
      continue;
    }
    const wrong = await collector.ask(`${call}${call.includes('?') ? '&' : '?'}no_such_parameter=1`);
    assert.equal(wrong.status, 400, call);
    assertValid(spec.components.schemas.Refusal, JSON.parse(wrong.text), call);
  }
  assert.ok(checked >= 25, `${checked} routes were asked`);
  await open.tell('end');
  await open.leave();
  await agent.drained();
});

scenario('refusals are as described', async (world) => {
  const collector = await world.collector();
  const unknown = '0123456789abcdef0123456789abcdef';
  for (const [call, status] of [
    [`/api/v1/traces/${unknown}`, 404],
    [`/api/v1/analysis/traces/${unknown}`, 404],
    ['/api/v1/search', 400],
    ['/api/v1/search?q=%7B', 400],
    ['/api/v1/search?q=%7B%20duration%20%3D%20%22x%22%20%7D', 400],
    ['/api/v1/search?q=%7B%7D%20%7C%20rate()', 400],
    ['/api/v1/measure?q=%7B%7D', 400],
    ['/api/v1/tags/nothing/values', 404],
    ['/api/v1/analysis/diff?a=%7B%7D', 400],
    [`/api/v1/analysis/diff?a=${unknown}&b=${unknown}`, 404],
    ['/api/v1/firehose?offset=yesterday', 400],
    ['/api/v1/caches?range=long', 400],
    ['/api/v1/caches?range=5m&start=1', 400],
    ['/api/v1/caches/7', 404],
    ['/api/v1/caches/7/values', 404],
    ['/api/v1/caches/keys?by=age', 400],
    ['/api/v1/caches/patterns?by=bytes', 400],
    ['/api/v1/none', 404],
  ]) {
    const answer = await collector.ask(call);
    assert.equal(answer.status, status, `${call}: ${answer.text}`);
    assertValid(spec.components.schemas.Refusal, JSON.parse(answer.text), call);
  }
  for (const [call, status, type] of [
    ['/api/v1/query', 400, 'bad_data'],
    ['/api/v1/query?query=sum(', 400, 'bad_data'],
    ['/api/v1/query?query=rate(up)', 400, 'bad_data'],
    ['/api/v1/query?query=up&time=soon', 400, 'bad_data'],
    ['/api/v1/query_range?query=up&start=0&end=10', 400, 'bad_data'],
    ['/api/v1/query_range?query=up&start=10&end=0&step=1', 400, 'bad_data'],
    ['/api/v1/query_range?query=up&start=0&end=100000&step=1', 400, 'bad_data'],
    ['/api/v1/query_range?query=up[5m]&start=0&end=10&step=1', 400, 'bad_data'],
    ['/api/v1/series', 400, 'bad_data'],
    ['/api/v1/series?match[]=up[5m]', 400, 'bad_data'],
    ['/api/v1/label/x', 400, 'bad_data'],
    ['/api/v1/status/tsdb?limit=0', 400, 'bad_data'],
  ]) {
    const answer = await collector.ask(call);
    assert.equal(answer.status, status, `${call}: ${answer.text}`);
    assertValid(spec.components.schemas.PromRefusal, JSON.parse(answer.text), call);
    assert.equal(JSON.parse(answer.text).errorType, type, call);
  }
});

scenario('OTLP is taken and comes back, as JSON and as protobuf', async (world) => {
  const collector = await world.collector();
  const id = 'abcdefabcdefabcdefabcdefabcdefab';
  const body = JSON.stringify({ resourceSpans: [{
    resource: { attributes: [{ key: 'service.name', value: { stringValue: 'otlp' } }] },
    scopeSpans: [{ spans: [{ traceId: id, spanId: '00000000000000aa', name: 'x', kind: 2, startTimeUnixNano: '1763760000000000000', endTimeUnixNano: '1763760000000001000' }] }] }] });
  const taken = await collector.ask('/v1/traces', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.equal(taken.status, 200, taken.text);
  await collector.trace(id, (t) => t.span_count === 1);
  const json = JSON.parse((await collector.ask(`/api/v1/traces/${id}?format=otlp-json`)).text);
  assert.equal(json.resourceSpans[0].scopeSpans[0].spans[0].spanId, '00000000000000aa');
  const again = await collector.ask(`/api/v1/traces/${id}`, { headers: { accept: 'application/x-protobuf' } });
  assert.equal(again.headers['content-type'], 'application/x-protobuf');
  const wrong = await collector.ask('/v1/traces', { method: 'POST', headers: { 'content-type': 'text/plain' }, body });
  assert.equal(wrong.status, 415);
});

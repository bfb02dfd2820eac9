// SPDX-License-Identifier: Apache-2.0
/* From a service's counters to PromQL: nothing missing and nothing twice, whoever is killed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build, root, scenario, until } from './harness.mjs';

const StatsDClient = createRequire(path.join(root, 'ui/package.json'))('statsd-client');

/* `weft ARGS`: what it says, and its exit status. */
const weft = (collector, ...args) => spawnSync(path.join(build, 'cli/weft'), args,
  { encoding: 'utf8', env: { ...process.env, WEFT_URL: collector.url, NO_COLOR: '1' } });

/* An instant query's result as "labels the test asks for" -> number. */
async function query(collector, promql, time) {
  const form = new URLSearchParams({ query: promql });
  if (time) form.set('time', String(time));
  const answer = await collector.ask(`/api/v1/query?${form}`);
  assert.equal(answer.status, 200, `${promql}: ${answer.text}`);
  return JSON.parse(answer.text).data.result;
}

async function number(collector, promql) {
  const result = await query(collector, promql);
  return result.length === 1 ? Number(result[0].value[1]) : undefined;
}

/* Waits until a query has one series with this value. */
const becomes = (collector, promql, value) =>
  until(`${promql} is ${value}`, async () => {
    const found = await number(collector, promql);
    if (found !== value) throw new Error(`it is ${found}`);
    return true;
  });

scenario('what a service counts is asked in PromQL, with who counted', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const service = world.scripted('counting', { WEFT_VERSION: '1.7', WEFT_CELL: 'c3' });
  for (const line of ['count posts_total 5', 'gauge queue_length 2.5', 'record size_bytes 1000', 'record size_bytes 3000'])
    assert.equal(await service.tell(line), 'ok');
  await becomes(collector, 'posts_total', 5);
  const [posts] = await query(collector, 'posts_total');
  const { host, ...labels } = posts.metric;
  assert.ok(host);
  assert.deepEqual(labels, { __name__: 'posts_total', service: 'counting', version: '1.7', cell: 'c3', kind: 'scripted' });
  await becomes(collector, 'queue_length{service="counting"}', 2.5);
  await becomes(collector, 'histogram_count(size_bytes)', 2);
  await becomes(collector, 'histogram_sum(size_bytes)', 4000);
  const high = await number(collector, 'histogram_quantile(1, size_bytes)');
  assert.ok(high > 2950 && high < 3050, `${high} is the largest value`);
  await service.tell('count posts_total 7');
  await becomes(collector, 'posts_total', 12);
  const { data } = JSON.parse((await collector.ask('/api/v1/metadata?metric=posts_total')).text);
  assert.equal(data.posts_total[0].type, 'counter');
  await service.leave();
  await agent.drained();
  await becomes(collector, 'posts_total', 12);
});

scenario('counts are exact whoever is killed: services, the agent, the collector', async (world) => {
  let collector = await world.collector();
  let agent = await world.agent(collector);
  let expected = 0;
  for (let round = 0; round < 6; round++) {
    const service = world.scripted('victim');
    for (let i = 0; i < 50; i++) {
      await service.tell(`count hits_total ${i}`);
      expected += i;
      if (i === 25 && round % 3 === 0) {
        await agent.kill();
        agent = await agent.again();
      }
      if (i === 25 && round % 3 === 1) {
        await collector.kill();
        collector = await collector.again();
      }
    }
    await service.kill();
  }
  await agent.drained();
  /* Sums go on over restarts of the collector; where they begin anew, increase() adds what was before. */
  await becomes(collector, 'sum(hits_total)', expected);
  await collector.stop();
  collector = await collector.again();
  await becomes(collector, 'sum(hits_total)', expected);
});

scenario('counts are exact where a round takes several batches, and the agent is killed between them', async (world) => {
  const collector = await world.collector();
  let agent = await world.agent(collector, { args: ['--batch-bytes=4096'] });
  const services = Array.from({ length: 6 }, (_, i) => world.scripted(`busy${i}`));
  const metrics = Array.from({ length: 250 }, (_, i) => `busy_${i}_total`);
  let expected = 0;
  const count = async (service) => {
    for (const metric of metrics) {
      await service.tell(`count ${metric} 3`);
      expected += 3;
    }
  };
  for (let round = 0; round < 6; round++) {
    await Promise.all(services.map(count));
    await agent.kill();
    agent = await agent.again();
  }
  await Promise.all(services.map((s) => s.leave()));
  await agent.drained();
  await becomes(collector, 'sum({__name__=~"busy_.*"})', expected);
  assert.equal(await number(collector, 'count({__name__=~"busy_.*"})'), services.length * metrics.length);
});

scenario('every span is in the rates, by operation and status, and leads to its trace', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const worker = world.worker('rated', ['--requests=300', '--threads=2']);
  const said = await worker.finish({ ask: false });
  await agent.drained();
  await becomes(collector, 'sum(traces_span_metrics_calls_total{service_name="rated"})', said.ended);
  await becomes(collector, 'sum(histogram_count(traces_span_metrics_duration_seconds{service_name="rated"}))', said.ended);
  const form = new URLSearchParams({ query: 'traces_span_metrics_duration_seconds{service_name="rated"}', start: '0' });
  const { data } = JSON.parse((await collector.ask(`/api/v1/query_exemplars?${form}`)).text);
  assert.ok(data.length > 0, 'there are exemplars');
  const { trace_id: id, span_id: span } = data[0].exemplars[0].labels;
  const trace = await collector.trace(id);
  assert.ok(trace.spans.some((s) => s.span_id === span), 'the exemplar is a span that is there');
  assert.ok(await number(collector, 'sum(weft_processes)') === undefined, 'the process is gone, and so is its gauge');
});

scenario('StatsD over UDP becomes series', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const [, port] = await agent.says(/statsd on port (\d+)/);
  const socket = dgram.createSocket('udp4');
  const send = (text) => new Promise((done) => { socket.send(text, Number(port), '127.0.0.1', done); });
  for (let i = 0; i < 1000; i++) await send(`hits:1|c|#route:/${i % 4}\ndepth:${i}|g\ntook:${i}|ms`);
  await becomes(collector, 'sum(hits)', 1000);
  await becomes(collector, 'hits{route="/3"}', 250);
  await becomes(collector, 'depth', 999);
  await becomes(collector, 'histogram_count(took)', 1000);
  // The agent's own names are not to be had, whatever type they are given.
  await send('traces_span_metrics_calls_total:5|g\ntraces_span_metrics_calls_total:5|c');
  await becomes(collector, 'weft_agent_series_refused_total{metric="traces_span_metrics_calls_total",reason="own_name"}', 2);
  assert.equal(await number(collector, 'sum(traces_span_metrics_calls_total)'), undefined);
  socket.close();
  await agent.stop();
});

scenario('what a StatsD client sends becomes series: all its types, with tags, many lines in a packet', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const [, port] = await agent.says(/statsd on port (\d+)/);
  const client = new StatsDClient({
    host: '127.0.0.1', port: Number(port), prefix: 'shop', tags: { region: 'eu' },
    maxBufferSize: 1200, socketTimeout: 10, // many lines in a packet
  });
  for (let i = 1; i <= 200; i++) {
    client.increment('orders', 2, { kind: i % 2 ? 'book' : 'pen' });
    client.timing('checkout', i);
    client.histogram('basket', i);
    client.distribution('weight', i);
    client.set('customers', `c${i % 50}`);
  }
  client.gauge('queue', 10).gaugeDelta('queue', 5).gaugeDelta('queue', -3);
  client.raw('shop.sampled:3|c|@0.1');
  client.decrement('orders'); // a counter does not go back
  await becomes(collector, 'sum({"shop.orders", region="eu"})', 400);
  await becomes(collector, '{"shop.orders", kind="pen"}', 200);
  await becomes(collector, '{"shop.queue", region="eu"}', 12);
  await becomes(collector, '{"shop.sampled"}', 30);
  for (const name of ['checkout', 'basket', 'weight']) {
    await becomes(collector, `histogram_count({"shop.${name}"})`, 200);
    await becomes(collector, `histogram_sum({"shop.${name}"})`, 20100);
  }
  await until('the set has some fifty customers', async () =>
    Math.abs((await number(collector, '{"shop.customers"}')) - 50) <= 3);
  await becomes(collector, 'weft_agent_statsd_bad_lines_total', 1);
  const packets = await number(collector, 'weft_agent_statsd_packets_total');
  assert.ok(packets < 300, `${packets} packets for 1,005 lines`);
  client.close();
});

scenario('labels that explode are refused by metric, and named', async (world) => {
  const collector = await world.collector({ args: ['--series-active=2000'] });
  const agent = await world.agent(collector, { args: ['--series-per-metric=10'] });
  const [, port] = await agent.says(/statsd on port (\d+)/);
  const socket = dgram.createSocket('udp4');
  for (let i = 0; i < 30; i++)
    await new Promise((done) => { socket.send(`hits:1|c|#user:${i}`, Number(port), '127.0.0.1', done); });
  await becomes(collector, 'count(hits)', 10);
  await becomes(collector, 'weft_agent_series_refused_total{metric="hits",reason="series_limit"}', 20);
  socket.close();
});

scenario('the collector refuses series beyond its limit, and old ones go on', async (world) => {
  const collector = await world.collector({ args: ['--series-active=5', '--own-metrics=0'] });
  const agent = await world.agent(collector, { args: ['--own-metrics=0'] });
  const [, port] = await agent.says(/statsd on port (\d+)/);
  const socket = dgram.createSocket('udp4');
  const send = (text) => new Promise((done) => { socket.send(text, Number(port), '127.0.0.1', done); });
  await send('old:1|c');
  await becomes(collector, 'old', 1);
  for (let i = 0; i < 20; i++) await send(`new:1|c|#user:${i}`);
  await until('some are refused', async () => (await collector.status()).collector.series.refused.series_limit > 0);
  await send('old:1|c');
  await becomes(collector, 'old', 2);
  assert.equal((await collector.status()).collector.series.most_refused_metric, 'new');
  socket.close();
});

scenario('a new version is a deploy by itself, and a death is a mark', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const identity = { WEFT_CELL: 'c1' };
  const old = world.scripted('deployed', { ...identity, WEFT_VERSION: '1.0' });
  await old.tell('count posts_total 1');
  await becomes(collector, 'weft_processes{service="deployed",version="1.0"}', 1);
  await old.leave();
  const fresh = world.scripted('deployed', { ...identity, WEFT_VERSION: '1.1' });
  await fresh.tell('count posts_total 1');
  const [deploy] = await until('there is a deploy', async () => {
    const { marks } = await collector.api('/api/v1/marks?kind=deploy&service=deployed');
    return marks.length > 0 && marks;
  });
  assert.equal(deploy.version, '1.1');
  assert.equal(deploy.previous, '1.0');
  assert.equal(deploy.cell, 'c1');
  const verdict = await collector.api(`/api/v1/deploys/${deploy.id}`);
  assert.equal(verdict.cell.basis, 'none');
  const { first_host: first, last_host: last, ...rollout } = verdict.rollout;
  assert.deepEqual(rollout, { hosts: 1, of_hosts: 1 });
  assert.ok(first && first === last);
  await fresh.tell('begin server GET /last');
  await fresh.kill();
  await until('its death is a mark', async () => {
    const { marks } = await collector.api('/api/v1/marks?kind=death');
    return marks.length === 1 && marks[0].service === 'deployed' && marks[0].version === '1.1';
  });
  const line = weft(collector, 'deploys').stdout;
  assert.match(line, /deployed .* c1 .* 1\.0 -> 1\.1  1 of 1 host  unknown/);
  const told = weft(collector, 'deploy', String(deploy.id));
  assert.equal(told.status, 0);
  assert.ok(told.stdout.includes(`rolled out: 1 of 1 host, first `) && told.stdout.includes(` on ${first}\n`), told.stdout);
  assert.equal(weft(collector, 'deploy', '999').status, 1);
  assert.match(weft(collector, 'mark', 'note', 'caches flushed', '--service', 'deployed').stdout, /^mark \d+$/m);
  assert.match(weft(collector, 'marks').stdout, /note +caches flushed/);
  assert.equal(weft(collector, 'mark', 'deploy', '--service', 'deployed').status, 1, 'a deploy needs a version');
  assert.equal(weft(collector, 'mark', 'party').status, 2);
  await agent.drained();
});

scenario('weft promql shows values, curves and what is wrong', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const service = world.scripted('shown');
  await service.tell('count posts_total 7');
  await becomes(collector, 'posts_total', 7);
  assert.match(weft(collector, 'promql', 'posts_total').stdout, /^posts_total\{.*service="shown".*\}  7$/m);
  assert.equal(weft(collector, 'promql', '1 + 1').stdout, '2\n');
  const now = Date.now() / 1000;
  const curve = weft(collector, 'promql', 'posts_total', '--start', String(now - 60), '--end', String(now), '--step', '1s');
  assert.match(curve.stdout, /[▁▂▃▄▅▆▇█]+ +\d+ to 7/);
  const wrong = weft(collector, 'promql', 'sum(');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /1:5/);
  await service.leave();
  await agent.stop();
});

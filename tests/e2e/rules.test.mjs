// SPDX-License-Identifier: Apache-2.0
/* Rules over what services count: what is recorded is asked, alerts become marks and messages. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { build, scenario, until } from './harness.mjs';

/* What an Alertmanager would get: every alert of every request. `status`: what it answers. */
async function receiver(t) {
  const r = { alerts: [], requests: [], status: 200 };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      r.requests.push(`${request.method} ${request.url} ${request.headers['content-type']}`);
      if (r.status === 200) r.alerts.push(...JSON.parse(Buffer.concat(parts).toString('utf8')));
      response.writeHead(r.status).end();
    });
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  t.after(() => { server.closeAllConnections(); server.close(); });
  r.url = `http://127.0.0.1:${server.address().port}`;
  return r;
}

async function statsd(agent, t) {
  const [, port] = await agent.says(/statsd on port (\d+)/);
  const socket = dgram.createSocket('udp4');
  t.after(() => socket.close());
  return (text) => new Promise((done) => { socket.send(text, Number(port), '127.0.0.1', done); });
}

async function query(collector, promql) {
  const answer = await collector.ask(`/api/v1/query?${new URLSearchParams({ query: promql })}`);
  assert.equal(answer.status, 200, `${promql}: ${answer.text}`);
  return JSON.parse(answer.text).data.result;
}

/* The one group's one rule of that name, as the API tells of it. */
async function rule(collector, name) {
  const { data } = await collector.api(`/api/v1/rules?${new URLSearchParams({ 'rule_name[]': name })}`);
  return data.groups[0]?.rules[0];
}

function rulesFile(world, text) {
  const file = path.join(world.dir, 'rules.yml');
  fs.writeFileSync(file, text);
  return file;
}

scenario('a counter is recorded, and its alert fires, is sent, marked and resolved', async (world, t) => {
  const manager = await receiver(t);
  const file = rulesFile(world, `groups:
- name: web
  interval: 1s
  rules:
  - record: hits:doubled
    expr: sum(hits) * 2
    labels: {team: core}
  - alert: ManyHits
    expr: sum by (service) (hits:doubled) > 9 unless calm == 1
    labels: {severity: page}
    annotations: {summary: 'there are {{ $value | humanize }}'}
  - {record: wrong, expr: hits + on() group_left() two}
`);
  const collector = await world.collector({ args: [`--rules=${file}`, `--alertmanagers=${manager.url}/`] });
  const agent = await world.agent(collector);
  const send = await statsd(agent, t);
  await send('hits:5|c');
  await until('it is recorded', async () => {
    const [found] = await query(collector, 'hits:doubled');
    return found && found.value[1] === '10' && found.metric.team === 'core';
  });
  await until('the alert fires', async () => (await rule(collector, 'ManyHits')).state === 'firing');
  const [active] = (await collector.api('/api/v1/alerts')).data.alerts;
  assert.deepEqual(active.labels, { alertname: 'ManyHits', severity: 'page' });
  assert.equal(active.annotations.summary, 'there are 10');
  assert.equal(active.value, '1e+01');
  assert.equal((await rule(collector, 'hits:doubled')).health, 'ok');
  const sent = await until('it is sent', () => manager.alerts[0]);
  assert.equal(manager.requests[0], 'POST /api/v2/alerts application/json');
  assert.deepEqual(sent.labels, { alertname: 'ManyHits', severity: 'page' });
  assert.ok(Date.parse(sent.endsAt) > Date.parse(sent.startsAt));
  assert.match(sent.generatorURL, /^http:\/\/127\.0\.0\.1:\d+\/api\/v1\/query\?query=sum%20by/);
  const [begun] = await until('it is marked', async () => {
    const { marks } = await collector.api('/api/v1/marks?kind=alert');
    return marks.length > 0 && marks;
  });
  assert.equal(begun.title, 'ManyHits');
  await until('ALERTS is there', async () => (await query(collector, 'ALERTS{alertstate="firing"}')).length === 1);
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('> 9 unless calm == 1', '> 99'));
  collector.signal('SIGHUP');
  const resolved = await until('its end is sent', () => manager.alerts.find((a) => Date.parse(a.endsAt) <= Date.now()));
  assert.equal(resolved.startsAt, sent.startsAt);
  await until('ALERTS ends', async () => (await query(collector, 'ALERTS')).length === 0);
  await until('the mark has an end', async () => {
    const { marks } = await collector.api('/api/v1/marks?kind=alert');
    return marks.length === 1 && BigInt(marks[0].to_unix_ns) > BigInt(marks[0].from_unix_ns);
  });
  assert.equal((await collector.api('/api/v1/alerts')).data.alerts.length, 0);
  await agent.stop();
  await collector.stop();
});

scenario('a restart keeps the time that an alert was pending', async (world) => {
  const file = rulesFile(world, `groups:
- name: web
  interval: 1s
  rules:
  - {alert: Waiting, expr: vector(1), for: 1h}
`);
  let collector = await world.collector({ args: [`--rules=${file}`, '--rules-grace=0'] });
  const since = async () => {
    const [found] = await query(collector, 'ALERTS_FOR_STATE');
    return found && Number(found.value[1]);
  };
  const before = await until('it is pending', since);
  await until('some seconds are known', async () =>
    (await query(collector, 'count_over_time(ALERTS_FOR_STATE[1m]) >= 3')).length === 1);
  const [[down]] = (await query(collector, 'timestamp(ALERTS_FOR_STATE)')).map((r) => [Number(r.value[1])]);
  await collector.kill();
  collector = await collector.again();
  const after = await until('it is pending again', async () => {
    const [told] = await query(collector, 'timestamp(ALERTS_FOR_STATE)'); /* nothing is, before it is restored */
    if (!told || Number(told.value[1]) <= down + 1) return false;
    const { alerts } = (await collector.api('/api/v1/alerts')).data;
    return alerts.length === 1 && Date.parse(alerts[0].activeAt) / 1000;
  });
  /* Time in which nobody looked does not count; what was before does. */
  const now = Date.now() / 1000;
  assert.ok(now - after >= down - before - 1, `pending for ${now - after} s, ${down - before} s of them before`);
  await collector.stop();
});

scenario('a receiver that is down gets the alert when it is up', async (world, t) => {
  const manager = await receiver(t);
  manager.status = 503;
  const file = rulesFile(world, 'groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1)}, {record: seen, expr: ALERTS}]}]');
  const collector = await world.collector({ args: [`--rules=${file}`, `--alertmanagers=http://127.0.0.1:1,${manager.url}`] });
  await until('it was tried', () => manager.requests.length >= 2);
  await until('rules go on', async () => (await query(collector, 'seen')).length === 1);
  manager.status = 200;
  await until('it is there', () => manager.alerts.length > 0);
  assert.equal(manager.alerts[0].labels.alertname, 'Always');
  await collector.stop();
});

scenario('what is wrong in a file is said with its line', async (world) => {
  const file = rulesFile(world, 'groups:\n- name: g\n  rules:\n  - record: r\n    expr: sum(\n');
  const check = () => spawnSync(path.join(build, 'collector/weft-collector'), ['--check-config', `--rules=${file}`],
    { encoding: 'utf8', env: { ...process.env, ...world.sanitizerEnv() } });
  const wrong = check();
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /rules\.yml:5: expr, line 1, column 5: /);
  fs.writeFileSync(file, 'groups: [{name: g, rules: [{record: r, expr: up}]}]');
  assert.equal(check().status, 0);
  const collector = await world.collector({ args: [`--rules=${file}`] });
  fs.writeFileSync(file, 'groups: [{name: g, rulez: []}]');
  collector.signal('SIGHUP');
  await collector.says(/configuration stays as it was: .*rules\.yml:1: found unknown key "rulez"/);
  assert.equal((await rule(collector, 'r')).name, 'r');
  await collector.stop();
});

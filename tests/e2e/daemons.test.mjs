// SPDX-License-Identifier: Apache-2.0
/* How the daemons start, refuse to start, answer those who watch over them, and stop. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ask, build, parseMetrics, scenario, until } from './harness.mjs';

const collectorFile = path.join(build, 'collector/weft-collector');
const agentFile = path.join(build, 'agent/weft-agent');
const run = (file, args) => spawnSync(file, args, { encoding: 'utf8', timeout: 60_000 });

/* Prometheus' text format, as strictly as its own parser takes it. */
function checkExposition(answer) {
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const types = new Map();
  const seen = new Set();
  let family;
  assert.ok(answer.text.endsWith('\n'));
  for (const line of answer.text.trimEnd().split('\n')) {
    const told = line.match(/^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/);
    if (told) {
      if (told[2] !== family) assert.ok(!seen.has(told[2]), `${told[2]} comes in one piece`);
      family = told[2];
      seen.add(family);
      if (told[1] === 'TYPE') types.set(family, told[3]);
      continue;
    }
    const sample = line.match(/^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/);
    assert.ok(sample, `no sample: ${line}`);
    assert.ok(Number.isFinite(Number(sample[3])) || /^[+-]Inf$|^NaN$/.test(sample[3]), line);
    const name = types.get(family) === 'histogram' ? sample[1].replace(/_(bucket|sum|count)$/, '') : sample[1];
    assert.equal(name, family, `${line} stands under its own family`);
    if (types.get(family) === 'counter') assert.match(family, /_total$/);
  }
  return parseMetrics(answer.text);
}

scenario('healthz, readyz and metrics answer as those who watch expect', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const worker = world.worker('na"me\\d\n', ['--requests=20']);
  const { ended } = await worker.finish({ ask: false });
  await agent.drained();
  const healthz = await collector.ask('/healthz');
  assert.deepEqual([healthz.status, healthz.json()], [200, { status: 'alive' }]);
  const readyz = await collector.ask('/readyz');
  assert.deepEqual([readyz.status, readyz.json()], [200, { status: 'ready' }]);
  const values = await until('both know of it', async () => {
    const m = checkExposition(await collector.ask('/metrics'));
    return m.get('weft_agent_spans_total{agent="box"}') === ended && m;
  });
  assert.equal(values.get('weft_collector_accepted_spans_total'), ended);
  assert.equal(values.get('weft_agent_connected{agent="box"}'), 1);
  const own = checkExposition(await ask(`${agent.url}/metrics`));
  assert.equal(own.get('weft_agent_spans_total'), ended);
  assert.equal(own.get('weft_agent_link_ready'), 1);
  assert.equal((await ask(`${agent.url}/healthz`)).status, 200);
  assert.equal((await ask(`${agent.url}/`)).status, 404);
  assert.equal((await ask(`${agent.url}/metrics`, { method: 'POST', body: 'x' })).status, 405);
});

scenario('beyond loopback the collector wants a token, and then asks for it', async (world) => {
  const ledger = path.join(world.dir, 'ledger');
  const refused = run(collectorFile, ['--http=0.0.0.0:0', `--ledger-dir=${ledger}`]);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /not loopback.*token-file/);
  const tokenFile = path.join(world.dir, 'token');
  fs.writeFileSync(tokenFile, 'short\n');
  const short = run(collectorFile, ['--http=127.0.0.1:0', `--token-file=${tokenFile}`, `--ledger-dir=${ledger}`]);
  assert.equal(short.status, 1);
  assert.match(short.stderr, /16 to 511 bytes/);

  const token = 'correct horse battery staple';
  fs.writeFileSync(tokenFile, `${token}\n`);
  const collector = await world.collector({ token, http: '0.0.0.0:0', args: [`--token-file=${tokenFile}`] });
  collector.url = collector.url.replace('0.0.0.0', '127.0.0.1');
  for (const call of ['/api/v1/status', '/api/v1/traces', '/metrics']) {
    const without = await collector.ask(call);
    assert.equal(without.status, 401, call);
    assert.match(without.headers['www-authenticate'], /Bearer/);
    assert.match(without.json().error, /Authorization: Bearer/);
    const wrong = await collector.ask(call, { headers: { Authorization: 'Bearer correct horse battery stable' } });
    assert.equal(wrong.status, 401, call);
    const right = await collector.ask(call, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(right.status, 200, call);
  }
  assert.equal((await collector.ask('/api/v1/recording', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"service":"*","on":false}',
  })).status, 401);
  for (const open of ['/healthz', '/readyz']) assert.equal((await collector.ask(open)).status, 200);
});

scenario('one agent a directory, one agent a spool, one collector a ledger', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const other = (args) => run(agentFile, [
    '--agent=other', `--collector=tcp://127.0.0.1:${collector.ports.link}`, `--control=tcp://127.0.0.1:${collector.ports.control}`, '--http=', ...args,
  ]);
  const slabs = other([`--directory=${world.slabs}`, `--spool=${path.join(world.dir, 'other-spool')}`]);
  assert.equal(slabs.status, 1);
  assert.match(slabs.stderr, /another agent reads it/);
  const spool = other([`--directory=${path.join(world.slabs, 'other')}`, `--spool=${agent.spool}`]);
  assert.equal(spool.status, 1);
  assert.match(spool.stderr, /another agent has it/);
  const ledger = run(collectorFile, ['--http=127.0.0.1:0', '--link=tcp://127.0.0.1:19', '--control=tcp://127.0.0.1:20', `--ledger-dir=${collector.ledger}`]);
  assert.equal(ledger.status, 1);
  assert.match(ledger.stderr, /ledger/);
  await world.worker('still', ['--requests=5']).finish({ ask: false });
  await agent.drained();
  assert.equal((await collector.status()).collector.accepted.spans, 15);
  await agent.stop();
  await collector.stop();
});

scenario('a bad configuration is told with its place, what was found and what was expected', async (world) => {
  const file = path.join(world.dir, 'agent.yaml');
  fs.writeFileSync(file, '# ours\nspool-limt: 2G\n');
  const typo = run(agentFile, [`--config=${file}`]);
  assert.equal(typo.status, 2);
  assert.match(typo.stderr, /agent\.yaml:2: found unknown option "spool-limt", expected "spool-limit"/);
  const size = run(agentFile, ['--spool-limit=a lot']);
  assert.equal(size.status, 2);
  assert.match(size.stderr, /--spool-limit: found "a lot", expected a size/);
  for (const program of [agentFile, collectorFile]) {
    const help = run(program, ['--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, /--log-level/);
    assert.match(run(program, ['--version']).stdout, /\d+\.\d+\.\d+/);
    assert.match(run(program, ['--man']).stdout, /^\.T[Hh]|^\.Dt /m);
  }
  const right = run(collectorFile, ['--check-config', `--ledger-dir=${world.dir}`]);
  assert.equal(right.status, 0, right.stderr);
});

scenario('SIGHUP reads the log level again', async (world) => {
  const file = path.join(world.dir, 'collector.yaml');
  fs.writeFileSync(file, 'log-level: info\n');
  const collector = await world.collector({ args: [`--config=${file}`] });
  const agentConfig = path.join(world.dir, 'agent.yaml');
  fs.writeFileSync(agentConfig, 'log-level: info\n');
  const agent = await world.agent(collector, { args: [`--config=${agentConfig}`] });
  fs.writeFileSync(file, 'log-level: debug\n');
  fs.writeFileSync(agentConfig, 'log-level: debug\n');
  collector.signal('SIGHUP');
  agent.signal('SIGHUP');
  await collector.says(/log level is debug/);
  await agent.says(/log level is debug/);
  fs.writeFileSync(agentConfig, 'log-level: [\n');
  agent.signal('SIGHUP');
  await agent.says(/everything stays as it was/);
  await agent.stop();
  await collector.stop();
});

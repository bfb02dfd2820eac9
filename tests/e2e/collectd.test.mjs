// SPDX-License-Identifier: Apache-2.0
/* A real collectd with our plugin, from what it reads to PromQL and marks, and back. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Daemon, build, sanitized, scenario as anyScenario, until } from './harness.mjs';

const collectd = '/usr/sbin/collectd';
const plugin = path.join(build, 'plugins/collectd');
const missing = [[collectd, 'collectd is not installed'], [path.join(plugin, 'weft.so'), 'the plugin was not built']]
  .find(([file]) => !fs.existsSync(file))?.[1] ?? (sanitized ? 'collectd has no sanitizer' : false);
const scenario = (name, body) => anyScenario(name, { skip: missing }, body);

/* One request to collectd's unixsock plugin: the lines of its answer. */
function askSocket(file, request) {
  return new Promise((done, failed) => {
    const socket = net.connect(file);
    let text = '';
    socket.setTimeout(30_000, () => socket.destroy(new Error(`${request}: no answer`)));
    socket.on('error', failed);
    socket.on('data', (part) => {
      text += part;
      const lines = text.split('\n');
      const more = Number.parseInt(lines[0], 10);
      if (lines.length > 1 && (more <= 0 || lines.length - 2 >= more)) {
        socket.destroy();
        done(lines.slice(0, -1));
      }
    });
    socket.write(`${request}\n`);
  });
}

class Collectd extends Daemon {
  static async start(world, { options = '', plugins = 'LoadPlugin cpu\nLoadPlugin memory\nLoadPlugin load', ready = true, interval = 1 } = {}) {
    const socket = path.join(world.dir, 'collectd.sock');
    const config = path.join(world.dir, `collectd-${world.serial}.conf`);
    fs.writeFileSync(config, `
Hostname "boxd"
FQDNLookup false
Interval ${interval}
BaseDir "${world.dir}"
PIDFile "${world.dir}/collectd.pid"
TypesDB "/usr/share/collectd/types.db"
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File STDERR
</Plugin>
PluginDir "${plugin}"
LoadPlugin weft
PluginDir "/usr/lib/collectd"
${plugins}
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "${socket}"
  DeleteSocket true
</Plugin>
<Plugin cpu>
  ReportByState true
  ReportByCpu true
  ValuesPercentage false
</Plugin>
<Plugin weft>
  Socket "${world.slabs}/feed.sock"
  ${options}
</Plugin>
`);
    const c = new Collectd(world, 'collectd', collectd, ['-f', '-C', config], { env: { LC_ALL: 'C' } });
    c.socket = socket;
    if (ready) await until('collectd answers', () => c.ask('LISTVAL').then(() => true));
    return c;
  }

  ask(request) {
    return askSocket(this.socket, request);
  }

  /* A reading of "boxd/test/gauge-NAME" at a time. */
  async put(name, unix, value, type = 'gauge') {
    const [answer] = await this.ask(`PUTVAL "boxd/test/${type}-${name}" interval=1 ${unix}:${value}`);
    assert.match(answer, /^0 Success/);
  }
}

async function query(collector, promql, time) {
  const form = new URLSearchParams({ query: promql, ...(time ? { time: String(time) } : {}) });
  const answer = await collector.ask(`/api/v1/query?${form}`);
  assert.equal(answer.status, 200, `${promql}: ${answer.text}`);
  return JSON.parse(answer.text).data.result;
}
const number = async (collector, promql) => {
  const result = await query(collector, promql);
  return result.length === 1 ? Number(result[0].value[1]) : undefined;
};
const becomes = (collector, promql, value) => until(`${promql} is ${value}`, async () => {
  const found = await number(collector, promql);
  if (found !== value) throw new Error(`it is ${found}`);
  return true;
});
const notifications = async (collector) => (await collector.api('/api/v1/marks?kind=notification&start=0')).marks;
/* Whole seconds that are gone and that the store still takes. */
const recent = () => Math.floor(Date.now() / 1000) - 300;

scenario("a host's CPU, memory and load are asked in PromQL, as collectd reads them", async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  await Collectd.start(world);
  await until('CPU time of every state', async () => (await query(collector, 'collectd_cpu_total{host="boxd",cpu="0"}')).length >= 8);
  const [idle] = await until('idle time', () => query(collector, 'collectd_cpu_total{host="boxd",cpu="0",type="idle"}'));
  assert.deepEqual(idle.metric, { __name__: 'collectd_cpu_total', host: 'boxd', cpu: '0', type: 'idle' });
  await until('a rate of it', async () => (await number(collector, 'sum(rate(collectd_cpu_total{cpu="0"}[1m]))')) > 0);
  const total = await until('memory', () => number(collector, 'sum(collectd_memory{host="boxd"})'));
  const [, kib] = fs.readFileSync('/proc/meminfo', 'utf8').match(/MemTotal:\s+(\d+) kB/);
  assert.ok(total > 0 && total < 1.5 * kib * 1024, `${total} of ${kib * 1024} bytes`);
  await until('load', async () => (await query(collector, 'collectd_load_shortterm{host="boxd"}')).length === 1);
  const { data } = JSON.parse((await collector.ask('/api/v1/metadata')).text);
  assert.equal(data.collectd_cpu_total[0].type, 'counter');
  assert.equal(data.collectd_memory[0].type, 'gauge');
});

scenario('a notification becomes a mark', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const c = await Collectd.start(world);
  const time = recent();
  const [answer] = await c.ask(`PUTNOTIF severity=failure time=${time} host=boxd plugin=df plugin_instance=root type=percent_bytes type_instance=free message="nothing is left"`);
  assert.match(answer, /^0 Success/);
  const [mark] = await until('the mark', async () => {
    const found = (await notifications(collector)).filter((m) => m.title.startsWith('df-root'));
    return found.length > 0 && found;
  });
  assert.equal(mark.title, 'df-root/percent_bytes-free on boxd');
  assert.equal(mark.text, 'failure: nothing is left');
  assert.equal(mark.kind, 'notification');
});

scenario('the agent and the collector are killed and come back: nothing is missing, and collectd never waits', async (world) => {
  let collector = await world.collector();
  let agent = await world.agent(collector);
  const c = await Collectd.start(world, { plugins: '' });
  const begin = recent();
  const fed = async () => (await agent.metrics()).get('weft_agent_feed_batches_total');
  let seconds = 0;
  const putSome = async () => {
    for (let i = 0; i < 15; i++, seconds++) await c.put('steady', begin + seconds, seconds);
  };
  for (let round = 0; round < 6; round++) {
    await putSome();
    if (round % 2) await until('the agent has some of it', async () => (await fed()) > 0);
    await agent.kill();
    if (round === 3) {
      await collector.kill();
      collector = await collector.again();
    }
    if (round % 3) await putSome();
    agent = await agent.again();
  }
  await c.ask(`PUTNOTIF severity=okay time=${begin} host=boxd message="once"`);
  await becomes(collector, `count_over_time(collectd_test_gauge{test="steady"}[10m])`, seconds);
  await becomes(collector, `sum_over_time(collectd_test_gauge{test="steady"}[10m])`, (seconds * (seconds - 1)) / 2);
  await until('the notification', async () => (await notifications(collector)).length > 0);
  assert.equal((await notifications(collector)).filter((m) => m.text === 'okay: once').length, 1);
  assert.equal(await number(collector, 'max_over_time(weft_collectd_dropped_total[10m])'), 0);
  await c.stop();
});

scenario('an agent that is away for long: the queue stays bounded, and what it drops is counted', async (world) => {
  const collector = await world.collector();
  let agent = await world.agent(collector);
  const c = await Collectd.start(world, { plugins: '', options: 'QueueLength 100\n  Summaries false' });
  await agent.kill();
  const begin = recent();
  for (let i = 0; i < 400; i++) await c.put(`n${i}`, begin, i);
  await c.says(/weft: .*values wait/);
  await c.says(/weft: \d+ values were dropped/);
  agent = await agent.again();
  await c.says(/weft: .* answers again/);
  await becomes(collector, 'count(last_over_time(collectd_test_gauge[10m]))', 100);
  await c.put('later', begin + 1, 1); /* something to tell it with */
  await becomes(collector, 'last_over_time(weft_collectd_dropped_total{host="boxd"}[10m])', 300);
  await c.stop();
});

scenario('an agent that stands still does not hold up collectd', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const c = await Collectd.start(world, { options: 'Timeout 1' });
  await until('the first values', async () => (await query(collector, 'collectd_load_shortterm')).length === 1);
  agent.signal('SIGSTOP');
  await c.says(/weft: .*does not answer/);
  const begin = recent();
  for (let i = 0; i < 50; i++) await c.put('meanwhile', begin + i, i);
  agent.signal('SIGCONT');
  await becomes(collector, 'count_over_time(collectd_test_gauge{test="meanwhile"}[10m])', 50);
  await c.stop();
});

scenario('flush and shutdown leave nothing behind', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const c = await Collectd.start(world, { plugins: '', options: 'Summaries false' });
  const begin = recent();
  for (let i = 0; i < 30; i++) await c.put('flushed', begin + i, i);
  assert.match((await c.ask('FLUSH plugin=weft'))[0], /^0 Done: 1 successful, 0 errors/);
  const before = (await agent.metrics()).get('weft_agent_feed_batches_total');
  assert.ok(before > 0);
  for (let i = 30; i < 60; i++) await c.put('flushed', begin + i, i);
  await c.stop();
  await becomes(collector, 'count_over_time(collectd_test_gauge{test="flushed"}[10m])', 60);
});

scenario('a shutdown without an agent ends, and says how many values it gave up', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const c = await Collectd.start(world, { plugins: '', options: 'Timeout 0.5\n  Summaries false' });
  await agent.kill();
  for (let i = 0; i < 7; i++) await c.put('lost', recent() + i, i);
  await until('flush says how many values wait, when collectd has handed all seven on', async () => {
    await c.ask('FLUSH plugin=weft');
    return /weft: flush: 7 values are not with the agent/.test(c.said());
  });
  await c.stop();
  assert.match(c.said(), /weft: 7 values were given up/);
});

scenario("the agent's summaries are values of collectd's", async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const c = await Collectd.start(world, { plugins: '' });
  const service = world.scripted('checkout');
  const request = async (status) => {
    assert.notEqual(await service.tell('begin server GET /'), '-');
    if (status) await service.tell(`status ${status} failed`);
    await service.tell('end');
  };
  await until('the service has summaries', async () => {
    await request();
    await request('error');
    const values = (await c.ask('LISTVAL')).join('\n');
    return ['total_requests', 'errors', 'latency-p50', 'latency-p99'].every((v) => values.includes(`boxd/weft-checkout/${v}`));
  });
  await until('a rate of requests', async () => {
    await request();
    const answer = await c.ask('GETVAL "boxd/weft-checkout/total_requests"');
    return Number(answer[1]?.split('=')[1]) > 0;
  });
  const values = (await c.ask('LISTVAL')).join('\n');
  assert.match(values, /boxd\/weft\/derive-lost_spool_full/);
  assert.match(values, /boxd\/weft\/queue_length-spool/);
  assert.deepEqual(await query(collector, '{__name__=~"collectd_weft.*"}'), [], 'what the agent knows does not come back');
});

scenario('a block that is wrong is said, with what was found and what was expected', async (world) => {
  for (const [options, complaint] of [
    ['Sokcet "/run/x"', /found the option "Sokcet", expected Socket, QueueLength/],
    ['QueueLength "many"', /QueueLength: found "many", expected how many values/],
    ['Summaries 3', /Summaries: found 3, expected true or false/],
  ]) {
    const c = await Collectd.start(world, { options, ready: false });
    await until('collectd says so', () => complaint.test(c.said()));
    await c.kill();
  }
});

scenario('collectd takes the example as it is, and with every option that it names', async (world) => {
  const example = fs.readFileSync(path.join(build, 'packaging/collectd.conf'), 'utf8');
  const here = `TypesDB "/usr/share/collectd/types.db"\nBaseDir "${world.dir}"\nPluginDir "${plugin}"\n`;
  const block = example.replace(/^#(?=( {2}|<\/?Plugin weft>))/gm, '');
  assert.match(block, /^ {2}Summaries true$/m);
  for (const [i, text] of [example, block].entries()) {
    const config = path.join(world.dir, `example-${i}.conf`);
    fs.writeFileSync(config, here + text);
    world.run(collectd, ['-t', '-C', config]);
  }
});

// SPDX-License-Identifier: Apache-2.0
// The collector's series beside Prometheus and VictoriaMetrics: the same samples over remote write to one
// after the other, each alone on the machine, then the same questions.
//
// WEFT_BENCH_SERIES (100,000) and WEFT_BENCH_ROUNDS (240, of 15 s) make it larger or smaller.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { World, count, cpuNs, freePort, median, residentBytes, result, sleep, until } from './daemons.mjs';
import { agreement, panels } from './stats_panels.mjs';

const hosts = Math.ceil(Number(process.env.WEFT_BENCH_SERIES ?? 100_000) / 100);
const series = hosts * 100;
const rounds = Number(process.env.WEFT_BENCH_ROUNDS ?? 240);
const DAY_ROUNDS = 5760;
const stepMs = 15_000;
const startMs = Math.floor(Date.now() / stepMs - rounds) * stepMs;
const times = { first: startMs / 1000, last: startMs / 1000 + (rounds - 1) * 15 };

const bytesIn = (directory) => Number(spawnSync('du', ['-sb', directory]).stdout.toString().split('\t')[0]);

async function answer(url, form, method = 'GET') {
  const reply = await fetch(`${url}?${new URLSearchParams(form)}`, { method });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${url} ${JSON.stringify(form)}: ${reply.status} ${text.slice(0, 300)}`);
  return text;
}

// Each: start(world) gives {child, port}; settle(peer) waits until samples are on disk, in the form in which they
// stay, and gives that directory's bytes.
const systems = [
  {
    name: 'Weft', write: '/api/v1/write', form: {},
    async start(world) {
      const child = await world.collector([`--series-active=${2 * series + 1000}`, '--series-cut=20s', '--ledger-limit=8G']);
      return { child, port: world.http, series: join(world.directory, 'series') };
    },
    async settle(peer) {
      const status = async () => (await (await fetch(`http://127.0.0.1:${peer.port}/api/v1/status`)).json()).collector.series;
      let last = '';
      await until('all is in blocks, and merging has ended', async () => {
        const { head_samples: head, blocks, bytes } = await status();
        const now = `${blocks} ${bytes}`;
        const same = head === 0 && now === last;
        last = now;
        if (!same) { console.error(now); await sleep(15000); }
        return same;
      }, 600_000);
      return bytesIn(peer.series);
    },
  },
  {
    name: 'Prometheus', write: '/api/v1/write', form: {},
    async start(world) {
      const [port, data] = [await freePort(), join(world.directory, 'prometheus')];
      mkdirSync(data);
      const child = world.start('/usr/bin/prometheus', [
        '--config.file=/dev/null', `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`,
        '--web.enable-remote-write-receiver', '--web.enable-admin-api', '--log.level=error']);
      await until('prometheus', async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok, 120_000);
      return { child, port, data };
    },
    // It makes blocks of what is older than an hour; a snapshot makes one of all.
    async settle(peer) {
      const { data } = JSON.parse(await answer(`http://127.0.0.1:${peer.port}/api/v1/admin/tsdb/snapshot`, {}, 'POST'));
      return bytesIn(join(peer.data, 'snapshots', data.name));
    },
  },
  {
    name: 'VictoriaMetrics', write: '/api/v1/write', form: { nocache: '1' },
    async start(world) {
      const [port, data] = [await freePort(), join(world.directory, 'victoria')];
      const child = world.start('/usr/bin/victoria-metrics', [
        `-storageDataPath=${data}`, `-httpListenAddr=127.0.0.1:${port}`, '-search.latencyOffset=0s', '-loggerLevel=ERROR',
        `-search.maxUniqueTimeseries=${4 * series}`, `-search.maxSeries=${4 * series}`]);
      await until('victoria-metrics', async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok);
      return { child, port, data };
    },
    // It would merge to the end within the month; asked to, it does at once.
    async settle(peer) {
      for (const call of ['flush', 'merge']) await answer(`http://127.0.0.1:${peer.port}/internal/force_${call}`, {});
      let [last, bytes] = [-1, bytesIn(peer.data)];
      while (bytes !== last) {
        await sleep(3000);
        [last, bytes] = [bytes, bytesIn(peer.data)];
      }
      return bytes;
    },
  },
];

const peakBytes = (child) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) * 1024;

const feed = (world, peer, system, ...args) =>
  result(world.start('bench/bench_stats_feed', [String(peer.port), system.write, ...args.map(String)]));

async function load(world, peer, system) {
  const day = await feed(world, peer, system, 'day', 1, DAY_ROUNDS, startMs - DAY_ROUNDS * stepMs);
  const before = cpuNs(peer.child);
  const hour = await feed(world, peer, system, 'hour', hosts, rounds, startMs);
  const taken = cpuNs(peer.child);
  const own = residentBytes(peer.child).own;
  const disk = await system.settle(peer);
  return {
    perSecond: hour.samples / hour.seconds,
    takenNs: (taken - before) / hour.samples, settledNs: (cpuNs(peer.child) - before) / hour.samples,
    own, peak: peakBytes(peer.child), disk: disk / (day.samples + hour.samples), samples: hour.samples,
  };
}

// The median of up to seven, after one to warm up; long ones are asked less often.
async function ask(peer, system, panel) {
  const url = `http://127.0.0.1:${peer.port}/api/v1/${panel.call}`;
  const took = [];
  let text;
  const end = Date.now() + 3000;
  for (let i = 0; i < 8 && (i < 3 || Date.now() < end); i++) {
    const began = performance.now();
    text = await answer(url, { ...panel.form, ...system.form });
    if (i > 0) took.push(performance.now() - began);
  }
  return { ms: median(took), data: JSON.parse(text).data };
}

async function measure(system) {
  const world = new World();
  try {
    const peer = await system.start(world);
    const figures = await load(world, peer, system);
    console.error(`${system.name}: ${JSON.stringify(figures)}`);
    const answers = [];
    for (const panel of process.env.PANELS ? panels(times) : []) answers.push(await ask(peer, system, panel));
    return { figures, answers };
  } finally {
    await world.close();
  }
}

function row(...cells) {
  console.log(`| ${cells.join(' | ')} |`);
}

const ratio = (theirs, ours) => {
  const r = theirs / ours;
  return `${r >= 10 ? r.toFixed(0) : r >= 0.1 ? r.toFixed(2) : r.toPrecision(2)}×`;
};
const short = (n) => (n >= 1000 ? count(n) : n.toPrecision(3));

function printFigures([ours, ...peers]) {
  row('', 'Weft', ...systems.slice(1).flatMap(({ name }) => [name, 'of ours']));
  row('---', ...Array(1 + 2 * peers.length).fill('---:'));
  const line = (name, of) => row(name, short(of(ours.figures)),
    ...peers.flatMap((p) => [short(of(p.figures)), ratio(of(p.figures), of(ours.figures))]));
  line('samples/s, by the clock', (f) => f.perSecond);
  line('samples/s for a processor', (f) => 1e9 / f.takenNs);
  line('CPU, ns a sample, until the last answer', (f) => f.takenNs);
  line('CPU, ns a sample, until all is on disk', (f) => f.settledNs);
  line('bytes a series, private, after the last sample', (f) => f.own / series);
  line('bytes a series, resident, the most', (f) => f.peak / series);
  line('bytes a sample, on disk', (f) => f.disk);
  console.log();
}

function printPanels([ours, ...peers]) {
  row('ms, median', 'Weft', ...systems.slice(1).flatMap(({ name }) => [name, 'of ours', 'values']));
  row('---', '---:', ...peers.flatMap(() => ['---:', '---:', '---']));
  panels(times).forEach(({ name }, i) => {
    const mine = ours.answers[i];
    row(name, short(mine.ms), ...peers.flatMap((p) =>
      [short(p.answers[i].ms), ratio(p.answers[i].ms, mine.ms), agreement(mine.data, p.answers[i].data)]));
  });
  console.log();
}

const measured = [];
for (const system of systems.slice(0, 1)) measured.push(await measure(system));
console.log(`${count(series)} series, ${rounds} rounds of 15 s: ${count(measured[0].figures.samples)} samples\n`);
printFigures(measured);


// SPDX-License-Identifier: Apache-2.0
/* Graphs as pictures of what was remote-written, and an archive that outlives the store. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { scenario, until } from './harness.mjs';
import { counters, write } from './remote_write.mjs';

async function deploy(collector, service, version, unixS) {
  const answer = await collector.ask('/api/v1/marks', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ kind: 'deploy', service, version, title: `${service} ${version}`, from_unix_ns: `${unixS}000000000` }),
  });
  assert.equal(answer.status, 200, answer.text);
}

/* ---- pictures -------------------------------------------------------------------------------- */

/* The pixels of a PNG of 8-bit RGB: {width, height, at(x, y) = 'rrggbb'}. */
function decode(png) {
  assert.equal(png.subarray(1, 4).toString(), 'PNG');
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const channels = { 2: 3, 6: 4 }[png[25]];
  const data = [];
  for (let at = 8; at < png.length; at += png.readUInt32BE(at) + 12) {
    if (png.subarray(at + 4, at + 8).toString() === 'IDAT') data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = zlib.inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? out[y * stride + x - channels] : 0;
      const up = y > 0 ? out[(y - 1) * stride + x] : 0;
      const corner = y > 0 && x >= channels ? out[(y - 1) * stride + x - channels] : 0;
      const paeth = () => {
        const [a, b, c] = [left, up, corner].map((v) => Math.abs(left + up - corner - v));
        return a <= b && a <= c ? left : b <= c ? up : corner;
      };
      const guess = [0, left, up, (left + up) >> 1, filter === 4 ? paeth() : 0][filter];
      out[y * stride + x] = (raw[y * (stride + 1) + 1 + x] + guess) & 255;
    }
  }
  const at = (x, y) => out.subarray(y * stride + x * channels, y * stride + x * channels + 3).toString('hex');
  return { width, height, at };
}

/* Where lines of the colour begin that are at least a third of the height. */
function verticals({ width, height, at }, colour) {
  const found = [];
  let before = false;
  for (let x = 0; x < width; x++) {
    let pixels = 0;
    for (let y = 0; y < height; y++) pixels += at(x, y) === colour;
    const is = pixels > height / 3;
    if (is && !before) found.push(x);
    before = is;
  }
  return found;
}

/* How many pixels of the colour are there between these columns, above the plot. */
function label({ height, at }, colour, from, to) {
  let count = 0;
  for (let x = from; x < to; x++) for (let y = 30; y < height / 4; y++) count += at(x, y) === colour;
  return count;
}

const has = ({ width, height, at }, colour) => {
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (at(x, y) === colour) return true;
  return false;
};

const graph = (collector, kind, parameters) => collector.ask(`/graph.${kind}?${new URLSearchParams(parameters)}`);

/* Two hours of two services' counters, each 15 s, to the last full minute. */
async function traffic(collector) {
  const end = Math.floor(Date.now() / 60_000) * 60;
  await write(collector, ['web', 'cache'].map((service, k) => counters({ __name__: 'hits', service }, end - 7200, end, 15, 100 + 50 * k)));
  return { end, start: end - 7200 };
}

scenario('a graph has the size, the areas and a line at each deploy', async (world) => {
  const collector = await world.collector({ args: ['--series-late=0'] });
  const { start, end } = await traffic(collector);
  await deploy(collector, 'web', '2.0', start + 2000);
  await deploy(collector, 'cache', '7', start + 5000);
  const query = 'sum by (service) (rate(hits[5m]))';
  const asked = { query, start, end, stack: '1', title: 'Hits', width: '800', height: '300' };

  const light = await graph(collector, 'png', asked);
  assert.equal(light.status, 200, light.text);
  assert.equal(light.headers['content-type'], 'image/png');
  const pixels = decode(light.bytes);
  assert.deepEqual([pixels.width, pixels.height], [800, 300]);
  const lines = verticals(pixels, '1447e6');
  assert.equal(lines.length, 2);
  for (const x of lines) assert.ok(label(pixels, '1447e6', x + 4, x + 60) > 20, `a label beside the line at ${x}`);
  assert.equal(label(pixels, '1447e6', 100, lines[0] - 2), 0);
  assert.ok(has(pixels, '2a9d8f') && has(pixels, 'f0964e'), 'two areas');

  const one = decode((await graph(collector, 'png', { ...asked, service: 'web' })).bytes);
  assert.equal(verticals(one, '1447e6').length, 1);
  const none = decode((await graph(collector, 'png', { ...asked, marks: 'none', theme: 'dark' })).bytes);
  assert.deepEqual([...verticals(none, '1447e6'), ...verticals(none, '6ba8ff')], []);
  assert.equal(none.at(0, 0), '14181f');

  const svg = await graph(collector, 'svg', asked);
  assert.equal(svg.headers['content-type'], 'image/svg+xml');
  for (const word of ['<title>Hits</title>', '>web 2.0</text>', '>cache 7</text>']) assert.ok(svg.text.includes(word), word);
});

scenario('more deploys than there is room for get numbers, which the legend explains', async (world) => {
  const collector = await world.collector({ args: ['--series-late=0'] });
  const { start, end } = await traffic(collector);
  for (let i = 0; i < 9; i++) await deploy(collector, 'web', `2.${i}`, start + 3000 + i * 60);
  const asked = { query: 'sum by (service) (rate(hits[5m]))', start, end, stack: '1', width: '800', height: '400' };
  const svg = (await graph(collector, 'svg', asked)).text;
  for (const word of ['>1</text>', '>9</text>']) assert.ok(svg.includes(word), word);
  assert.ok(!svg.includes('>web 2.0</text>'), 'the label is a number');
  assert.equal(verticals(decode((await graph(collector, 'png', asked)).bytes), '1447e6').length, 9);
});

scenario('without any font a picture is refused with what to install', async (world) => {
  const config = path.join(world.dir, 'fonts.conf');
  fs.writeFileSync(config, '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>');
  const collector = await world.collector({ env: { FONTCONFIG_FILE: config } });
  for (const kind of ['png', 'svg']) {
    const answer = await graph(collector, kind, { query: 'up' });
    assert.equal(answer.status, 503);
    assert.match(answer.json().error, /fonts-dejavu-core/);
  }
});

scenario('what is asked wrongly is said', async (world) => {
  const collector = await world.collector();
  const wrong = [
    [{}, /"query": it is missing/],
    [{ query: 'sum(' }, /"query": 1:/],
    [{ query: 'hits[5m]' }, /scalar or an instant vector/],
    [{ query: 'up', width: '9000' }, /width.*200 to 4000/],
    [{ query: 'up', theme: 'red' }, /theme.*light or dark/],
    [{ query: 'up', marks: 'births' }, /marks/],
    [{ query: 'up', step: '1s', start: '1700000000', end: '1800000000' }, /steps/],
    [{ query: 'up', percentiles: '50,200' }, /percentiles/],
    [{ query: 'up) + (up', percentiles: '50' }, /"query": 1:/],
  ];
  for (const [parameters, why] of wrong) {
    const answer = await graph(collector, 'png', parameters);
    assert.equal(answer.status, 400, JSON.stringify(parameters));
    assert.match(answer.json().error, why);
  }
  const empty = await graph(collector, 'png', { query: 'nothing' });
  assert.equal(empty.status, 200);
});

scenario('the rules of the archive are read again on SIGHUP, and wrong ones change nothing', async (world) => {
  const plan = path.join(world.dir, 'archive.yml');
  const rule = (name) => `archive:\n- record: ${name}\n  expr: sum(hits)\n`;
  fs.writeFileSync(plan, rule('one'));
  const collector = await world.collector({ args: [`--archive=${plan}`] });
  fs.writeFileSync(plan, 'archive:\n- record: two\n');
  collector.signal('SIGHUP');
  await collector.says(/stays as it was: .*archive\.yml:2: /);
  fs.writeFileSync(plan, rule('two'));
  collector.signal('SIGHUP');
  await collector.says(/log level is/);
  await collector.stop();
});

scenario('the archive goes on where the store has lost its blocks', async (world) => {
  const plan = path.join(world.dir, 'archive.yml');
  fs.writeFileSync(plan, 'archive:\n- record: hits:rate\n  expr: sum by (service) (rate(hits[1m]))\n- expr: hits\n');
  const args = ['--series-late=0', `--archive=${plan}`];
  const fresh = await world.collector({ args });
  const { end } = await traffic(fresh);
  await fresh.stop();
  const first = await fresh.again(); /* a round is each minute, the first at once */
  const value = async (collector, query, time) => {
    const answer = await collector.api(`/api/v1/query?${new URLSearchParams({ query, time })}`);
    return Number(answer.data.result[0]?.value[1]);
  };
  const is = async (collector, query, expected) => Math.abs(await value(collector, query, end - 600) - expected) < 1e-6 * expected;
  await until('it is archived', () => is(first, 'hits:rate{service="web"}', 100));
  await until('both rules are', async () => /archive_files 4\n/.test((await first.ask('/metrics')).text));
  const before = await value(first, 'hits{service="web"}', end - 600);
  await first.stop();
  for (const name of ['series', 'ledger']) fs.rmSync(path.join(world.dir, name), { recursive: true });
  const second = await first.again();
  assert.ok(await is(second, 'hits:rate{service="web"}', 100));
  assert.ok(await is(second, 'hits{service="web"}', before));
  const names = async (call) => (await second.api(`/api/v1/${call}`)).data;
  assert.deepEqual(await names('label/__name__/values'), ['hits', 'hits:rate']);
  assert.deepEqual(await names('label/service/values?match[]=hits:rate'), ['cache', 'web']);
  assert.deepEqual(await names('labels'), ['__name__', 'service']);
  assert.equal((await names('series?match[]={service="web"}')).length, 2);
});

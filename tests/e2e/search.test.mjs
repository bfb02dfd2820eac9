// SPDX-License-Identifier: Apache-2.0
/* Searches while load arrives, by many clients of which some go away in the middle; and what
 * `weft` does with traces, by its exit status and its output. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { assertComplete, build, scenario, until } from './harness.mjs';

const queries = [
  '{ }',
  '{ kind = server } >> { kind = internal }',
  '{ span.number > 100 } | count() > 1',
  '{ name =~ "ch.*" } | by(name)',
  '{ duration > 1us && resource.service.name = "load" } | avg(duration) > 0s',
  '{ span.nowhere != nil }',
];
const address = (collector, q, more = '') =>
  `${collector.url}/api/v1/search?q=${encodeURIComponent(q)}&limit=50${more}`;

/* A streamed search; with `leave` the client goes after the first bytes. The lines. */
function stream(url, leave) {
  return new Promise((done, failed) => {
    const request = http.get(url, { agent: false }, (response) => {
      const parts = [];
      response.on('data', (part) => {
        parts.push(part);
        if (leave) response.destroy();
      });
      response.on('close', () => done(Buffer.concat(parts).toString('utf8').split('\n').filter(Boolean)));
      response.on('error', leave ? () => {} : failed);
    });
    request.on('error', failed);
  });
}

async function client(collector, number, state) {
  for (let i = number; !state.done; i++) {
    const q = queries[i % queries.length];
    if (i % 3 === 0) {
      await stream(address(collector, q, '&stream=true'), true);
    } else if (i % 3 === 1) {
      const lines = (await stream(address(collector, q, '&stream=true'), false)).map((l) => JSON.parse(l));
      assert.ok(lines.length > 0, q);
    } else {
      const answer = await collector.ask(address(collector, q).slice(collector.url.length));
      assert.equal(answer.status, 200, answer.text);
      const { traces, progress } = answer.json();
      assert.ok(progress.units_done <= progress.units);
      for (let t = 1; t < traces.length; t++)
        assert.ok(BigInt(traces[t - 1].start_unix_ns) >= BigInt(traces[t].start_unix_ns), 'newest first');
    }
    state.asked++;
  }
}

scenario('ten clients search while load arrives: every answer is whole, and all that was accepted is found', async (world) => {
  const collector = await world.collector({ args: ['--memory=64M', '--traces-cut=1s'] });
  const agent = await world.agent(collector);
  const workers = [1, 2].map(() => world.worker('load', ['--threads=2', '--requests=4000', '--rate=2000', '--payload=60'], { WEFT_RING_BYTES: String(64 << 20) }));
  await until('spans arrive', async () => (await collector.status()).collector.accepted.spans > 0);
  const state = { done: false, asked: 0 };
  const clients = Array.from({ length: 10 }, (_, i) => client(collector, i, state));
  try {
    for (const worker of workers) await worker.finish({ ask: false });
    await agent.drained();
    await until('every client has asked', () => state.asked > 40);
  } finally {
    state.done = true;
  }
  await Promise.all(clients);
  const account = world.account(collector.ledger);
  assertComplete(account, await collector.status());
  const { series } = await collector.api(`/api/v1/measure?q=${encodeURIComponent('{ } | count_over_time()')}`);
  assert.equal(series[0].values.reduce((n, v) => n + (v ?? 0), 0), account.distinct);
  await collector.stop();
});

/* ---- weft -------------------------------------------------------------------------------- */

function weft(collector, ...args) {
  const r = spawnSync(path.join(build, 'cli/weft'), args, {
    encoding: 'utf8',
    env: { ...process.env, WEFT_URL: collector.url },
    maxBuffer: 256 << 20,
    timeout: 120_000,
  });
  return { status: r.status, out: r.stdout, err: r.stderr };
}

function works(collector, ...args) {
  const r = weft(collector, ...args);
  assert.equal(r.status, 0, `weft ${args.join(' ')}: ${r.err}`);
  return r.out;
}

scenario('weft finds, shows, compares, exports and imports traces', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  await world.worker('past', ['--requests=20']).finish({ ask: false });
  await agent.drained();
  const [a, b] = (await collector.api('/api/v1/traces?limit=2')).traces.map((t) => t.trace_id);
  assert.match(works(collector, 'search', '{ kind = server }'), new RegExp(a));
  assert.match(works(collector, 'trace', a), /grandchild/);
  assert.match(works(collector, 'trace', a, '--critical-path'), /request/);
  works(collector, 'diff', a, b);
  assert.match(works(collector, 'phases', '{ }'), /grandchild/);
  assert.equal(weft(collector, 'query', '--check', '{ status = error }').status, 0);
  assert.equal(weft(collector, 'query', '--check', '{ status = ').status, 2);
  assert.equal(weft(collector, 'query', '--check', '{ duration = "x" }').status, 3);
  assert.notEqual(weft(collector, 'search', '{ status = ').status, 0);
  assert.notEqual(weft(collector, 'trace', '1'.repeat(32)).status, 0);

  const file = path.join(world.dir, 'exported.json');
  works(collector, 'export', '--query', '{ }', '--output', file);
  assert.equal(fs.readFileSync(file, 'utf8').trim().split('\n').length, 20);
  await agent.stop();
  await collector.stop();
  const other = await world.collector({ ledger: path.join(world.dir, 'other', 'ledger') });
  works(other, 'import', file);
  await until('all are there', async () => (await other.api('/api/v1/traces?limit=100')).traces.length === 20);
  assert.match(works(other, 'trace', a), /grandchild/);
  await other.stop();
});

const SPANS = 100_000;
const hex = (n) => n.toString(16).padStart(16, '0');

/* One trace, a line for each thousand spans: a root and its children. */
function writeLargeTrace(file) {
  const fd = fs.openSync(file, 'w');
  const start = BigInt(Date.now()) * 1_000_000n;
  for (let first = 0; first < SPANS; first += 1000) {
    const spans = Array.from({ length: 1000 }, (_, i) => ({
      traceId: 'abc'.padStart(32, '0'), spanId: hex(first + i + 1), parentSpanId: first + i === 0 ? '' : hex(1),
      name: `step ${first + i}`, kind: 1,
      startTimeUnixNano: String(start + BigInt(first + i)), endTimeUnixNano: String(start + BigInt(first + i + 1000)),
    }));
    fs.writeSync(fd, `${JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })}\n`);
  }
  fs.closeSync(fd);
}

scenario('an imported trace of 100,000 spans is read page by page', async (world) => {
  const collector = await world.collector({ args: ['--traces-cut=1s'] });
  const file = path.join(world.dir, 'large.json');
  writeLargeTrace(file);
  works(collector, 'import', file);
  const id = 'abc'.padStart(32, '0');
  await until('all are found', async () => (await collector.api(`/api/v1/traces/${id}?limit=1`)).span_count === SPANS);
  const steps = (text) => [...text.matchAll(/step (\d+)/g)].map((m) => Number(m[1]));
  for (const [offset, limit] of [[0, 50], [1, 100], [54_321, 200], [SPANS - 10, 100]]) {
    const page = steps(works(collector, 'trace', id, `--offset=${offset}`, `--limit=${limit}`));
    const expected = Array.from({ length: Math.min(limit, SPANS - offset) }, (_, i) => offset + i);
    assert.deepEqual(page.slice(-expected.length), expected);
  }
  await collector.stop();
});

// SPDX-License-Identifier: Apache-2.0
/* `weft run`: callers see what they would without it, and the agent what became of the command; rules
 * that find what runs already. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build, Daemon, freePort, program, scenario, until } from './harness.mjs';

const weft = path.join(build, 'cli/weft');
const runs = (world) => fs.readdirSync(world.slabs).filter((name) => /^[^.].*\.run$/.test(name));
const hasProgram = (name) => spawnSync('which', [name]).status === 0;

/* `weft run`, to its end. */
function run(world, args, options = {}) {
  const { directory = world.slabs, ...rest } = options;
  return spawnSync(weft, ['run', '--directory', directory, ...args],
    { encoding: 'utf8', timeout: 120_000, ...rest, env: { ...process.env, ...world.sanitizerEnv(), ...rest.env } });
}

/* `weft run`, while the test goes on. */
const start = (world, args, options = {}) =>
  new Daemon(world, 'run', weft, ['run', '--directory', world.slabs, ...args], options);

/* The pid of the command below it. */
const commandOf = (daemon) =>
  until('the command is there', () =>
    Number(fs.readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8').trim().split(' ')[0]));

async function marks(collector, query) {
  const answer = await collector.api(`/api/v1/marks?${query}`);
  return answer.marks;
}

/* Waits for exactly these titles of marks of the kind `process`, oldest first; what `known` is there. */
const titles = (collector, service, expected) =>
  until(`${service}: ${expected.join(', ')}`, async () => {
    const found = (await marks(collector, `kind=process&service=${service}`)).map((m) => m.title.replace(/ on \S+$/, ''));
    if (found.length !== expected.length || !expected.every((title) => found.includes(title))) throw new Error(found.join(', '));
    return found;
  });

async function query(collector, promql) {
  const answer = await collector.ask(`/api/v1/query?${new URLSearchParams({ query: promql })}`);
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text).data.result;
}

/* Waits until the query has one series of which `good` holds. */
const series = (collector, promql, good) =>
  until(promql, async () => {
    const result = await query(collector, promql);
    const value = result.length === 1 ? Number(result[0].value[1]) : NaN;
    if (!good(value)) throw new Error(`it is ${JSON.stringify(result)}`);
    return { value, labels: result[0].metric };
  });

scenario('a command is a service: series, and marks of its start, readiness and end', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const port = await freePort();
  const redis = start(world, ['--service', 'store', '--cell', 'c1', '--version', '7', 'redis-server', '--port', port, '--save', '']);
  await titles(collector, 'store', ['store started', 'store is ready']);
  const [ready] = await marks(collector, 'kind=process&service=store&limit=1');
  assert.equal(ready.text, `listens on port ${port}`);
  assert.equal(ready.cell, 'c1');
  const who = '{service="store",cell="c1",version="7"}';
  await series(collector, `process_resident_memory_bytes${who}`, (v) => v > 1 << 20);
  await series(collector, `weft_processes${who}`, (v) => v === 1);
  await series(collector, `process_starts_total${who}`, (v) => v === 1);
  await series(collector, `process_threads${who}`, (v) => v >= 4);
  await series(collector, `process_open_fds${who}`, (v) => v > 4);
  await series(collector, `process_sockets{service="store",kind="listening"}`, (v) => v === 2 || v === 1);
  await series(collector, `sum(process_context_switches_total${who})`, (v) => v > 0);
  await redis.stop();
  await titles(collector, 'store', ['store started', 'store is ready', 'store exited']);
  await until('its file goes', () => runs(world).length === 0);
  await series(collector, `sum(process_cpu_seconds_total${who})`, (v) => v > 0);
});

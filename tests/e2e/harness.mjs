// SPDX-License-Identifier: Apache-2.0
/*
 * What the end-to-end and crash tests stand on: a world of its own for each test, with the real
 * binaries in it.
 *
 *     scenario('what is promised', async (world, t) => {
 *       const collector = await world.collector();
 *       const agent = await world.agent(collector);
 *       const service = world.scripted('web');
 *       …
 *     });
 *
 * A world is a directory under /tmp and one for slabs under /dev/shm. When the test ends, however
 * it ends, its processes are stopped and both are removed; when it fails, what the processes
 * logged is printed first. Nothing here asserts a time: conditions are polled until a deadline
 * that a slow machine never meets (WEFT_TEST_PATIENCE multiplies it).
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const build = path.resolve(root, process.env.WEFT_BUILD ?? 'build/release');
const patience = Number(process.env.WEFT_TEST_PATIENCE ?? 1);
const deadlineMs = 60_000 * patience;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
export const program = (name) => path.join(build, 'tests/e2e', `e2e_${name}`);
const rules = path.join(build, 'build.ninja');
const [, sanitizer] = (fs.existsSync(rules) && fs.readFileSync(rules, 'utf8').match(/-fsanitize=(address|thread)/)) || [];
export const sanitized = sanitizer !== undefined;
/* A jump out of a SIGBUS may leave a lock of its runtime behind. */
export const mayFault = sanitizer !== 'thread';

/* Asks until the answer is true, and returns it. `what` says what did not come about. */
export async function until(what, ask, { withinMs = deadlineMs, everyMs = 40 } = {}) {
  const deadline = Date.now() + withinMs;
  let last;
  for (;;) {
    try {
      last = await ask();
      if (last) return last;
    } catch (error) {
      if (error instanceof assert.AssertionError && error.final) throw error;
      last = error;
    }
    if (Date.now() > deadline) {
      const said = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`waited ${withinMs / 1000} s in vain: ${what} (last: ${said})`);
    }
    await sleep(everyMs);
  }
}

/* Below the range from which the kernel takes ports for outgoing connections. */
export async function freePort() {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const free = await new Promise((done) => {
      const server = net.createServer();
      server.once('error', () => done(false));
      server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
    });
    if (free) return port;
  }
}

/* One question over HTTP, on a connection of its own: {status, headers, bytes, text, json()}. */
export function ask(url, { method = 'GET', headers = {}, body, host } = {}) {
  return new Promise((done, failed) => {
    const request = http.request(url, { method, agent: false, timeout: 20_000 }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', failed);
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        const text = bytes.toString('utf8');
        done({ status: response.statusCode, headers: response.headers, bytes, text, json: () => JSON.parse(text) });
      });
    });
    for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
    if (host) request.setHeader('Host', host);
    request.on('timeout', () => request.destroy(new Error(`${url}: no answer`)));
    request.on('error', failed);
    request.end(body);
  });
}

/* The API of a collector: api(url)('/api/v1/status') is the parsed answer. */
export function api(url, token) {
  return async (call, options = {}) => {
    const headers = { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...options.headers };
    const answer = await ask(url + call, { ...options, headers });
    if (answer.status !== 200) throw new Error(`${call}: ${answer.status} ${answer.text.trim()}`);
    return answer.json();
  };
}

/* "00-TRACE-SPAN-01" */
export function ids(traceparent) {
  const [, trace, span] = traceparent.split('-');
  return { trace, span };
}

/* ---- processes ------------------------------------------------------------------------------- */

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/* A child process with a log. It dies with us. */
export class Daemon {
  constructor(world, name, file, args, { env = {}, stdin = 'ignore', stdout = 'log', within = [] } = {}) {
    this.world = world;
    this.name = name;
    this.log = path.join(world.dir, `${name.replace(/[^\w.-]/g, '_')}-${world.serial++}.log`);
    const fd = fs.openSync(this.log, 'a');
    const line = [...within, 'setpriv', '--pdeathsig', 'KILL', file, ...args];
    this.child = spawn(line[0], line.slice(1), {
      stdio: [stdin, stdout === 'pipe' ? 'pipe' : fd, fd],
      env: { ...process.env, ...world.sanitizerEnv(), ...env },
    });
    fs.closeSync(fd);
    this.pid = this.child.pid;
    running.add(this.child);
    this.ended = new Promise((done) => {
      this.child.on('error', (error) => {
        running.delete(this.child);
        this.result = { code: null, signal: String(error) };
        done(this.result);
      });
      this.child.on('exit', (code, signal) => {
        running.delete(this.child);
        this.result = { code, signal };
        done(this.result);
      });
    });
    world.daemons.push(this);
  }

  get alive() {
    return !this.result;
  }

  said() {
    return fs.readFileSync(this.log, 'utf8');
  }

  /* Waits for a line in the log; returns the match. Fails at once when the process ends without. */
  async says(pattern) {
    return until(`${this.name} says ${pattern}`, () => {
      const match = this.said().match(pattern);
      if (match) return match;
      if (this.alive) return null;
      const error = new assert.AssertionError({
        message: `${this.name} ended (${JSON.stringify(this.result)}) and had not said ${pattern}`,
      });
      error.final = true;
      throw error;
    });
  }

  signal(name) {
    if (this.alive) this.child.kill(name);
  }

  /* SIGKILL, and gone when this returns. */
  async kill() {
    this.signal('SIGKILL');
    return this.ended;
  }

  /* SIGTERM, and a clean end is part of every promise. */
  async stop() {
    this.signal('SIGTERM');
    const result = await this.end();
    assert.deepEqual(result, { code: 0, signal: null }, `${this.name} ends in good order:\n${this.said().slice(-3000)}`);
    return result;
  }

  async end() {
    return until(`${this.name} ends`, () => this.result);
  }
}

export class Collector extends Daemon {
  static async start(world, options = {}) {
    const ports = options.ports ?? { link: await freePort(), control: await freePort() };
    const ledger = options.ledger ?? path.join(world.dir, 'ledger');
    const c = new Collector(world, 'collector', path.join(build, 'collector/weft-collector'), [
      `--http=${options.http ?? '127.0.0.1:0'}`,
      `--link=tcp://127.0.0.1:${ports.link}`,
      `--control=tcp://127.0.0.1:${ports.control}`,
      `--ledger-dir=${ledger}`,
      `--page-dir=${path.join(root, 'ui/dist')}`,
      ...(options.args ?? []),
    ], options);
    Object.assign(c, { ports, ledger, options: { ...options, ports, ledger } });
    const said = await c.says(/listening on (http:\/\/\S+)/);
    c.url = said[1];
    c.api = api(c.url, options.token);
    if (options.ready !== false)
      await until('the collector is ready', async () => (await c.ask('/readyz')).status === 200);
    return c;
  }

  ask(call, options) {
    return ask(this.url + call, options);
  }

  status() {
    return this.api('/api/v1/status');
  }

  /* The trace, once `enough` says so of it. */
  trace(id, enough = () => true) {
    return until(`trace ${id} is as expected`, async () => {
      const trace = await this.api(`/api/v1/traces/${id}`);
      return enough(trace) && trace;
    });
  }

  /* The same ledger, addresses and options. */
  again() {
    return Collector.start(this.world, this.options);
  }

  switchRecording(service, on) {
    return this.api('/api/v1/recording', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ service, on }),
    });
  }
}

export class Agent extends Daemon {
  static async start(world, collector, options = {}) {
    const spool = options.spool ?? path.join(world.dir, 'spool');
    const a = new Agent(world, 'agent', path.join(build, 'agent/weft-agent'), [
      `--directory=${options.slabs ?? world.slabs}`,
      `--agent=${options.name ?? 'box'}`,
      `--collector=tcp://127.0.0.1:${collector.ports.link}`,
      `--control=tcp://127.0.0.1:${collector.ports.control}`,
      `--spool=${spool}`,
      '--http=127.0.0.1:0',
      '--statsd=127.0.0.1:0',
      ...(options.args ?? []),
    ], options);
    Object.assign(a, { collector, spool, options: { ...options, spool } });
    a.url = (await a.says(/metrics on (http:\/\/[^/]+)/))[1];
    await a.says(/ships to/);
    return a;
  }

  again(options = {}) {
    return Agent.start(this.world, this.collector, { ...this.options, ...options });
  }

  async metrics() {
    return parseMetrics((await ask(`${this.url}/metrics`)).text);
  }

  /* Every service of before is gone and all that they left is acknowledged. The directory is asked
   * first: who lived for a moment may be dead before the agent has seen his file. */
  drained() {
    const slabs = this.options.slabs ?? this.world.slabs;
    return until('the agent has passed on everything', async () => {
      if (fs.readdirSync(slabs).some((name) => /^[^.].*\.slab$/.test(name))) return false;
      const m = await this.metrics();
      return m.get('weft_agent_processes') === 0 && m.get('weft_agent_spool_batches') === 0;
    });
  }
}

/* Prometheus text as a map from "name{labels}" to number. */
export function parseMetrics(text) {
  const values = new Map();
  for (const line of text.split('\n')) {
    if (!line || line.startsWith('#')) continue;
    const at = line.lastIndexOf(' ');
    values.set(line.slice(0, at), Number(line.slice(at + 1)));
  }
  return values;
}

/* programs/scripted.c, or another that answers each line with one */
export class Service extends Daemon {
  static start(world, service, env = {}, { file = program('scripted'), within = [] } = {}) {
    const s = new Service(world, service, file, [], {
      env: { WEFT_DIR: world.slabs, WEFT_SERVICE: service, ...env },
      stdin: 'pipe',
      stdout: 'pipe',
      within,
    });
    s.lines = [];
    s.waiting = [];
    let text = '';
    s.child.stdout.on('data', (part) => {
      text += part;
      for (let end; (end = text.indexOf('\n')) >= 0; text = text.slice(end + 1))
        s.waiting.shift()?.(text.slice(0, end));
    });
    s.child.stdin.on('error', () => {});
    return s;
  }

  /* One command, one answer. */
  async tell(command) {
    const answer = new Promise((done) => this.waiting.push(done));
    this.child.stdin.write(`${command}\n`);
    return Promise.race([answer, this.ended.then((r) => {
      throw new Error(`${this.name} ended: ${JSON.stringify(r)}`);
    })]);
  }

  /* Ends as a service does whose work is done. */
  async leave() {
    this.child.stdin.end();
    assert.deepEqual(await this.end(), { code: 0, signal: null });
  }
}

/* programs/worker.c */
export class Worker extends Daemon {
  static start(world, service, args = [], env = {}) {
    const worklog = path.join(world.dir, `worklog-${world.worklogs.length}`);
    world.worklogs.push(worklog);
    const w = new Worker(world, service, program('worker'), [`--log=${worklog}`, ...args], {
      env: { WEFT_DIR: world.slabs, WEFT_SERVICE: service, WEFT_RING_BYTES: String(8 << 20), WEFT_THREADS: '16', ...env },
    });
    w.worklog = worklog;
    return w;
  }

  /* Asks it to end (or waits, where it has an end of its own); what it says of its spans. */
  async finish({ ask: asks = true } = {}) {
    if (asks) {
      await until(`${this.name} works`, () => !this.alive || fs.existsSync(this.worklog));
      this.signal('SIGTERM');
    }
    const result = await this.end();
    assert.deepEqual(result, { code: 0, signal: null }, this.said());
    return JSON.parse(this.said().trim().split('\n').pop());
  }
}

/* ---- the world ------------------------------------------------------------------------------- */

export class World {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-e2e-'));
    this.slabs = fs.mkdtempSync('/dev/shm/weft-e2e-');
    this.daemons = [];
    this.worklogs = [];
    this.serial = 0;
  }

  sanitizerEnv() {
    const add = (name, more) => [process.env[name], more].filter(Boolean).join(':');
    return {
      TSAN_OPTIONS: add('TSAN_OPTIONS', `halt_on_error=0:exitcode=66:suppressions=${path.join(root, 'tests/tsan.supp')}`),
      ASAN_OPTIONS: add('ASAN_OPTIONS', 'detect_leaks=0:verify_asan_link_order=0'),
    };
  }

  collector(options) {
    return Collector.start(this, options);
  }
  agent(collector, options) {
    return Agent.start(this, collector, options);
  }
  scripted(service, env) {
    return Service.start(this, service, env);
  }
  worker(service, args, env) {
    return Worker.start(this, service, args, env);
  }

  /* The environment in which one of the programs that are preloaded stands before libc. */
  preload(name, env) {
    return { LD_PRELOAD: path.join(build, `tests/e2e/libe2e_${name}.so`), ...env };
  }

  /* Runs something to its end; its standard output. `within`: words before the command. */
  run(file, args, { env = {}, within = [], cwd } = {}) {
    const line = [...within, file, ...args];
    const r = spawnSync(line[0], line.slice(1), {
      encoding: 'utf8',
      cwd,
      env: { ...process.env, ...this.sanitizerEnv(), ...env },
      timeout: 300_000,
      maxBuffer: 64 << 20,
    });
    assert.equal(r.status, 0, `${line.join(' ')}: ${r.signal ?? r.status}\n${r.stdout}\n${r.stderr}`);
    return r.stdout;
  }

  /* The accountant's sums over the ledger as it is now and every worker of this world. */
  account(ledger, { within = [] } = {}) {
    const copy = path.join(this.dir, `ledger-copy-${this.serial++}`);
    this.run('cp', ['-a', ledger, copy], { within });
    return JSON.parse(this.run(program('account'), [copy, ...this.worklogs]));
  }

  /* A file system of its own, seen only by what is started `within` it. Null where we may not. */
  smallDisk(size) {
    const at = path.join(this.dir, `disk-${this.serial++}`);
    fs.mkdirSync(at);
    const holder = new Daemon(this, 'disk', 'unshare', [
      '--mount', '--propagation', 'private', 'sh', '-c',
      `mount -t tmpfs -o size=${size} weft-test ${at} && echo mounted && exec sleep 1000000`,
    ]);
    return until('a small disk', () => {
      if (/mounted/.test(holder.said())) {
        const within = ['nsenter', '--mount', `--target=${holder.pid}`, '--'];
        return { path: at, within, resize: (bytes) => this.run('mount', ['-o', `remount,size=${bytes}`, at], { within }) };
      }
      return holder.alive ? null : { denied: holder.said().trim() };
    });
  }

  printLogs() {
    for (const d of this.daemons) {
      const text = d.said();
      console.error(`---- ${d.name} (pid ${d.pid}, ${d.alive ? 'alive' : JSON.stringify(d.result)})`);
      console.error(text.length > 6000 ? `${text.slice(0, 2000)}\n…\n${text.slice(-4000)}` : text);
    }
  }

  /* A sanitizer's finding in any process fails the test that met it. */
  checkSanitizers() {
    for (const d of this.daemons) {
      const found = d.said().match(/(WARNING: ThreadSanitizer|ERROR: AddressSanitizer|runtime error:)[^]*/);
      if (found) throw new Error(`${d.name}: ${found[0].slice(0, 6000)}`);
    }
  }

  async close() {
    for (const d of this.daemons) {
      d.signal('SIGCONT');
      d.signal('SIGKILL');
    }
    await Promise.all(this.daemons.map((d) => d.ended));
    if (process.env.WEFT_TEST_KEEP) {
      console.error(`kept: ${this.dir} ${this.slabs}`);
      return;
    }
    fs.rmSync(this.slabs, { recursive: true, force: true });
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/* A test with a world of its own. */
export function scenario(name, options, body) {
  if (!body) [options, body] = [{}, options];
  test(name, { timeout: 600_000 * patience, ...options }, async (t) => {
    const world = new World();
    try {
      await body(world, t);
      world.checkSanitizers();
    } catch (error) {
      world.printLogs();
      throw error;
    } finally {
      await world.close();
    }
  });
}

/* ---- accounts -------------------------------------------------------------------------------- */

/* The sum of what was counted as lost, for the reasons given (all of them, if none). */
export function lost(status, ...reasons) {
  return status.losses
    .filter((l) => reasons.length === 0 || reasons.includes(l.reason))
    .reduce((sum, l) => sum + l.count, 0);
}

/* Nothing came twice, nothing is garbled, nothing that ended is told as died. */
export function assertWhole(account) {
  const { repeated, repeated_batches, garbled, ended_but_died, undecodable } = account;
  assert.deepEqual({ repeated, repeated_batches, garbled, ended_but_died, undecodable },
    { repeated: 0, repeated_batches: 0, garbled: 0, ended_but_died: 0, undecodable: 0 }, JSON.stringify(account));
}

/* Everything that services say they ended is there exactly once, and nobody counted a loss. */
export function assertComplete(account, status) {
  assertWhole(account);
  assert.deepEqual(status.losses, [], 'nothing was lost');
  assert.equal(account.unrecorded, 0, JSON.stringify(account));
  assert.equal(account.missing_ended + account.missing_begun, 0, JSON.stringify(account));
}

// SPDX-License-Identifier: Apache-2.0
// Real daemons for the benchmarks: started in directories of their own, measured through /proc
// and their metrics, ended by their id.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const build = process.env.WEFT_BUILD ?? 'build/release';
const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK']).stdout.toString()) || 100;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Below the ports that the kernel gives to outgoing connections, of which benchmarks make many.
let nextPort = 12000 + ((process.pid * 97) % 20000);
export async function freePort() {
  for (;;) {
    nextPort = nextPort < 32000 ? nextPort + 1 : 12000;
    const server = createServer();
    const free = await new Promise((resolve) => {
      server.on('error', () => resolve(false));
      server.listen(nextPort, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return nextPort;
  }
}

export async function until(what, condition, ms = 30000) {
  const end = Date.now() + ms;
  for (;;) {
    const result = await condition().catch(() => false);
    if (result) return result;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await sleep(50);
  }
}

export class World {
  constructor() {
    this.directory = mkdtempSync(join(process.env.WEFT_BENCH_DIR ?? tmpdir(), 'weft-bench-'));
    this.slabs = mkdtempSync('/dev/shm/weft-bench-');
    this.children = [];
  }

  start(program, args, env = {}) {
    const child = spawn(resolve(build, program), args, {
      env: { ...process.env, WEFT_DIR: this.slabs, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.output = '';
    child.log = '';
    child.stdout.on('data', (data) => (child.output += data));
    child.stderr.on('data', (data) => (child.log = (child.log + data).slice(-20000)));
    child.ended = new Promise((resolve) => child.on('close', resolve));
    this.children.push(child);
    return child;
  }

  async collector(args = []) {
    this.http = await freePort();
    this.link = `tcp://127.0.0.1:${await freePort()}`;
    this.control = `tcp://127.0.0.1:${await freePort()}`;
    const child = this.start('collector/weft-collector', [
      `--http=127.0.0.1:${this.http}`, `--link=${this.link}`, `--control=${this.control}`,
      `--ledger-dir=${this.directory}/ledger`, ...args]);
    await until('the collector', async () => (await fetch(`http://127.0.0.1:${this.http}/readyz`)).ok);
    return child;
  }

  async agent(args = []) {
    const port = await freePort();
    const child = this.start('agent/weft-agent', [
      `--directory=${this.slabs}`, '--agent=bench', `--collector=${this.link ?? 'tcp://127.0.0.1:9'}`,
      `--control=${this.control ?? 'tcp://127.0.0.1:9'}`, `--spool=${this.directory}/spool`,
      `--http=127.0.0.1:${port}`, ...args]);
    child.metrics = () => metrics(port);
    await until('the agent', child.metrics);
    return child;
  }

  async status() {
    return (await fetch(`http://127.0.0.1:${this.http}/api/v1/status`)).json();
  }

  async stop(child) {
    child.kill('SIGTERM');
    await child.ended;
  }

  async close() {
    for (const child of this.children.reverse()) await this.stop(child);
    rmSync(this.directory, { recursive: true, force: true });
    rmSync(this.slabs, { recursive: true, force: true });
  }
}

// A program that prints one line of JSON.
export async function result(child) {
  const code = await child.ended;
  if (code !== 0) throw new Error(`${child.spawnargs[0]} ended with ${code}: ${child.log}`);
  return JSON.parse(child.output);
}

async function metrics(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const values = {};
  for (const line of text.split('\n')) {
    const match = /^weft_agent_(\S+) (\d+)$/.exec(line);
    if (match) values[match[1]] = Number(match[2]);
  }
  return values;
}

export function cpuNs(child) {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e9) / ticksPerSecond;
}

// Private memory, and all of what is resident (shared rings and code too).
export function residentBytes(child) {
  const text = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const kb = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0);
  return { all: kb('VmRSS') * 1024, own: kb('RssAnon') * 1024 };
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

export function table(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i] ?? '').length)));
  for (const row of rows)
    console.log(row.map((cell, i) => (i === 0 ? String(cell).padEnd(widths[i])
                                              : String(cell ?? '').padStart(widths[i]))).join('  ').trimEnd());
  console.log();
}

export const count = (n) => Math.round(n).toLocaleString('en-US');
export const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

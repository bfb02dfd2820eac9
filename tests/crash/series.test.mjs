// SPDX-License-Identifier: Apache-2.0
/* The series store under kill -9 where a block is cut, takes its name, takes the place of those that
 * were merged into it, goes because there are too many, or where samples are deleted
 * (e2e/programs/die_at.c; crash_series_store). What was acknowledged is there once, deletions that
 * were answered hold, and sums of deltas have grown by what was told. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const build = path.resolve(process.env.WEFT_BUILD ?? 'build/release');
const program = path.join(build, 'tests/crash/crash_series_store');
const dieAt = path.join(build, 'tests/e2e/libe2e_die_at.so');
const batches = '400';

function run(args, env = {}) {
  const result = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: 'utf8', timeout: 120_000 });
  return { ...result, said: `${result.stdout}${result.stderr}` };
}

function check(directory, ...limit) {
  const result = run(['check', directory, ...limit]);
  assert.equal(result.status, 0, result.said);
  return result.stdout.match(/\d+/g).map(Number);
}

function dieAndGoOn(directory, moment, ...limit) {
  const killed = run(['write', directory, batches, ...limit], { LD_PRELOAD: dieAt, DIE_AT: moment });
  assert.equal(killed.signal, 'SIGKILL', killed.said);
  check(directory, ...limit);
  const again = run(['write', directory, batches, ...limit]);
  assert.equal(again.status, 0, again.said);
  const found = check(directory, ...limit);
  assert.equal(found[0], Number(batches));
  const left = fs.readdirSync(directory).filter((f) => f.endsWith('.series.new') || f.endsWith('.damaged'));
  assert.deepEqual(left, []);
  return found;
}

function scenario(name, body) {
  test(name, () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'weft-crash-series-'));
    try {
      body(path.join(root, 'series'));
    } finally {
      fs.rmSync(root, { recursive: true, force: true });
    }
  });
}

for (const moment of [
  'fsync .series.new 1 before',
  'fsync .series.new 1 after',
  'fsync .series.new 5 before',
  'renameat .series 1 before',
  'renameat .series 1 after',
  'renameat .series 4 after',
  'renameat .series 7 before',
  'fsync /series 1 after',
  'fsync /series 6 after',
  'unlinkat .series 1 before',
  'unlinkat .series 1 after',
  'unlinkat .series 3 after',
  'unlinkat .series 6 before',
  'fsync /tombstones.new 1 before',
  'fsync /tombstones.new 1 after',
  'renameat tombstones 1 before',
  'renameat tombstones 1 after',
  'renameat tombstones 3 before',
  'renameat tombstones 4 after',
])
  scenario(`the store dies at "${moment}": each sample once, and what was deleted is gone`, (directory) => {
    dieAndGoOn(directory, moment);
  });

for (const moment of ['unlinkat .series 2 before', 'unlinkat .series 5 after', 'unlinkat .series 9 after'])
  scenario(`old blocks go and the store dies at "${moment}": what went is counted`, (directory) => {
    const aged = dieAndGoOn(directory, moment, '12000')[3];
    assert.ok(aged > 0);
  });

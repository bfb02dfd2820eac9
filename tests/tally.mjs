// SPDX-License-Identifier: Apache-2.0
/*
 * Counts what a test runner said:  node tests/tally.mjs KIND LOG STATUS  prints "PASSED FAILED SKIPPED".
 *
 *   ctest    ctest -V: the tests within each cmocka program; one for a program that is none
 *   tap      node --test --test-reporter=tap
 *   vitest   vitest's JSON report
 *   counts   a program that closes with "N passed, N failed"
 *   step     a command that is one test by itself
 *
 * A runner that failed without saying of what counts as one failure: nothing passes by crashing.
 */
import { readFileSync } from 'node:fs';

const [kind, log, status] = process.argv.slice(2);
let text = '';
try {
  text = readFileSync(log, 'utf8');
} catch {
  /* it ended before it wrote anything */
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const number = (pattern) => sum([...text.matchAll(pattern)].map((m) => Number(m[1])));

function ctest() {
  const programs = new Map();
  const of = (n) => {
    if (!programs.has(n)) programs.set(n, { passed: 0, failed: 0, skipped: 0 });
    return programs.get(n);
  };
  for (const line of text.split('\n')) {
    const said = line.match(/^(\d+): \[ {2}(PASSED {2}|FAILED {2}|SKIPPED )\] (?:\S+: )?(\d+) test/);
    if (said) of(said[1])[said[2].trim().toLowerCase()] += Number(said[3]);
    const ended = line.match(/^ *\d+\/\d+ Test +#(\d+): .*?(Passed|Skipped|\*\*\*\S+)/);
    if (!ended) continue;
    const p = of(ended[1]);
    if (/Skipped/.test(ended[2])) p.skipped = Math.max(p.skipped, 1);
    else if (ended[2] !== 'Passed') p.failed = Math.max(p.failed, 1);
    else if (sum(Object.values(p)) === 0) p.passed = 1;
  }
  const all = [...programs.values()];
  return ['passed', 'failed', 'skipped'].map((of) => sum(all.map((p) => p[of])));
}

function vitest() {
  const report = text ? JSON.parse(text) : {};
  return [report.numPassedTests ?? 0, report.numFailedTests ?? 0, (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0)];
}

const kinds = {
  ctest,
  vitest,
  tap: () => [number(/^# pass (\d+)$/gm), number(/^# (?:fail|cancelled) (\d+)$/gm), number(/^# (?:skipped|todo) (\d+)$/gm)],
  counts: () => [number(/^(\d+) passed, \d+ failed$/gm), number(/^\d+ passed, (\d+) failed$/gm), 0],
  step: () => [status === '0' ? 1 : 0, 0, 0],
};
const [passed, failed, skipped] = kinds[kind]();
console.log(passed, status !== '0' && failed === 0 ? 1 : failed, skipped);

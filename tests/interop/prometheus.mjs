// SPDX-License-Identifier: Apache-2.0
/* A real Prometheus for the tests: started in a world of its own, without Debian's service; and how
 * its answers are compared with ours. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, ask, freePort, until } from '../e2e/harness.mjs';

const file = process.env.WEFT_PROMETHEUS ?? 'prometheus';

/* What a test gives as `skip`: false, or why it cannot run. */
export const absent = spawnSync(file, ['--version']).status === 0 ? false : 'there is no prometheus (apt install prometheus)';

/* `config`: the text of prometheus.yml. */
export async function startPrometheus(world, config) {
  const port = await freePort();
  const data = path.join(world.dir, 'prometheus');
  const yaml = path.join(world.dir, 'prometheus.yml');
  fs.writeFileSync(yaml, config);
  const daemon = new Daemon(world, 'prometheus', file, [
    `--config.file=${yaml}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver', '--enable-feature=native-histograms,exemplar-storage', '--log.level=warn',
  ]);
  daemon.url = `http://127.0.0.1:${port}`;
  await until('prometheus is ready', async () => (await ask(`${daemon.url}/-/ready`)).status === 200);
  return daemon;
}

const TOLERANCE = 1e-9;

function sameNumber(a, b) {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) && Number.isNaN(y);
  if (x === y) return true;
  return Math.abs(x - y) <= TOLERANCE * Math.max(1, Math.abs(x), Math.abs(y));
}

function samePoints(a, b) {
  return a.length === b.length && a.every(([at, value], i) => Math.round(at * 1000) === Math.round(b[i][0] * 1000) && sameNumber(value, b[i][1]));
}

const key = (series) => JSON.stringify(Object.entries(series.metric).sort(([a], [b]) => (a < b ? -1 : 1)));
const points = (series) => series.values ?? [series.value];

/* Answers of /api/v1/query and query_range: null where they agree, else what differs. Series come
 * in any order unless the query sorts them. */
export function difference(ours, theirs, { ordered = false } = {}) {
  if (ours.status !== theirs.status) return `status ${ours.status}, ${theirs.status}: ${ours.error ?? theirs.error}`;
  if (ours.status !== 'success') return ours.errorType === theirs.errorType ? null : `${ours.errorType}, ${theirs.errorType}`;
  const [a, b] = [ours.data, theirs.data];
  if (a.resultType !== b.resultType) return `type ${a.resultType}, ${b.resultType}`;
  if (a.resultType === 'scalar' || a.resultType === 'string')
    return samePoints([a.result], [b.result]) ? null : `${a.result}, ${b.result}`;
  if (a.result.length !== b.result.length) return `${a.result.length} series, ${b.result.length}`;
  const sorted = (all) => (ordered ? all : [...all].sort((x, y) => (key(x) < key(y) ? -1 : 1)));
  const [s, t] = [sorted(a.result), sorted(b.result)];
  for (const [i, series] of s.entries()) {
    if (key(series) !== key(t[i])) return `${key(series)}, ${key(t[i])}`;
    if (!samePoints(points(series), points(t[i])))
      return `${key(series)}\n  ${JSON.stringify(points(series))}\n  ${JSON.stringify(points(t[i]))}`;
  }
  return null;
}

// SPDX-License-Identifier: Apache-2.0
/* Dashboards as the fixture keeps them: those of the repository, and what was saved since it began. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SHIPPED = fileURLToPath(new URL('../../dashboards', import.meta.url));

const version = (text) => `"${createHash('sha256').update(text).digest('hex').slice(0, 16)}"`;

/** `disk` is { saved: Map, full: boolean }, `said` the request's headers. [status, body, headers] */
export function answerDashboards(disk, method, path, body, said = {}) {
  const name = path.slice('/api/v1/dashboards'.length).replace(/^\//, '');
  const shipped = readdirSync(SHIPPED).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5));
  if (name === '') {
    const names = [...new Set([...shipped, ...disk.saved.keys()])].sort();
    return [200, { dashboards: names.map((each) => ({ name: each, shipped: shipped.includes(each), saved: disk.saved.has(each) })) }];
  }
  const read = () => disk.saved.get(name) ?? (shipped.includes(name) ? readFileSync(join(SHIPPED, `${name}.json`), 'utf8') : undefined);
  const now = read();
  const stale = (said['if-match'] && (now === undefined || said['if-match'] !== version(now))) || (said['if-none-match'] === '*' && now !== undefined);
  if (method !== 'GET' && stale) return [412, { error: `the dashboard ${name} is not as it was read: somebody saved or removed it since; read it again, or save without If-Match` }];
  if (method === 'PUT' && disk.full) return [507, { error: 'the dashboard cannot be written: the disk is full; make room and save it again. What was saved before is unharmed' }];
  if (method === 'PUT') {
    disk.saved.set(name, body);
    return [200, { name }, { ETag: version(body) }];
  }
  if (method === 'DELETE') return disk.saved.delete(name) ? [200, { name }] : [404, { error: `nobody saved a dashboard ${name}` }];
  if (now === undefined) return [404, { error: `there is no dashboard ${name}` }];
  return [200, JSON.parse(now), { ETag: version(now), 'Last-Modified': new Date().toUTCString() }];
}

/** Phases of the critical path, as docs/api.md has them. */
export function phases(traces) {
  const phase = (service, operation, share) => ({
    what: 'operation', service, operation, kind: 'server', traces: traces.length, share, critical_ns: 1e9 * share, p50_ns: 4e6 * share, p99_ns: 9e7 * share, max_ns: 2e8 * share,
    exemplars: traces.slice(0, 1).map(({ trace_id }) => trace_id),
  });
  const list = [phase('cell', 'redis LRANGE', 0.42), phase('web', 'GET /dashboard', 0.3), phase('firehose', 'GET /read', 0.1)];
  return { traces: traces.length, total_ns: 1e9, phases: list, more: false, end: 'all', partial: false };
}

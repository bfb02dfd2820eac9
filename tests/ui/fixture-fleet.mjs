// SPDX-License-Identifier: Apache-2.0
/*
 * A small fleet at this moment, marks, deploys, alerts, caches and the graph, in the API's form. There is no
 * PromQL here: an answer has the labels that a query sums by and a number that fits its metric. What is
 * asked over time is fixture-prom.mjs's.
 */

const NS = (ms) => `${Math.round(ms)}000000`;

export const SERVICES = {
  web: { rate: 30, errors: 0, p50: 0.0005, p99: 0.0042, cells: [''], versions: { '1.4.0': 2 }, operations: ['GET /dashboard', 'POST /post'] },
  cell: { rate: 28, errors: 0.021, p50: 0.00018, p99: 0.026, cells: ['c1', 'c2'], versions: { '1.5.0': 1, '1.4.0': 1 }, operations: ['GET /inbox', 'deliver'] },
  firehose: { rate: 8.5, errors: 0, p50: 0.1, p99: 1.01, cells: [''], versions: { '1.4.0': 1 }, operations: ['GET /read', 'POST /append'] },
};

const valueOf = (query, service) => {
  const { rate, errors, p50, p99, versions } = SERVICES[service];
  const share = 1 / (2 * SERVICES[service].operations.length);
  const wide = /by \([^)]*span_name/.test(query) ? share * 2 : 1;
  if (/process_resident_memory_bytes/.test(query)) return 21_000_000;
  if (/weft_processes|process_/.test(query)) return Object.values(versions).reduce((sum, count) => sum + count, 0);
  if (/histogram_quantile\(0\.5/.test(query)) return p50;
  if (/histogram_quantile/.test(query)) return p99;
  const counted = /increase\(/.test(query) ? 600 : 1;
  /* Newer errors than an hour ago: what is asked of the time before has fewer. */
  const failing = /STATUS_CODE_ERROR/.test(query) ? (/\[(2[6-9]|[3-9]\d)\d\ds\]/.test(query) ? errors / 20 : errors) : 1;
  return rate * wide * counted * failing;
};

/* A bell of buckets around the service's median, slower for the newer version. */
function histogramOf(query, service) {
  const centre = SERVICES[service].p50 * (/version="1\.5\.0"/.test(query) ? 2.4 : 1);
  const buckets = Array.from({ length: 24 }, (_, i) => {
    const lower = centre * 2 ** ((i - 12) / 4);
    return [0, String(lower), String(lower * 2 ** 0.25), String(Math.round(900 * Math.exp(-(((i - 12) / 5) ** 2))))];
  });
  const count = buckets.reduce((sum, [, , , n]) => sum + Number(n), 0);
  return { count: String(count), sum: String(count * centre), buckets };
}

function rowsOf(query) {
  const by = /\bby \(([^)]*)\)/.exec(query)?.[1].split(/,\s*/) ?? [];
  const only = /service(?:_name)?="([^"]*)"/.exec(query)?.[1];
  const rows = [];
  for (const [name, service] of Object.entries(SERVICES)) {
    if (only !== undefined && only !== name) continue;
    const choices = {
      service_name: [name], service: [name], client: [name], server: ['cell'], host: ['box7'], cell: service.cells,
      span_name: service.operations, span_kind: ['SPAN_KIND_SERVER'], version: Object.keys(service.versions),
    };
    let found = [{}];
    for (const label of by) found = found.flatMap((labels) => (choices[label] ?? ['']).map((value) => ({ ...labels, [label]: value })));
    rows.push(...found.map((metric) => ({ service: name, metric })));
    if (by.length === 0 || by.every((label) => label === 'cell' || label === 'version')) if (only === undefined) break;
  }
  return rows;
}

const isHistogram = (query) => /duration_seconds/.test(query) && !/histogram_quantile/.test(query);

function vector(query, nowS) {
  return rowsOf(query).map(({ service, metric }) =>
    isHistogram(query) ? { metric, histogram: [nowS, histogramOf(query, service)] } : { metric, value: [nowS, String(valueOf(query, service))] });
}

export function marks(nowMs) {
  const at = (secondsAgo, forSeconds = 0) => ({ from_unix_ns: NS(nowMs - secondsAgo * 1000), to_unix_ns: NS(nowMs - (secondsAgo - forSeconds) * 1000) });
  return [
    { id: 9, kind: 'hot-key', ...at(900, 880), title: 'celebrity:1 is hot in 10.0.0.5:6379 on box7', text: 'it began with 31 % of the calls of this redis', count: 1 },
    { id: 8, kind: 'death', ...at(700), title: 'cell died', text: 'cell c2-0: killed by SIGKILL', service: 'cell', cell: 'c2', count: 1 },
    { id: 7, kind: 'deploy', ...at(1200, 240), title: 'cell 1.5.0', service: 'cell', version: '1.5.0', previous: '1.4.0', cell: 'c1', count: 3 },
    { id: 5, kind: 'note', ...at(2400), title: 'cache flushed', count: 1 },
    { id: 4, kind: 'deploy', ...at(2700, 60), title: 'web 1.4.0', service: 'web', version: '1.4.0', previous: '1.3.2', count: 2 },
  ];
}

const measure = (name, change, before, after, confidence = 0.99999) => ({
  measure: name, change, before, after, ratio: before === 0 ? 'NaN' : after / before, delta: change === 'none' ? 0.05 : 0.98,
  confidence, before_intervals: 30, after_intervals: 30,
});

function verdict(mark, worse) {
  const from = Number(BigInt(mark.from_unix_ns) / 1_000_000n);
  const change = worse ? 'worse' : 'none';
  return {
    basis: worse ? 'versions' : 'times', change, before_from_unix_ns: NS(from - 300_000), before_to_unix_ns: mark.from_unix_ns,
    after_from_unix_ns: mark.to_unix_ns, after_to_unix_ns: NS(from + 600_000), interval_ns: 4e9,
    measures: [
      measure('p50_seconds', change, 0.00018, worse ? 0.00043 : 0.00018), measure('p99_seconds', change, 0.021, worse ? 0.048 : 0.0211),
      measure('error_rate', 'none', 0, 0, 0.4), measure('requests_per_second', 'none', 14.1, 14, 0.3),
      measure('cpu_cores_per_process', worse ? 'worse' : 'none', 0.021, worse ? 0.034 : 0.021), measure('resident_bytes_per_process', 'none', 21e6, 21.2e6, 0.8),
    ],
  };
}

function deploy(mark) {
  const worse = mark.service === 'cell';
  return {
    mark, rollout: { hosts: mark.count, of_hosts: worse ? 6 : mark.count, first_host: 'box1', last_host: `box${mark.count}` },
    cell: verdict(mark, worse), service: worse ? { basis: 'none', change: 'unknown', measures: [] } : verdict(mark, false),
  };
}

const CACHE = {
  id: 1, host: 'box7', address: '10.0.0.5:6379', protocol: 'redis', commands_per_s: 812.5, hit_rate: 0.93, errors_per_s: 0,
  request_bytes_per_s: 30000, reply_bytes_per_s: 90000, p50_seconds: 0.00004, p99_seconds: 0.0002, p999_seconds: 0.0011,
  windows: 30, distinct_keys: 5120, peak_commands: 2900, peak_ratio: 3.6, hottest: { key: 'celebrity:1', calls: 80600, share: 0.31 },
};

function heavy(list, by) {
  const names = { keys: 'celebrity:', patterns: 'inbox:*:', clients: 'web-' }[list];
  const rows = Array.from({ length: 12 }, (_, i) => ({
    key: `${names}${i + 1}`, calls: Math.round(80600 / (i + 1)), bytes: 9_000_000 * (i + 1), misses: 12 * i,
    per_second: 268.7 / (i + 1), share: 0.31 / (i + 1), error: i * 7,
  }));
  if (by === 'bytes') rows.reverse();
  return { by, caches: 1, windows: 60, commands: 250_000, distinct_keys: 5120, total: 260_000, rest: 310, [list]: rows };
}

function caches(path, query, nowMs) {
  const cache = { ...CACHE, seen_unix_ns: NS(nowMs - 800) };
  if (path === '/api/v1/caches') return [200, { caches: [cache] }];
  if (path === '/api/v1/caches/1') return [200, cache];
  const list = /^\/api\/v1\/caches\/(?:1\/)?(keys|patterns|clients)$/.exec(path)?.[1];
  return list ? [200, heavy(list, query.get('by') ?? 'calls')] : [404, { error: 'there is no such cache' }];
}

/* So many services: each calls three that are its own and one across. */
function largeGraph(services) {
  const latency = (p50) => ({ count: 200, p50_ns: p50, p90_ns: p50 * 2, p99_ns: p50 * 8, max_ns: p50 * 20 });
  const edges = Array.from({ length: services }, (_, i) => [3 * i + 1, 3 * i + 2, 3 * i + 3, ...(i % 7 === 3 ? [(i * 5) % services] : [])]
    .filter((to) => to < services && to !== i)
    .map((to) => ({ from: i, to, type: 'call', calls: 3000 - 9 * i, errors: to % 40 === 9 ? 30 : 0, died: 0, in_flight: 0, caller: latency(90_000 + 1000 * to), exemplar: '0190000000000000000000000000d001' }))).flat();
  return { traces: 1000, unresolved_links: 0, more: true, end: 'all', partial: false, nodes: Array.from({ length: services }, (_, i) => ({ kind: 'service', name: `service-${i}` })), edges };
}

function graph() {
  const latency = (p50) => ({ count: 200, p50_ns: p50, p90_ns: p50 * 2, p99_ns: p50 * 8, max_ns: p50 * 20 });
  const edge = (from, to, calls, errors, p50, more = {}) => ({ from, to, type: 'call', calls, errors, died: 0, in_flight: 0, caller: latency(p50), ...more });
  return {
    traces: 200, unresolved_links: 0, more: true, end: 'all', partial: false,
    nodes: [{ kind: 'rest' }, { kind: 'user', name: '' }, { kind: 'service', name: 'web' }, { kind: 'service', name: 'cell' }, { kind: 'service', name: 'firehose' }, { kind: 'database', name: 'redis' }, { kind: 'database', name: 'memcached' }],
    edges: [
      { ...edge(1, 2, 200, 2, 480_000), caller: undefined, callee: latency(480_000) }, edge(2, 3, 180, 4, 310_000), edge(2, 4, 20, 0, 380_000),
      edge(2, 6, 180, 0, 120_000), edge(3, 5, 350, 0, 84_000), edge(4, 3, 20, 0, 160_000_000, { type: 'message' }),
    ],
  };
}

/** [status, body], or undefined for what is not of the fleet. */
export function answerFleet(url, nowMs, { empty = false, full = false, services = 0 } = {}) {
  const { pathname: path, searchParams: query } = url;
  const data = (what) => [200, { status: 'success', data: what }];
  if (path === '/api/v1/query') return data({ resultType: 'vector', result: empty ? [] : vector(query.get('query'), nowMs / 1000) });
  if (path === '/api/v1/alerts') {
    const alerts = [{ labels: { alertname: 'CellErrors', service_name: 'cell' }, annotations: { summary: 'cell fails 2.1 % of its requests' }, state: 'firing', activeAt: new Date(nowMs - 400_000).toISOString(), value: '2.1e-02' }];
    return data({ alerts: empty ? [] : alerts });
  }
  if (path === '/api/v1/marks') {
    const [kind, service] = [query.get('kind'), query.get('service')];
    const [start, end] = [query.get('start') || '0', query.get('end') || '9'.repeat(19)].map(BigInt);
    const wanted = (mark) => (!kind || mark.kind === kind) && (!service || mark.service === service) && BigInt(mark.to_unix_ns) >= start && BigInt(mark.from_unix_ns) < end;
    return [200, { marks: empty ? [] : marks(nowMs).filter(wanted), more: full }];
  }
  const id = /^\/api\/v1\/deploys\/(\d+)$/.exec(path)?.[1];
  if (id !== undefined) {
    const mark = marks(nowMs).find((each) => each.id === Number(id) && each.kind === 'deploy');
    return mark ? [200, deploy(mark)] : [404, { error: `there is no deploy ${id}` }];
  }
  if (path === '/api/v1/graph') return [200, empty ? { traces: 0, nodes: [], edges: [] } : services > 0 ? largeGraph(services) : graph()];
  if (path.startsWith('/api/v1/caches')) return empty ? [200, { caches: [] }] : caches(path, query, nowMs);
  return undefined;
}

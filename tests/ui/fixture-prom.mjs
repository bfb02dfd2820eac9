// SPDX-License-Identifier: Apache-2.0
/*
 * Prometheus' API as the fixture answers it: every query has an answer, made of sines that differ by
 * series. Which series there are is read from its `by (…)`; what says `_seconds` and takes no quantile
 * is a histogram. `rate(foo)` is wrong, and nothing is known of `nothing`.
 */
const VALUES = {
  service_name: ['web', 'cell', 'firehose'],
  service: ['web', 'cell', 'firehose'],
  cell: ['c1', 'c2'],
  version: ['1.5.0', '1.4.0'],
  host: ['box7', 'box8'],
  command: ['get', 'set'],
  span_name: ['GET /dashboard', 'deliver'],
};
const METRICS = {
  traces_span_metrics_calls_total: ['counter', '', 'Spans that ended.'],
  traces_span_metrics_duration_seconds: ['histogram', 'seconds', 'How long spans took.'],
  process_cpu_seconds_total: ['counter', 'seconds', 'Processor time that processes used.'],
  weft_cache_commands_total: ['counter', '', 'commands that clients sent to a cache'],
};

const done = (data) => [200, { status: 'success', data }];
const wrong = (error) => [400, { status: 'error', errorType: 'bad_data', error: `invalid parameter "query": ${error}` }];

function labelsOf(query) {
  const by = /by\s*\(([^)]*)\)/.exec(query)?.[1] ?? '';
  const names = by.split(',').map((name) => name.trim()).filter((name) => name in VALUES);
  return names.reduce((sets, name) => sets.flatMap((set) => VALUES[name].map((value) => ({ ...set, [name]: value }))), [{}]);
}

const isHistogram = (query) => /_seconds\b(?!_)/.test(query) && !/quantile|histogram_|cpu/.test(query);
const wave = (at, i) => 40 + 20 * i + (12 + i) * Math.sin(at / 400 + i);

function histogram(at) {
  const buckets = Array.from({ length: 24 }, (_, i) => {
    const count = 90 * Math.exp(-((i - 8 - 2 * Math.sin(at / 900)) ** 2) / 9) + (i === 20 ? 4 : 0);
    return [0, String(1e-4 * 2 ** (i / 2)), String(1e-4 * 2 ** ((i + 1) / 2)), count.toFixed(3)];
  }).filter(([, , , count]) => Number(count) > 0);
  return { count: '400', sum: '12', buckets };
}

function seriesOf(query, times) {
  if (query.includes('nothing')) return [];
  return labelsOf(query).map((metric, i) => {
    if (isHistogram(query)) return { metric, histograms: times.map((at) => [at, histogram(at)]) };
    const scale = query.includes('quantile') ? 1e-3 : /share|misses/.test(query) ? 0.01 : 1;
    return { metric, values: times.map((at) => [at, String(scale * wave(at, i))]) };
  });
}

function exemplars(query, start, end, traces) {
  const ids = traces.slice(0, 5).map((trace, i) => ({
    labels: { trace_id: trace.trace_id, span_id: trace.spans[0].span_id },
    value: String(0.01 * (i + 1)),
    timestamp: start + ((end - start) * (i + 1)) / 6,
  }));
  return [{ seriesLabels: { __name__: 'traces_span_metrics_duration_seconds', service_name: 'web', host: 'box7' }, exemplars: ids }];
}

/** [status, body]; undefined for what is not Prometheus' API. */
export function answerProm(path, query, traces) {
  const text = query.get('query') ?? '';
  const number = (name) => Number(query.get(name));
  if (/^\/api\/v1\/query/.test(path) && text.includes('rate(foo)')) {
    return wrong(`1:${text.indexOf('foo') + 1}: rate takes a range vector here, and this is an instant vector`);
  }
  if (path === '/api/v1/query_range') {
    const count = Math.floor((number('end') - number('start')) / number('step')) + 1;
    const times = Array.from({ length: count }, (_, i) => number('start') + i * number('step'));
    return done({ resultType: 'matrix', result: seriesOf(text, times) });
  }
  if (path === '/api/v1/query') {
    const at = number('time') || Date.now() / 1000;
    const result = seriesOf(text, [at]).map(({ metric, values, histograms }) =>
      values ? { metric, value: values[0] } : { metric, histogram: histograms[0] });
    return done({ resultType: 'vector', result });
  }
  if (path === '/api/v1/query_exemplars') return done(exemplars(text, number('start'), number('end'), traces));
  if (path === '/api/v1/labels') return done(['__name__', ...Object.keys(VALUES)].sort());
  const label = /^\/api\/v1\/label\/([^/]+)\/values$/.exec(path)?.[1];
  if (label) return done(label === '__name__' ? Object.keys(METRICS) : (VALUES[label] ?? []));
  if (path === '/api/v1/metadata') {
    return done(Object.fromEntries(Object.entries(METRICS).map(([name, [type, unit, help]]) => [name, [{ type, unit, help }]])));
  }
  return undefined;
}

// SPDX-License-Identifier: Apache-2.0
// The questions of a dashboard that bench/stats.mjs asks each system, and how their answers compare.

// Moments in seconds. `first` and `last`: of the samples of all hosts; those of one host reach a day back.
// Each moment is beside the samples' grid, and no range begins before the first sample: there Prometheus 2 and 3
// differ by intent.
export function panels({ first, last }) {
  const at = last + 7;
  const instant = (name, query) => ({ name, call: 'query', form: { query, time: at } });
  const range = (name, query, step, from = first + 307) => ({ name, call: 'query_range', form: { query, start: from, end: at, step } });
  const rate = 'rate(requests_total{job="hour"}[5m])';
  const buckets = 'rate(took_seconds_bucket{job="hour"}[5m])';
  const one = 'job="hour",host="host-00007.example.net",method="get",status="200"';
  const day = 'job="day",method="get",status="200"';
  return [
    range('a series, at 15 s', `requests_total{${one}}`, 15),
    range('its rate, at 15 s', `rate(requests_total{${one}}[5m])`, 15),
    range('a day of a rate, at 15 s', `rate(requests_total{${day}}[5m])`, 15, last - 86400 + 307),
    instant('sum of the rates of a metric', `sum(${rate})`),
    range('the same, at 1 min', `sum(${rate})`, 60),
    range('by cell and status, at 1 min', `sum by (cell, status) (${rate})`, 60),
    range('share of errors by cell, at 1 min',
      `sum by (cell) (rate(requests_total{job="hour",status="500"}[5m])) / sum by (cell) (${rate})`, 60),
    instant('p99 by cell', `histogram_quantile(0.99, sum by (cell, le) (${buckets}))`),
    range('the same, at 1 min', `histogram_quantile(0.99, sum by (cell, le) (${buckets}))`, 60),
    instant('ten busiest', `topk(10, ${rate})`),
    instant('deepest queue by cell, 10 min', 'max by (cell) (max_over_time(queue_depth{job="hour"}[10m]))'),
    instant('hosts by pattern', 'sum by (host) (rate(cpu_seconds_total{job="hour",host=~"host-000[1-3].*",mode!="idle"}[5m]))'),
    instant('series of each metric', 'count by (__name__) ({job="hour"})'),
    { name: 'names of hosts', call: 'label/host/values', form: { 'match[]': 'queue_depth{job="hour"}', start: first, end: at } },
    { name: 'series of a cell', call: 'series', form: { 'match[]': 'requests_total{job="hour",cell="c3"}', start: first, end: at } },
  ];
}

const key = (metric) => JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1)));
const points = (series) => series.values ?? [series.value];

// By how much two values differ, as a share of the larger one.
function apart(a, b) {
  const [x, y] = [Number(a), Number(b)];
  if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return 0;
  return Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y));
}

// "=" where all values are within 1e-9, else in a few words what differs.
export function agreement(ours, theirs) {
  if (Array.isArray(ours)) return ours.length === theirs.length ? '=' : `${theirs.length}, ours ${ours.length}`;
  const other = new Map(theirs.result.map((series) => [key(series.metric), points(series)]));
  let [missing, most] = [0, 0];
  for (const series of ours.result) {
    const values = new Map((other.get(key(series.metric)) ?? []).map(([at, value]) => [Math.round(at * 1000), value]));
    for (const [at, value] of points(series)) {
      const theirValue = values.get(Math.round(at * 1000));
      if (theirValue === undefined) missing++;
      else most = Math.max(most, apart(value, theirValue));
    }
  }
  const count = (all) => all.result.reduce((sum, series) => sum + points(series).length, 0);
  if (missing > 0 || count(ours) !== count(theirs))
    return `${count(theirs)} points, ${missing} of our ${count(ours)} not among them`;
  return most <= 1e-9 ? '=' : `within ${(most * 100).toPrecision(2)} %`;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A real Prometheus and a real collector. Loaded over remote write with the same samples they answer
 * the same random queries, value by value; and a Prometheus that scrapes and sends on with its own
 * remote_write fills the collector.
 *
 * Debian 12 has Prometheus 2.42; the collector speaks Prometheus 3. Where these differ by intent the
 * queries and samples are made so that it does not show:
 *
 *   - ranges and the look-back are open on the left in 3: no sample is on the edge of a range, and
 *     subqueries, whose steps lie on whole seconds, are not nested;
 *   - a counter that may have been zero within the range extrapolates less in 3, where more than 1.1
 *     intervals are missing at its begin, and so does a native histogram: those with gaps are far from 0;
 *   - atan2 removes the name in 3 also where series are matched: it is asked of sums, which have none;
 *   - predict_linear of a range with @ looks at another range at each step in 2.42, and timestamp
 *     forgets the offset beside an @, in 3 too: they are asked without @;
 *   - deviations of a lone NaN or infinity are NaN in 3, 0 before, and sums are compensated for rounding:
 *     deviations are asked of gauges, which are multiples of 1/8;
 *   - names go at the end of the query here: functions get one metric at a time, and `or` has sums on
 *     its left;
 *   - quantiles of native histograms interpolate exponentially in 3: only counts and sums are asked;
 *   - names of 3 (double_exponential_smoothing, for holt_winters) and newer functions do not occur.
 *
 * WEFT_INTEROP_QUERIES (800) and WEFT_INTEROP_SEED (1) ask for more, and for others.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { ask, freePort, scenario, until } from '../e2e/harness.mjs';
import { absent, difference, startPrometheus } from './prometheus.mjs';
import { Queries } from './queries.mjs';
import { writeHeaders, writeRequest } from './remote_write.mjs';
import { Dice, STEPS, STEP_MS, inRequests, makeSeries } from './samples.mjs';

const seed = Number(process.env.WEFT_INTEROP_SEED ?? 1);
const wanted = Number(process.env.WEFT_INTEROP_QUERIES ?? 800);

async function load(url, requests) {
  for (const part of requests) {
    const answer = await ask(`${url}/api/v1/write`, { method: 'POST', headers: writeHeaders, body: writeRequest(part) });
    assert.equal(answer.status, 204, `${url}: ${answer.text}`);
  }
}

async function asked(url, { query, time, start, end, step }) {
  const call = time === undefined ? 'query_range' : 'query';
  const parameters = time === undefined ? { query, start, end, step } : { query, time };
  const form = new URLSearchParams(parameters);
  return (await ask(`${url}/api/v1/${call}`, {
    method: 'POST', body: String(form), headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  })).json();
}

/* The last whole hour, well in the past. */
function begin() {
  return Math.floor(Date.now() / 3_600_000) * 3_600_000 - STEPS * STEP_MS;
}

scenario('prometheus and the collector answer the same random queries alike', { skip: absent }, async (world, t) => {
  const startMs = begin();
  const all = makeSeries(seed, startMs);
  const [collector, prometheus] = await Promise.all([world.collector(), startPrometheus(world, 'global: {}\n')]);
  const requests = inRequests(all, startMs);
  await load(collector.url, requests);
  await load(prometheus.url, requests);
  const samples = all.reduce((sum, s) => sum + (s.samples?.length ?? 0) + (s.histograms?.length ?? 0), 0);

  const queries = new Queries(new Dice(seed + 1), startMs);
  const told = { agreed: 0, empty: 0, errors: 0 };
  const differences = [];
  for (let i = 0; i < wanted; i++) {
    const query = queries.next();
    const [ours, theirs] = await Promise.all([asked(collector.url, query), asked(prometheus.url, query)]);
    const differs = difference(ours, theirs, { ordered: query.query.startsWith('sort') && query.time !== undefined });
    if (differs) differences.push(`${JSON.stringify(query)}\n  ours, theirs: ${differs}`);
    else {
      told.agreed++;
      if (theirs.status !== 'success') told.errors++;
      else if (theirs.data.result.length === 0) told.empty++;
    }
  }
  t.diagnostic(`${samples} samples of ${all.length} series, seed ${seed}: ${told.agreed} of ${wanted} queries agreed ` +
    `(${told.errors} errors on both sides, ${told.empty} empty)`);
  assert.equal(differences.length, 0, `${differences.length} of ${wanted} differ:\n${differences.slice(0, 20).join('\n')}`);
  assert.ok(told.errors < wanted / 5 && told.empty < wanted / 4, 'most queries have an answer');
});

scenario('prometheus and the collector tell the same series, labels and values', { skip: absent }, async (world) => {
  const startMs = begin();
  const [collector, prometheus] = await Promise.all([world.collector(), startPrometheus(world, 'global: {}\n')]);
  const requests = inRequests(makeSeries(seed, startMs), startMs);
  await load(collector.url, requests);
  await load(prometheus.url, requests);
  const names = (series) => series.map((labels) => JSON.stringify(Object.entries(labels).sort())).sort();
  for (const selector of ['depth', '{cell="c1"}', 'requests_total{code!="200"}', '{__name__=~"took.*",host="h1"}', 'nothing']) {
    const form = new URLSearchParams({ 'match[]': selector });
    for (const call of ['series', 'labels', 'label/cell/values', 'label/host/values', 'label/__name__/values']) {
      const [ours, theirs] = await Promise.all([collector, prometheus].map((side) => side.url)
        .map(async (url) => (await ask(`${url}/api/v1/${call}?${form}`)).json().data));
      assert.deepEqual(call === 'series' ? names(ours) : ours, call === 'series' ? names(theirs) : theirs, `${call} of ${selector}`);
    }
  }
});

/* A service as Prometheus scrapes it, with an exemplar. */
async function scraped() {
  let hits = 0;
  const server = http.createServer((request, response) => {
    hits += 3;
    response.setHeader('Content-Type', 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    response.end(`# TYPE shop_orders counter\n# HELP shop_orders Orders taken.\n` +
      `shop_orders_total{kind="gift"} ${hits} # {trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"} 1.0\n` +
      `# TYPE shop_took_seconds histogram\nshop_took_seconds_bucket{le="0.5"} ${hits}\nshop_took_seconds_bucket{le="+Inf"} ${hits}\n` +
      `shop_took_seconds_sum 1.5\nshop_took_seconds_count ${hits}\n# EOF\n`);
  });
  const port = await freePort();
  await new Promise((done) => { server.listen(port, '127.0.0.1', done); });
  return { port, close: () => { server.closeAllConnections(); server.close(); } };
}

scenario('what a prometheus scrapes arrives over its remote_write, exemplars and metadata too', { skip: absent }, async (world) => {
  const collector = await world.collector();
  const shop = await scraped();
  const address = new URL(collector.url).host;
  const prometheus = await startPrometheus(world, `
global: {scrape_interval: 1s, external_labels: {site: here}}
scrape_configs:
  - {job_name: shop, static_configs: [{targets: ['127.0.0.1:${shop.port}']}]}
  - {job_name: collector, static_configs: [{targets: ['${address}']}]}
  - {job_name: federate, metrics_path: /federate, honor_labels: true, params: {'match[]': ['shop_orders_total']},
     static_configs: [{targets: ['${address}']}]}
  - {job_name: gone, static_configs: [{targets: ['127.0.0.1:9']}]}
remote_write:
  - url: ${collector.url}/api/v1/write
    send_exemplars: true
    send_native_histograms: true
    metadata_config: {send: true, send_interval: 1s}
    queue_config: {batch_send_deadline: 1s}
`);
  try {
    const value = async (query) => {
      const { data } = await collector.api(`/api/v1/query?${new URLSearchParams({ query })}`);
      return data.result.length === 1 ? Number(data.result[0].value[1]) : undefined;
    };
    for (const [query, expected] of [
      ['up{job="shop",site="here"}', 1], ['up{job="collector"}', 1], ['up{job="federate"}', 1], ['up{job="gone"}', 0],
      ['count({job="collector",__name__=~"weft_collector_.*"}) > bool 10', 1],
      ['shop_orders_total{job="shop"} > bool 3', 1], ['rate(shop_orders_total{job="shop"}[1m]) > bool 0', 1],
      ['histogram_quantile(1, shop_took_seconds_bucket)', 0.5],
    ])
      await until(`${query} is ${expected}`, async () => (await value(query)) === expected);
    const metadata = await until('there is metadata', async () => {
      const { data } = await collector.api('/api/v1/metadata?metric=shop_orders');
      return data.shop_orders?.[0];
    });
    assert.equal(metadata.type, 'counter');
    assert.equal(metadata.help, 'Orders taken.');
    const [exemplar] = await until('there is an exemplar', async () => {
      const form = new URLSearchParams({ query: 'shop_orders_total', start: '0', end: String(Date.now() / 1000 + 60) });
      const { data } = await collector.api(`/api/v1/query_exemplars?${form}`);
      return data[0]?.exemplars;
    });
    assert.equal(exemplar.labels.trace_id, '0af7651916cd43dd8448eb211c80319c');
    assert.equal((await collector.status()).collector.series.refused.bad_labels, 0);
    const federated = (await ask(`${collector.url}/federate?${new URLSearchParams({ 'match[]': 'shop_orders_total' })}`)).text;
    assert.match(federated, /shop_orders_total\{.*site="here".*\} \d+/);
    // A service that is gone ends its series: markers of staleness go over the wire too.
    shop.close();
    await until('the series ended', async () => (await value('up{job="shop"}')) === 0 && (await value('shop_orders_total{job="shop"}')) === undefined);
    await prometheus.stop();
  } finally {
    shop.close();
  }
});

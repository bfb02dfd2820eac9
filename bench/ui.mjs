// SPDX-License-Identifier: Apache-2.0
// What the page costs those who look at it: a real collector and Debian's Chromium, without a screen. Traces of
// several sizes are opened, scrolled and zoomed; a panel of many series, a week of histograms and the graph of a
// large fleet are drawn; the first load is weighed.
//
// $WEFT_BENCH_ROUNDS (3) repeats each; figures are medians.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { launch } from '../tests/ui/browser.mjs';
import { largeTraceId, sendLargeTrace, sendSpans, spanCount } from '../tests/ui/real/spans.mjs';
import { writeHeaders, writeRequest } from '../tests/interop/remote_write.mjs';
import { World, count, mb, median, table, until } from './daemons.mjs';

const rounds = Number(process.env.WEFT_BENCH_ROUNDS ?? 3);
const SIZES = [100, 10_000, 100_000];
const PATIENCE_MS = 120_000;
const PANEL = { series: 100, points: 10_000 };
const WEEK = { series: 10, minutes: 7 * 24 * 60 };
const FLEET = { services: 300, traces: 20 };
// The sum of all, by the minute.
const WEEK_QUERY = 'sum(rate(bench_seconds[1h]))';
// Of larger traces the page asks for the analysis without its list of spans.
const WHOLE_ANALYSIS = 5000;
const world = new World();
const hex = (number, digits) => number.toString(16).padStart(digits, '0');
const at = (path) => `http://127.0.0.1:${world.http}${path}`;
const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)}`;

// ---- data --------------------------------------------------------------------------------------

async function writeTrace(size) {
  await sendLargeTrace(at(''), size);
  await until('the trace', async () => (await spanCount(at(''), largeTraceId(size))) === size);
}

async function writeSeries({ series, points }) {
  const end = Math.floor(Date.now() / 1000);
  for (let first = 0; first < series; first += 10) {
    const list = Array.from({ length: Math.min(10, series - first) }, (_, n) => ({
      labels: { __name__: 'bench_value', number: String(first + n) },
      samples: Array.from({ length: points }, (__, i) => [(end - (points - i) * 15) * 1000, 50 + 40 * Math.sin(i / 200 + first + n) + (i * 7919 % 17)]),
    }));
    const answer = await fetch(at('/api/v1/write'), { method: 'POST', headers: writeHeaders, body: writeRequest(list) });
    if (answer.status !== 204) throw new Error(`samples were refused: ${await answer.text()}`);
  }
  return { fromMs: (end - points * 15) * 1000, toMs: end * 1000 };
}

// Native histograms of a minute's values each, counted up, as a service tells them; a day has its rush hour.
async function writeWeek({ series, minutes }) {
  const end = Math.floor(Date.now() / 60_000) * 60_000;
  for (let n = 0; n < series; n++) {
    const sums = new Array(24).fill(0);
    const histograms = Array.from({ length: minutes }, (_, i) => {
      const rush = 1.5 + Math.sin((i / 1440) * 2 * Math.PI);
      sums.forEach((_sum, bucket) => (sums[bucket] += Math.round(60 * rush * Math.exp(-(((bucket - 9 - n / 3 - 3 * rush) / 3) ** 2)))));
      const count = sums.reduce((a, b) => a + b, 0);
      return [end - (minutes - i) * 60_000, { count, sum: count * 0.01, schema: 1, zeroThreshold: 1e-9, zeroCount: 0, offset: -20, buckets: [...sums] }];
    });
    for (let first = 0; first < minutes; first += 5000) {
      const body = writeRequest([{ labels: { __name__: 'bench_seconds', number: String(n) }, histograms: histograms.slice(first, first + 5000) }]);
      const answer = await fetch(at('/api/v1/write'), { method: 'POST', headers: writeHeaders, body });
      if (answer.status !== 204) throw new Error(`histograms were refused: ${await answer.text()}`);
    }
  }
  return { fromMs: end - minutes * 60_000, toMs: end };
}

// Traces through a whole fleet: each service calls three of its own and some one across; a call is a client's span
// and a server's.
async function writeFleet({ services, traces: number }) {
  const parents = Array.from({ length: services }, (_, i) => (i === 0 ? [] : [Math.floor((i - 1) / 3), ...(i % 4 === 0 ? [(i * 7) % i] : [])]));
  for (let trace = 0; trace < number; trace++) {
    const start = BigInt(Date.now() - 5000) * 1_000_000n;
    const spans = Array.from({ length: services }, () => []);
    const time = (i, length) => ({ startTimeUnixNano: String(start + BigInt(i) * 10_000n), endTimeUnixNano: String(start + BigInt(i) * 10_000n + BigInt(length)) });
    let id = 1;
    const of = { traceId: hex(0xf1ee7000 + trace, 32) };
    const servers = parents.map(() => hex(id++, 16));
    spans[0].push({ ...of, spanId: servers[0], parentSpanId: '', name: 'GET /', kind: 2, ...time(0, 9_000_000) });
    parents.forEach((callers, i) => callers.forEach((from, n) => {
      const call = hex(id++, 16);
      spans[from].push({ ...of, spanId: call, parentSpanId: servers[from], name: `call ${i}`, kind: 3, ...time(i, 900_000 - i * 1000) });
      spans[i].push({ ...of, spanId: n === 0 ? servers[i] : hex(id++, 16), parentSpanId: call, name: `serve ${i}`, kind: 2, ...time(i + 1, 800_000 - i * 1000) });
    }));
    const resourceSpans = spans.map((list, i) => ({ resource: { attributes: [{ key: 'service.name', value: { stringValue: `service-${i}` } }] }, scopeSpans: [{ spans: list }] }));
    await sendSpans(at(''), resourceSpans);
  }
  await until('the fleet', async () => (await (await fetch(at('/api/v1/graph?limit=1000'))).json()).nodes.filter(({ kind }) => kind === 'service').length >= services);
}

// ---- looking -----------------------------------------------------------------------------------

async function fetched(path) {
  const began = performance.now();
  const response = await fetch(at(path));
  const first = performance.now() - began;
  const bytes = (await response.arrayBuffer()).byteLength;
  return { first, whole: performance.now() - began, bytes };
}

// The moment at which something is drawn on the canvas of the waterfall, seen from within the page.
const whenDrawn = (page) => page.evaluate(() => new Promise((done) => {
  const look = () => {
    const canvas = document.querySelector('main canvas');
    const row = document.querySelector('[role=treegrid] [role=row]');
    if (canvas instanceof HTMLCanvasElement && canvas.width > 0 && row) requestAnimationFrame(() => done(performance.now()));
    else requestAnimationFrame(look);
  };
  look();
}));

// Frame times while `step` runs before each of `frames` frames.
const framesOf = (page, what, frames) => page.evaluate(([kind, number]) => new Promise((done) => {
  const grid = document.querySelector('[role=treegrid]');
  let scroller = grid;
  while (scroller && scroller.scrollHeight <= scroller.clientHeight + 1) scroller = scroller.parentElement;
  const times = [];
  let last = performance.now();
  const step = (now) => {
    times.push(now - last);
    last = now;
    if (times.length > number) return done(times.slice(1));
    if (kind === 'scroll') (scroller ?? document.scrollingElement).scrollTop += 900;
    else grid.dispatchEvent(new KeyboardEvent('keydown', { key: times.length % 40 < 20 ? '+' : '-', bubbles: true }));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}), [what, frames]);

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(Math.floor(values.length * q), values.length - 1)];

// The page's objects, and the typed arrays beside them.
async function heapBytes(context, page) {
  const session = await context.newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage');
  return usedSize + backingStorageSize;
}

async function openTrace(browser, size) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const path = `/api/v1/traces/${largeTraceId(size)}`;
  const wire = await fetched(`${path}?format=columns`);
  const json = await fetched(path);
  await page.goto(at(`/trace/${largeTraceId(size)}`), { waitUntil: 'commit' });
  const drawn = await whenDrawn(page);
  const steps = await page.evaluate(() => {
    const loaded = performance.getEntriesByName('trace-loaded')[0];
    const painted = performance.getEntriesByName('waterfall-painted')[0];
    return { ...loaded.detail, layout: painted.startTime - loaded.startTime, paint: painted.duration };
  });
  const analysis = await fetched(`/api/v1/analysis/traces/${largeTraceId(size)}${size > WHOLE_ANALYSIS ? '?limit=0' : ''}`);
  await page.locator('[role=treegrid]').focus();
  const scroll = await framesOf(page, 'scroll', 120);
  const zoom = await framesOf(page, 'zoom', 120);
  const heap = await heapBytes(context, page);
  await context.close();
  return { drawn, ...steps, analysis: analysis.whole, analysisBytes: analysis.bytes, whole: wire.whole, bytes: wire.bytes, json: json.whole, jsonBytes: json.bytes, scroll50: quantile(scroll, 0.5), scroll99: quantile(scroll, 0.99), zoom50: quantile(zoom, 0.5), zoom99: quantile(zoom, 0.99), heap };
}

async function openPanel(browser, window) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const query = new URLSearchParams({ query: 'bench_value', start: String(window.fromMs / 1000), end: String(window.toMs / 1000), step: '15' });
  const wire = await fetched(`/api/v1/query_range?${query}`);
  await page.goto(at(`/graph?${new URLSearchParams({ q: 'bench_value', from: String(window.fromMs), to: String(window.toMs) })}`), { waitUntil: 'commit' });
  await page.locator('.chart-plot canvas').first().waitFor();
  const drawn = await page.evaluate(() => performance.now());
  await context.close();
  return { whole: wire.whole, bytes: wire.bytes, drawn };
}

async function openWeek(browser, window) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const query = new URLSearchParams({ query: WEEK_QUERY, start: String(window.fromMs / 1000), end: String(window.toMs / 1000), step: '1800' });
  const wire = await fetched(`/api/v1/query_range?${query}`);
  await page.goto(at(`/graph?${new URLSearchParams({ q: WEEK_QUERY, as: 'heatmap', from: String(window.fromMs), to: String(window.toMs) })}`), { waitUntil: 'commit' });
  const drawn = await page.evaluate(() => new Promise((done) => {
    const look = () => {
      const canvas = document.querySelector('.heatmap canvas');
      if (canvas instanceof HTMLCanvasElement && canvas.width > 300) requestAnimationFrame(() => done(performance.now()));
      else requestAnimationFrame(look);
    };
    look();
  }));
  await context.close();
  return { whole: wire.whole, bytes: wire.bytes, drawn };
}

async function openFleet(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.addInitScript(() => {
    window.blocks = [];
    new PerformanceObserver((list) => window.blocks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask', buffered: true });
  });
  const wire = await fetched('/api/v1/graph?limit=1000');
  await page.goto(at('/services?reach=all'), { waitUntil: 'commit' });
  const drawn = await page.evaluate((least) => new Promise((done) => {
    const look = () => (document.querySelectorAll('[data-node]').length >= least ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look));
    look();
  }), FLEET.services);
  const laidOut = await page.evaluate(() => performance.getEntriesByName('graph-laid-out')[0].startTime);
  const block = await page.evaluate(() => Math.max(0, ...window.blocks));
  const frames = (kind) => page.evaluate((what) => new Promise((done) => {
    const node = document.querySelector('[data-node]');
    const times = [];
    let last = performance.now();
    const step = (now) => {
      times.push(now - last);
      last = now;
      if (times.length > 120) return done(times.slice(1));
      const key = what === 'pan' ? { key: times.length % 40 < 20 ? 'ArrowLeft' : 'ArrowRight', shiftKey: true } : { key: times.length % 20 < 10 ? '+' : '-' };
      node.dispatchEvent(new KeyboardEvent('keydown', { ...key, bubbles: true }));
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }), kind);
  const [pan, zoom] = [await frames('pan'), await frames('zoom')];
  await context.close();
  return { whole: wire.whole, bytes: wire.bytes, laidOut, drawn, block, pan50: quantile(pan, 0.5), pan99: quantile(pan, 0.99), zoom50: quantile(zoom, 0.5), zoom99: quantile(zoom, 0.99) };
}

async function repeat(measure) {
  const results = [];
  for (let i = 0; i < rounds; i++) results.push(await measure());
  return Object.fromEntries(Object.keys(results[0]).map((key) => [key, median(results.map((one) => one[key]))]));
}

// ---- tables ------------------------------------------------------------------------------------

async function traces(browser) {
  const opened = [['spans', 'drawn after ms', 'of these: server', 'first byte', 'transfer', 'decode', 'layout', 'paint', 'MB', 'as JSON: ms', 'MB', 'analysis: ms', 'MB']];
  const moved = [['spans', 'scroll: frame ms', 'p99', 'zoom: frame ms', 'p99', 'memory']];
  for (const size of SIZES) {
    await writeTrace(size);
    const m = await repeat(() => openTrace(browser, size));
    opened.push([count(size), ms(m.drawn), ms(m.server), ms(m.firstByte), ms(m.transfer), ms(m.decode), ms(m.layout), ms(m.paint), (m.bytes / 1e6).toFixed(2), ms(m.json), (m.jsonBytes / 1e6).toFixed(2), ms(m.analysis), (m.analysisBytes / 1e6).toFixed(2)]);
    moved.push([count(size), ms(m.scroll50), ms(m.scroll99), ms(m.zoom50), ms(m.zoom99), mb(m.heap)]);
  }
  table(opened);
  table(moved);
}

async function charts(browser) {
  const window = await writeSeries(PANEL);
  const week = await writeWeek(WEEK);
  const panel = await repeat(() => openPanel(browser, window));
  const heat = await repeat(() => openWeek(browser, week));
  table([['a chart', 'drawn after ms', 'the whole answer', 'MB'],
    [`${PANEL.series} series x ${count(PANEL.points)} points (all of them)`, ms(panel.drawn), ms(panel.whole), (panel.bytes / 1e6).toFixed(1)],
    [`heatmap of a week, ${WEEK.series} histograms a minute`, ms(heat.drawn), ms(heat.whole), (heat.bytes / 1e6).toFixed(1)]]);
}

async function fleet(browser) {
  await writeFleet(FLEET);
  const m = await repeat(() => openFleet(browser));
  table([['services', 'laid out after ms', 'drawn after', 'of these, the answer', 'MB', 'longest block', 'pan: frame ms', 'p99', 'zoom: frame ms', 'p99'],
    [count(FLEET.services), ms(m.laidOut), ms(m.drawn), ms(m.whole), (m.bytes / 1e6).toFixed(2), ms(m.block), ms(m.pan50), ms(m.pan99), ms(m.zoom50), ms(m.zoom99)]]);
}

// What index.html names and what that imports at once: all before the first view is there.
function firstLoad() {
  const directory = new URL('../ui/dist/', import.meta.url);
  const html = readFileSync(new URL('index.html', directory), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, path]) => path);
  const sizes = ['index.html', ...named].map((path) => {
    const bytes = readFileSync(new URL(path, directory));
    return { path, plain: bytes.length, packed: gzipSync(bytes).length };
  });
  const all = readdirSync(new URL('assets/', directory)).reduce((sum, name) => sum + gzipSync(readFileSync(new URL(`assets/${name}`, directory))).length, 0);
  const sum = (key) => sizes.reduce((total, one) => total + one[key], 0);
  table([['', 'KB', 'KB gzip'], ['first load', (sum('plain') / 1e3).toFixed(1), (sum('packed') / 1e3).toFixed(1)], ['all pages', '', (all / 1e3).toFixed(1)]]);
}

try {
  firstLoad();
  await world.collector([`--page-dir=${new URL('../ui/dist', import.meta.url).pathname}`, '--series-late=60d', '--traces-cut=1h']);
  const browser = await launch();
  try {
    await fleet(browser);
    await traces(browser);
    await charts(browser);
  } finally {
    await browser.close();
  }
} finally {
  await world.close();
}

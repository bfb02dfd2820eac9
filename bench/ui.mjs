// SPDX-License-Identifier: Apache-2.0
// What the page costs those who look at it: a real collector and Debian's Chromium, without a screen. Traces of
// several sizes are opened, scrolled and zoomed; a panel of many series is drawn; the first load is weighed.
//
// $WEFT_BENCH_ROUNDS (3) repeats each; figures are medians.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { launch } from '../tests/ui/browser.mjs';
import { largeTraceId, sendLargeTrace, spanCount } from '../tests/ui/real/spans.mjs';
import { writeHeaders, writeRequest } from '../tests/interop/remote_write.mjs';
import { World, count, mb, median, table, until } from './daemons.mjs';

const rounds = Number(process.env.WEFT_BENCH_ROUNDS ?? 3);
const SIZES = [100, 10_000, 100_000];
const PATIENCE_MS = 120_000;
const PANEL = { series: 100, points: 10_000 };
const world = new World();
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

async function heapBytes(context, page) {
  const session = await context.newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize;
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
  await page.locator('[role=treegrid]').focus();
  const scroll = await framesOf(page, 'scroll', 120);
  const zoom = await framesOf(page, 'zoom', 120);
  const heap = await heapBytes(context, page);
  await context.close();
  return { drawn, first: wire.first, whole: wire.whole, bytes: wire.bytes, json: json.whole, jsonBytes: json.bytes, scroll50: quantile(scroll, 0.5), scroll99: quantile(scroll, 0.99), zoom50: quantile(zoom, 0.5), zoom99: quantile(zoom, 0.99), heap };
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

async function repeat(measure) {
  const results = [];
  for (let i = 0; i < rounds; i++) results.push(await measure());
  return Object.fromEntries(Object.keys(results[0]).map((key) => [key, median(results.map((one) => one[key]))]));
}

// ---- tables ------------------------------------------------------------------------------------

async function traces(browser) {
  const rows = [['spans', 'drawn after ms', 'of these, server', 'whole answer', 'MB', 'as JSON: ms', 'MB', 'scroll: frame ms', 'p99', 'zoom: frame ms', 'p99', 'heap']];
  for (const size of SIZES) {
    await writeTrace(size);
    const m = await repeat(() => openTrace(browser, size));
    rows.push([count(size), ms(m.drawn), ms(m.first), ms(m.whole), (m.bytes / 1e6).toFixed(2), ms(m.json), (m.jsonBytes / 1e6).toFixed(2), ms(m.scroll50), ms(m.scroll99), ms(m.zoom50), ms(m.zoom99), mb(m.heap)]);
  }
  table(rows);
}

async function panel(browser) {
  const window = await writeSeries(PANEL);
  const m = await repeat(() => openPanel(browser, window));
  table([['a panel', 'drawn after ms', `the whole answer (${PANEL.points} steps)`, 'MB'],
    [`${PANEL.series} series x ${count(PANEL.points)} points`, ms(m.drawn), ms(m.whole), (m.bytes / 1e6).toFixed(1)]]);
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
    await traces(browser);
    await panel(browser);
  } finally {
    await browser.close();
  }
} finally {
  await world.close();
}

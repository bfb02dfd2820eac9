// SPDX-License-Identifier: Apache-2.0
/*
 * A collector's outside: ui/dist under `/` with the collector's Content-Security-Policy, and
 * answers of docs/api.md from fixture-data.mjs. It can be told to fall silent and to come back.
 *
 * By hand: `node tests/ui/fixture-server.mjs [PORT]`.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerDashboards, phases } from './fixture-dashboards.mjs';
import { diff, explain } from './fixture-analysis.mjs';
import { answerFleet } from './fixture-fleet.mjs';
import { answerProm } from './fixture-prom.mjs';
import { inTreeOrder, traceColumns } from './fixture-columns.mjs';
import { answerSearch, followFirehose, measure, searchLines, tags, tagValues } from './fixture-search.mjs';
import { dashboard, IDS, makeStatus, makeTraces, random, summary } from './fixture-data.mjs';

const DIST = fileURLToPath(new URL('../../ui/dist', import.meta.url));
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const NS = { us: 1e3, ms: 1e6, s: 1e9, m: 60e9 };

const durationNs = (text) => {
  const match = /^([\d.]+)(us|ms|s|m)$/.exec(text ?? '');
  return match ? Number(match[1]) * NS[match[2]] : undefined;
};

function matches(trace, query) {
  const { service, operation, status, min_duration, max_duration, start } = Object.fromEntries(query);
  const hasSpan = (s, o) =>
    trace.spans.some((span) => (!s || trace.processes[span.process].service === s) && (!o || span.name === o));
  if ((service || operation) && !hasSpan(service, operation)) return false;
  if (status === 'ok' && trace.error_count + trace.died_count > 0) return false;
  if (status === 'error' && trace.error_count === 0) return false;
  if (status === 'died' && trace.died_count === 0) return false;
  if (status === 'in_flight' && trace.in_flight_count === 0) return false;
  if (trace.duration_ns < (durationNs(min_duration) ?? 0)) return false;
  if (trace.duration_ns > (durationNs(max_duration) ?? Infinity)) return false;
  return !start || BigInt(trace.start_unix_ns) >= BigInt(start);
}

/** The fixture's state: its traces, and how it misbehaves. */
class Fixture {
  constructor({ empty = false, arriving = true } = {}) {
    this.empty = empty;
    this.silent = false;
    /** A search takes so long, or ends before its result. */
    this.searchMs = 0;
    this.cutShort = false;
    this.searches = 0;
    /** So many services are in the graph; 0: the fleet's. */
    this.graphServices = 0;
    /** What the collector is configured to link logs with. */
    this.logLink = '';
    /** Whether older marks are said to be there than those told. */
    this.manyMarks = false;
    this.disk = { saved: new Map(), full: false };
    this.token = '';
    this.traces = empty ? [] : makeTraces(Date.now());
    this.rand = random(99);
    this.arrived = 0;
    this.arriving = arriving && !empty;
  }

  /** One more ordinary trace, as the newest. */
  arrive() {
    const id = (0x0192_0000 + this.arrived++).toString(16).padStart(32, '0');
    this.traces.unshift(dashboard(id, Date.now() - 50, this.rand));
  }

  /** [status, body]; a string body is JSON already, a Buffer is columns. */
  answer(url) {
    const query = url.searchParams;
    const path = url.pathname;
    if (path === '/api/v1/services') return [200, { services: this.services() }];
    if (path === '/api/v1/status') return [200, makeStatus(Date.now(), { quiet: this.empty })];
    if (path === '/api/v1/page') return [200, this.logLink ? { log_link: this.logLink } : {}];
    if (path === '/api/v1/inflight') return [200, this.inflight(Number(query.get('limit') ?? 1000), query.get('service'))];
    if (path === '/api/v1/traces') {
      const limit = Number(query.get('limit') ?? 20);
      const found = this.traces.filter((trace) => matches(trace, query));
      return [200, { traces: found.slice(0, limit).map(summary), scanned: this.traces.length, more: found.length > limit }];
    }
    if (path === '/api/v1/search') {
      const [code, answer] = answerSearch(this.traces, query, summary);
      return [code, code === 200 && query.get('stream') === 'true' ? searchLines(answer) : answer];
    }
    if (path === '/api/v1/measure') return measure(this.traces, query);
    if (path === '/api/v1/tags') return [200, tags(this.traces)];
    const tag = /^\/api\/v1\/tags\/(.+)\/values$/.exec(path)?.[1];
    if (tag !== undefined) return [200, tagValues(this.traces, decodeURIComponent(tag))];
    if (path === '/api/v1/analysis/phases') return [200, phases(this.traces)];
    if (path === '/api/v1/analysis/diff') {
      const [a, b] = ['a', 'b'].map((side) => this.traces.find((each) => each.trace_id === query.get(side)));
      return a && b ? [200, diff(a, b)] : [404, { error: 'No span of one of these traces is known here.' }];
    }
    /* A part of the list of spans, as it is asked for. */
    const part = (told) => (query.has('limit') ? { ...told, spans: told.spans.slice(Number(query.get('offset') ?? 0), Number(query.get('offset') ?? 0) + Number(query.get('limit'))) } : told);
    const explained = /^\/api\/v1\/analysis\/traces\/([^/]+)$/.exec(path)?.[1];
    if (explained !== undefined) return this.explain(explained, part);
    const told = answerFleet(url, Date.now(), { empty: this.empty, full: this.manyMarks, services: this.graphServices }) ?? answerProm(path, query, this.traces);
    if (told) return told;
    const id = /^\/api\/v1\/traces\/([^/]+)$/.exec(path)?.[1];
    return this.traceAs(id, query);
  }

  traceAs(id, query) {
    const trace = this.traces.find((each) => each.trace_id === id);
    if (!trace) return [404, { error: `No span of trace ${id} is known here.` }];
    if (query.get('format') === 'columns') return [200, traceColumns(trace)];
    const offset = Number(query.get('offset') ?? 0);
    const spans = inTreeOrder(trace.spans);
    return [200, { ...trace, span_count: spans.length, spans: spans.slice(offset, offset + Number(query.get('limit') ?? spans.length)) }];
  }

  explain(id, part) {
    const trace = this.traces.find((each) => each.trace_id === id);
    return trace ? [200, part(explain({ ...trace, spans: inTreeOrder(trace.spans) }))] : [404, { error: `No span of trace ${id} is known here.` }];
  }

  services() {
    const byName = new Map();
    for (const trace of this.traces) {
      for (const span of trace.spans) {
        const { service } = trace.processes[span.process];
        const known = byName.get(service) ?? { name: service, spans: 0, errors: 0, died: 0, operations: new Set(), versions: ['1.4.0'], cells: [], instances: [] };
        known.spans++;
        known.operations.add(span.name);
        byName.set(service, known);
      }
    }
    return [...byName.values()].map((service) => ({ ...service, operations: [...service.operations] }));
  }

  inflight(limit, service) {
    const now = Date.now();
    const spans = this.traces.flatMap((trace) =>
      trace.spans.filter((span) => span.status === 'in_flight').map((span) => {
        const process = trace.processes[span.process];
        const startNs = BigInt(trace.start_unix_ns) + BigInt(span.start_offset_ns);
        return {
          trace_id: trace.trace_id, span_id: span.span_id, parent_id: span.parent_id, name: span.name, kind: span.kind,
          service: process.service, instance: process.instance, cell: process.cell, host: process.host, pid: process.pid,
          start_unix_ns: String(startNs), age_ns: Number(BigInt(now) * 1_000_000n - startNs), attributes: span.attributes,
        };
      }),
    ).filter((span) => !service || span.service === service);
    return { as_of_unix_ns: `${now}000000`, spans: spans.slice(0, limit), more: spans.length > limit };
  }
}

async function file(path, response) {
  const wanted = normalize(join(DIST, path));
  const isFile = wanted.startsWith(DIST) && extname(wanted) in TYPES;
  const name = isFile ? wanted : join(DIST, 'index.html');
  try {
    const body = await readFile(name);
    response.writeHead(200, { 'Content-Type': TYPES[extname(name)], 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff' });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

/* All lines but the result at once, the result when the search is over. */
function searched(fixture, lines, response, type) {
  fixture.searches++;
  const end = lines.lastIndexOf('\n', lines.length - 2) + 1;
  response.writeHead(200, { ...type, 'Content-Type': 'application/x-ndjson' }).write(lines.slice(0, end));
  const ended = () => response.end(fixture.cutShort ? '' : lines.slice(end));
  if (fixture.searchMs === 0) return void ended();
  const timer = setTimeout(ended, fixture.searchMs);
  response.on('close', () => clearTimeout(timer));
}

function api(fixture, request, url, response) {
  const type = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Security-Policy': CSP };
  if (fixture.token && request.headers.authorization !== `Bearer ${fixture.token}`) {
    response.writeHead(401, type).end(JSON.stringify({ error: 'Send the token as Authorization: Bearer TOKEN.' }));
    return;
  }
  if (url.pathname === '/api/v1/firehose') {
    const [code, stop] = followFirehose(fixture.traces, url.searchParams.get('q') ?? '', (line) => response.write(line));
    response.writeHead(code, code === 200 ? { ...type, 'Content-Type': 'application/x-ndjson' } : type);
    if (code !== 200) return void response.end(JSON.stringify(stop));
    response.flushHeaders();
    response.on('close', stop);
    return;
  }
  const [status, body] = fixture.answer(url);
  if (url.pathname === '/api/v1/search' && status === 200 && typeof body === 'string') return searched(fixture, body, response, type);
  if (Buffer.isBuffer(body)) response.writeHead(status, { ...type, 'Content-Type': 'application/octet-stream' }).end(body);
  else response.writeHead(status, type).end(typeof body === 'string' ? body : JSON.stringify(body));
}

async function dashboards(fixture, request, url, response) {
  let body = '';
  for await (const piece of request) body += piece;
  const [status, answer, headers] = answerDashboards(fixture.disk, request.method, url.pathname, body, request.headers);
  response.writeHead(status, { ...headers, 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(answer));
}

/** Starts on a free port of the loopback; resolves to { url, fixture, close }. */
export async function startFixture(options = {}) {
  const fixture = new Fixture(options);
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://fixture');
    if (fixture.silent) request.socket.destroy();
    else if (url.pathname.startsWith('/api/v1/dashboards')) void dashboards(fixture, request, url, response);
    else if (url.pathname.startsWith('/api/')) api(fixture, request, url, response);
    else void file(url.pathname, response);
  });
  const arrivals = fixture.arriving ? setInterval(() => fixture.arrive(), 1500) : undefined;
  await new Promise((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    fixture,
    /** Breaks every connection that is open. */
    drop: () => server.closeAllConnections(),
    close: () => {
      clearInterval(arrivals);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startFixture({ port: Number(process.argv[2] ?? 4041) });
  console.log(`${url}/traces\n${url}/trace/${IDS.died}`);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Traces in the API's form (docs/api.md), made by a seeded generator: a small Tumblr's ordinary
 * requests, and by name the cases that a real system cannot make on cue. Times count from
 * `nowMs`, so that everything is recent whenever a test runs.
 */

export const IDS = {
  dashboard: '0190000000000000000000000000d001',
  died: '0190000000000000000000000000d1ed',
  inflight: '0190000000000000000000000000f119',
  orphan: '0190000000000000000000000000000a',
  hostile: '0190000000000000000000000000bad1',
  single: '01900000000000000000000000000001',
  deep: '0190000000000000000000000000deeb',
};

export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const MS = 1e6;
const hex = (number, width) => number.toString(16).padStart(width, '0');
const unixNs = (ms) => `${Math.round(ms * 1000)}000`;
const attribute = (key, value) => ({
  key,
  type: typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? (Number.isInteger(value) ? 'int' : 'double') : 'string',
  value,
});

/** Builds one trace span by span; `done()` gives the answer of /api/v1/traces/{id}. */
class Builder {
  constructor(traceId, startMs) {
    this.traceId = traceId;
    this.startMs = startMs;
    this.spans = [];
    this.processes = [];
    this.losses = [];
    this.nextId = 1;
  }

  process(service, instance, more = {}) {
    const known = this.processes.findIndex((p) => p.instance === instance);
    if (known >= 0) return known;
    this.processes.push({
      service,
      version: '1.4.0',
      instance,
      cell: '',
      host: 'box7',
      pid: 4700 + this.processes.length,
      start_unix_ns: unixNs(this.startMs - 86_000_000),
      state: 'alive',
      resource: [attribute('zone', 'b'), attribute('deploy.id', '2026-11-21.3')],
      ...more,
    });
    return this.processes.length - 1;
  }

  span(parent, process, name, startMs, durationMs, more = {}) {
    const { attributes = {}, ...rest } = more;
    const span = {
      span_id: hex(0xa000_0000 + this.nextId++, 16),
      parent_id: parent?.span_id ?? '',
      process,
      name,
      kind: 'internal',
      status: 'unset',
      start_offset_ns: Math.round(startMs * MS),
      duration_ns: Math.round(durationMs * MS),
      attributes: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
      events: [],
      links: [],
      dropped_attributes: 0,
      flags: [],
      ...rest,
    };
    this.spans.push(span);
    return span;
  }

  done() {
    const count = (status) => this.spans.filter((span) => span.status === status).length;
    const ids = new Set(this.spans.map((span) => span.span_id));
    const roots = this.spans.filter((span) => span.parent_id === '');
    const root = roots[0];
    return {
      trace_id: this.traceId,
      start_unix_ns: unixNs(this.startMs),
      duration_ns: this.spans.reduce((end, span) => Math.max(end, span.start_offset_ns + span.duration_ns), 0),
      ...(root && { root: { service: this.processes[root.process].service, operation: root.name } }),
      complete: roots.length === 1 && this.spans.every((span) => span.parent_id === '' || ids.has(span.parent_id)),
      error_count: count('error'),
      died_count: count('died'),
      in_flight_count: count('in_flight'),
      processes: this.processes,
      spans: this.spans,
      losses: this.losses,
    };
  }
}

/** GET /dashboard: an inbox from redis, its posts from memcached. */
export function dashboard(traceId, startMs, rand, { error = false } = {}) {
  const b = new Builder(traceId, startMs);
  const web = b.process('web', `web-${Math.floor(rand() * 2)}`);
  const cellName = rand() < 0.5 ? 'c1' : 'c2';
  const cell = b.process('cell', `${cellName}-0`, { cell: cellName, host: 'box8' });
  const user = Math.floor(rand() * 5000);
  const read = 1 + rand() * 4;
  const posts = 3 + Math.floor(rand() * 9);
  const each = 0.18 + rand() * 0.5;
  const slow = rand() < 0.08 ? 30 + rand() * 300 : 0;
  const total = 2 + read + posts * each * 0.6 + slow + rand() * 2;
  const root = b.span(null, web, 'GET /dashboard', 0, total, {
    kind: 'server',
    status: error ? 'error' : 'ok',
    status_message: error ? 'hydrate: memcached timed out' : undefined,
    attributes: { 'http.method': 'GET', 'http.route': '/dashboard', 'http.status_code': error ? 502 : 200, 'user.id': user },
  });
  const call = b.span(root, web, 'cell read_inbox', 0.4, total - 0.9, { kind: 'client', attributes: { 'peer.service': 'cell', cell: cellName } });
  const serve = b.span(call, cell, 'read_inbox', 0.7, total - 1.5, {
    kind: 'server', flags: ['remote_parent'], attributes: { user, limit: posts },
  });
  const lrange = b.span(serve, cell, 'redis LRANGE', 0.8, read + slow, {
    kind: 'client', attributes: { 'db.system': 'redis', 'db.statement': `LRANGE inbox:${user} 0 ${posts - 1}`, 'net.peer.port': 6379 },
    events: slow ? [{ name: 'slow', offset_ns: 20 * MS, attributes: [attribute('waited_ms', Math.round(slow))] }] : [],
  });
  const redis = b.process('redis', 'redis-0', { host: 'box8', version: undefined });
  b.span(lrange, redis, 'LRANGE', 0.8 + (read + slow) * 0.2, (read + slow) * 0.6, {
    kind: 'server', flags: ['observed'], attributes: { 'db.system': 'redis', 'cache.key': `inbox:${user}`, 'cache.hit': true },
  });
  const hydrate = b.span(serve, cell, 'hydrate', 1 + read + slow, total - 2.2 - read - slow, { attributes: { posts } });
  for (let i = 0; i < posts; i++) {
    const bad = error && i === posts - 1;
    b.span(hydrate, cell, 'memcached get', 1.05 + read + slow + i * each * 0.55, each * (0.6 + rand() * 0.6), {
      kind: 'client', status: bad ? 'error' : 'unset', status_message: bad ? 'timed out after 50 ms' : undefined,
      attributes: { 'db.system': 'memcached', key: `post:${90_000 + i}`, hit: rand() > 0.1 },
      events: bad ? [{ name: 'retry', offset_ns: 0.05 * MS, attributes: [attribute('attempt', 2)] }] : [],
    });
  }
  b.span(root, web, 'render', total - 0.45, 0.4, { attributes: { bytes: 18_231, template: 'dashboard' } });
  return b.done();
}

/** POST /post through the firehose into both cells. `dying` kills cell c2 in the middle. */
export function post(traceId, startMs, rand, { dying = false, open = false } = {}) {
  const b = new Builder(traceId, startMs);
  const web = b.process('web', 'web-1');
  const firehose = b.process('firehose', 'firehose-0');
  const c1 = b.process('cell', 'c1-0', { cell: 'c1', host: 'box8' });
  const c2 = b.process('cell', 'c2-0', {
    cell: 'c2', host: 'box9',
    ...(dying && { state: 'died', state_unix_ns: unixNs(startMs + 41.2) }),
  });
  const author = Math.floor(rand() * 400);
  const root = b.span(null, web, 'POST /post', 0, 6.4, {
    kind: 'server', status: 'ok', attributes: { 'http.method': 'POST', 'http.route': '/post', 'http.status_code': 201, author },
  });
  b.span(root, web, 'memcached set', 0.4, 0.8, { kind: 'client', attributes: { key: 'post:91822', 'db.system': 'memcached' } });
  const send = b.span(root, web, 'firehose append', 1.5, 4.2, { kind: 'producer', attributes: { 'peer.service': 'firehose' } });
  const append = b.span(send, firehose, 'append', 1.9, 3.4, {
    kind: 'server', flags: ['remote_parent'], attributes: { offset: 8_122_931, bytes: 412 },
    events: [{ name: 'fdatasync', offset_ns: 2.6 * MS, attributes: [] }],
  });
  for (const [process, name] of [[c1, 'c1'], [c2, 'c2']]) {
    const dies = dying && name === 'c2';
    const stays = open && name === 'c2';
    const total = dies ? 34 : stays ? 812 : 24 + rand() * 10;
    const status = dies ? 'died' : stays ? 'in_flight' : 'ok';
    const deliver = b.span(append, process, 'deliver', 7.2 + rand(), total, {
      kind: 'consumer', status, flags: ['remote_parent'], attributes: { post: 91_822, cell: name, followers: 214 },
      links: [{ trace_id: IDS.dashboard, span_id: 'a000000000000001', attributes: [attribute('cause', 'replay')] }],
    });
    const at = deliver.start_offset_ns / MS;
    b.span(deliver, process, 'followers lookup', at + 0.6, 3.1, { attributes: { author, followers: 214 } });
    for (let i = 0; i < 5; i++) {
      const from = at + 4 + i * 5;
      if (from > at + total) break;
      const last = (dies && i === 4) || (stays && i === 4);
      b.span(deliver, process, 'redis LPUSH', from, last ? at + total - from : 3.8 + rand(), {
        kind: 'client', status: last ? status : 'unset',
        attributes: { 'db.system': 'redis', keys: 50, 'net.peer.port': 6379 },
        events: last && dies ? [{ name: 'pipeline flushed', offset_ns: 2 * MS, attributes: [] }] : [],
      });
    }
  }
  if (dying) {
    b.losses.push({ process: c2, place: 'service', reason: 'ring_full', count: 17, agent: 'box9',
      explanation: "the thread's ring was full: the agent was stopped or too slow", from_unix_ns: unixNs(startMs), to_unix_ns: unixNs(startMs + 40) });
  }
  return b.done();
}

function orphan(startMs) {
  const b = new Builder(IDS.orphan, startMs);
  const web = b.process('web', 'web-0');
  const cell = b.process('cell', 'c1-0', { cell: 'c1', host: 'box8' });
  const root = b.span(null, web, 'GET /dashboard', 0, 18, { kind: 'server', status: 'ok' });
  b.span(root, web, 'cell read_inbox', 0.5, 17, { kind: 'client' });
  const lost = { span_id: 'feedfeedfeedfeed' };
  const adopted = b.span(lost, cell, 'redis LRANGE', 2, 3, { kind: 'client', flags: ['orphan'] });
  b.span(adopted, cell, 'parse reply', 4, 0.6);
  b.span(lost, cell, 'hydrate', 6, 8, { flags: ['orphan'] });
  const twin = b.span(root, web, 'render', 17, 0.7);
  b.span(root, web, 'render', 17.1, 0.6, { span_id: twin.span_id, flags: ['duplicate'] });
  b.losses.push({ process: cell, place: 'spool', reason: 'spool_full', count: 1_240 });
  return b.done();
}

/** Markup that must stay text, ten languages, values of 4 KiB, numbers at the edge of the wire. */
function hostile(startMs) {
  const b = new Builder(IDS.hostile, startMs);
  const evil = '<img src=x onerror="window.__pwned=1"><script>window.__pwned=1</script>';
  const web = b.process(`web${evil}`, 'web-0"><b>', { resource: [attribute('<i>zone</i>', evil)] });
  const cell = b.process('клетка 細胞', '세포-0', { host: "box'8" });
  const root = b.span(null, web, `GET /${evil}`, 0, 12, {
    kind: 'server', status: 'error', status_message: evil,
    attributes: {
      [evil]: evil,
      'four.kib': 'x<y&z"'.repeat(683),
      languages: 'Grüße · Γειά · Привет · שלום · مرحبا · नमस्ते · สวัสดี · 你好 · こんにちは · 안녕 · 🧵🪡',
      'right.to.left': '\u202egnp.exe\u202c after',
      newline: 'one\ntwo\ttabbed\u0000nul',
      javascript: 'javascript:alert(1)',
    },
    events: [{ name: evil, offset_ns: 3 * MS, attributes: [attribute('why', evil)] }, { name: 'before', offset_ns: -1 * MS, attributes: [] }],
    dropped_attributes: 3,
  });
  root.attributes.push(
    { key: 'huge.int', type: 'int', value: '9223372036854775807' },
    { key: 'not.a.number', type: 'double', value: 'NaN' },
    { key: 'raw', type: 'bytes', value: 'AAECA/8=' },
  );
  b.span(root, cell, '投稿を配達する '.repeat(40), 1, 9, { kind: 'consumer' });
  return b.done();
}

function deep(startMs) {
  const b = new Builder(IDS.deep, startMs);
  const cell = b.process('cell', 'c1-0', { cell: 'c1' });
  let parent = null;
  for (let i = 0; i < 300; i++) parent = b.span(parent, cell, `level ${i}`, i * 0.1, 60 - i * 0.2);
  return b.done();
}

export function summary(trace) {
  const byService = new Map();
  for (const span of trace.spans) {
    const { service } = trace.processes[span.process];
    byService.set(service, (byService.get(service) ?? 0) + 1);
  }
  const { trace_id, start_unix_ns, duration_ns, root, error_count, died_count, in_flight_count, complete } = trace;
  return {
    trace_id, start_unix_ns, duration_ns, ...(root && { root }), span_count: trace.spans.length,
    error_count, died_count, in_flight_count,
    services: [...byService].map(([name, spans]) => ({ name, spans })), complete,
  };
}

/** The named traces and `ordinary` others, newest first. */
export function makeTraces(nowMs, ordinary = 60) {
  const rand = random(42);
  const traces = [
    post(IDS.died, nowMs - 9_000, rand, { dying: true }),
    post(IDS.inflight, nowMs - 900, rand, { open: true }),
    dashboard(IDS.dashboard, nowMs - 2_500, rand),
    orphan(nowMs - 14_000),
    hostile(nowMs - 21_000),
    deep(nowMs - 31_000),
  ];
  const single = new Builder(IDS.single, nowMs - 26_000);
  single.span(null, single.process('web', 'web-0'), 'GET /healthz', 0, 0.042, { kind: 'server', status: 'ok' });
  traces.push(single.done());
  for (let i = 0; i < ordinary; i++) {
    const id = hex(0x0191_0000 + i, 32);
    const startMs = nowMs - 3_000 - i * (700 + rand() * 900);
    traces.push(rand() < 0.3 ? post(id, startMs, rand) : dashboard(id, startMs, rand, { error: rand() < 0.07 }));
  }
  return traces.sort((a, b) => (BigInt(b.start_unix_ns) > BigInt(a.start_unix_ns) ? 1 : -1));
}

export function makeStatus(nowMs, { quiet = false } = {}) {
  const ago = (seconds) => unixNs(nowMs - seconds * 1000);
  const wave = 800 + Math.round(120 * Math.sin(nowMs / 4000) + 40 * Math.sin(nowMs / 900));
  const agent = (id, more = {}) => ({
    id, host: id, version: '0.1.0', connected: true, last_seen_unix_ns: ago(0.2), clock_skew_ns: 1200,
    processes: 5, spans: 20_000 + (Math.floor(nowMs / 10) % 1_000_000), sweep_lag_ns: 11_000_000,
    spool: { bytes: 0, limit_bytes: 1_073_741_824, batches: 0 }, ...more,
  });
  return {
    collector: {
      version: '0.1.0', start_unix_ns: ago(5400), now_unix_ns: unixNs(nowMs), ready: true,
      accepted: { batches: 100_412, spans: 20_123_931, bytes: 512_000_391, duplicate_batches: 3, spans_per_s: wave },
      head: { traces: 91_233, spans: 2_100_441, bytes: 91_000_000, limit_bytes: 268_435_456 },
      segments: { count: 12, traces: 4_410_233, spans: 98_200_441, bytes: 781_000_000, limit_bytes: 21_474_836_480, resident_bytes: 6_400_000, oldest_unix_ns: ago(86_400), aged_spans: 0, cuts: 40, merges: 9, state: 'ok', damaged: [] },
      ledger: { bytes: 512_000_391, limit_bytes: 1_073_741_824, segments: 9, oldest_unix_ns: ago(5400), dropped_segments: 0, state: 'ok' },
    },
    agents: quiet ? [] : [
      agent('box7'), agent('box8', { clock_skew_ns: -81_000_000, processes: 12 }),
      { id: 'box12', connected: true, last_seen_unix_ns: ago(1), clock_skew_ns: 0, accepted_spans: 12 },
      agent('box9', { problem: 'the spool cannot be written: no space left on device', connected: false, last_seen_unix_ns: ago(74), spool: { bytes: 3_211_004, limit_bytes: 1_073_741_824, batches: 41 } }),
    ],
    losses: quiet ? [] : [
      { place: 'service', reason: 'ring_full', agent: 'box9', service: 'cell', count: 17, explanation: "the thread's ring was full: the agent was stopped or too slow", first_unix_ns: ago(60), last_unix_ns: ago(9) },
      { place: 'spool', reason: 'spool_full', agent: 'box8', count: 1240, explanation: 'the spool reached its limit while the collector was away: the oldest batches went', first_unix_ns: ago(3000), last_unix_ns: ago(2900) },
    ],
    freshness: { count: quiet ? 0 : 20_000, p50_ns: 180_000_000, p99_ns: 350_000_000 },
  };
}

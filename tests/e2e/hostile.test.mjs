// SPDX-License-Identifier: Apache-2.0
/* Files and questions from people who mean no good, or whose program is broken. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { ids, lost, mayFault, scenario, until } from './harness.mjs';

const noise = (bytes) => Buffer.from(Array.from({ length: bytes }, () => Math.random() * 256));

/* Sends bytes as they are; what came back until the other side had enough. */
function raw(url, bytes) {
  return new Promise((done) => {
    const { hostname, port } = new URL(url);
    const socket = net.connect(Number(port), hostname);
    const parts = [];
    socket.setTimeout(3000, () => socket.destroy());
    socket.on('data', (part) => parts.push(part));
    socket.on('error', () => {});
    socket.on('close', () => done(Buffer.concat(parts).toString('latin1')));
    socket.write(bytes);
    socket.end();
  });
}

scenario('each hostile slab costs the agent one counted error, and its neighbours nothing', async (world) => {
  const collector = await world.collector();
  const honest = world.scripted('honest');
  const { trace: id } = ids(await honest.tell('begin server GET /'));
  await honest.tell('end');
  const [slab] = fs.readdirSync(world.slabs).filter((f) => f.endsWith('.slab'));
  const bytes = fs.readFileSync(path.join(world.slabs, slab));
  const put = (name, contents) => {
    const [hidden, shown] = [`.${name}`, name].map((n) => path.join(world.slabs, n));
    fs.writeFileSync(hidden, contents, { mode: 0o600 });
    fs.renameSync(hidden, shown);
  };
  const changed = (offset, ...values) => {
    const copy = Buffer.from(bytes);
    for (const [i, v] of values.entries()) copy[offset + i] = v;
    return copy;
  };
  put('1-magic.slab', changed(0, 0x58));
  put('2-version.slab', changed(8, 99));
  put('3-noise.slab', noise(100_000));
  put('4-empty.slab', '');
  put('5-header.slab', bytes.subarray(0, 4096));
  put('6-half.slab', bytes.subarray(0, 20_000));
  put('7-sizes.slab', changed(80, 255, 255, 255, 127, 255, 255, 255, 127));
  fs.symlinkSync('/etc/passwd', path.join(world.slabs, '8-link.slab'));
  fs.mkdirSync(path.join(world.slabs, '9-directory.slab'));
  const agent = await world.agent(collector);
  await collector.trace(id, (t) => t.spans.length === 1);
  const bad = async () => (await agent.metrics()).get('weft_agent_lost_total{place="agent",reason="bad_file"}');
  await until('each is counted', async () => (await bad()) >= 7);
  let counted = await bad();

  if (mayFault) {
    put('shrinking.slab', bytes);
    await until('it is followed', async () => (await agent.metrics()).get('weft_agent_processes') >= 2);
    fs.truncateSync(path.join(world.slabs, 'shrinking.slab'), 4096);
    await until('it is counted', async () => (await bad()) === counted + 1);
    counted++;
  }

  await honest.tell('begin server GET /after');
  await honest.tell('end');
  await until('the honest one is recorded', async () => {
    const { services } = await collector.api('/api/v1/services');
    return services.find((s) => s.name === 'honest')?.spans >= 2;
  });
  const status = await until('it is told', async () => {
    const s = await collector.status();
    return lost(s, 'bad_file') === counted && s;
  });
  assert.equal(status.losses.find((l) => l.reason === 'bad_file').place, 'agent');
  assert.equal(await bad(), counted, 'no file is counted twice');
  await honest.leave();
  await agent.stop();
});

scenario('hostile questions get 4xx and a sentence', async (world) => {
  const collector = await world.collector();
  const bad = [
    [400, '/api/v1/traces?limit=0'],
    [400, '/api/v1/traces?limit=99999999999999999999'],
    [400, '/api/v1/traces?limit=-1'],
    [400, '/api/v1/traces?limit=1x'],
    [400, '/api/v1/traces?limit=1&limit=2'],
    [400, '/api/v1/traces?min_duration=fast'],
    [400, '/api/v1/traces?min_duration=2s&max_duration=1s'],
    [400, '/api/v1/traces?start=yesterday'],
    [400, '/api/v1/traces?start=2&end=1'],
    [400, '/api/v1/traces?status=great'],
    [400, '/api/v1/traces?colour=red'],
    [400, '/api/v1/traces?service=%00'],
    [400, '/api/v1/traces?service=%zz'],
    [400, '/api/v1/traces?service=%'],
    [400, `/api/v1/traces?service=${'x'.repeat(10_000)}`],
    [400, `/api/v1/traces?${'a=b&'.repeat(200)}`],
    [400, '/api/v1/inflight?limit=1000000'],
    [400, '/api/v1/status?verbose=1'],
    [400, '/api/v1/traces/12'],
    [400, '/api/v1/traces/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz'],
    [400, `/api/v1/traces/${'0'.repeat(32)}`],
    [404, `/api/v1/traces/${'1'.repeat(32)}`],
    [404, '/api/v1/nothing'],
    [404, '/api/'],
    [404, '/../../../../etc/passwd'],
    [404, '/assets/../../../../../etc/passwd'],
    [404, '/%2e%2e/%2e%2e/%2e%2e/etc/passwd'],
    [404, '/..%2f..%2f..%2fetc%2fpasswd'],
    [404, '//etc/passwd'],
    [404, '/.git/config'],
    [404, '/assets/'],
    [400, '/index.html%00.js'],
    [400, '/api/v1/status%00'],
  ];
  for (const [status, call] of bad) {
    const answer = await raw(collector.url, `GET ${call} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const [head, body] = [answer.split('\r\n\r\n')[0], answer.split('\r\n\r\n').slice(1).join('')];
    const shown = call.slice(0, 80);
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), shown);
    assert.match(head, /content-type: application\/json/i, shown);
    assert.match(body, /"error":\s?"[^"\\]*(?:\\.[^"\\]*)* [^"]*"/, shown);
    assert.ok(!answer.includes('root:'), shown);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'BREW']) {
    for (const call of ['/api/v1/traces', '/metrics', '/']) {
      const answer = await raw(collector.url, `${method} ${call} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 (405|501) /, `${method} ${call}`);
    }
  }
  assert.match(await raw(collector.url, 'GET /api/v1/recording HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 405 [^]*Allow: POST/i);
  const head = await collector.ask('/api/v1/status', { method: 'HEAD' });
  assert.deepEqual([head.status, head.text], [200, '']);

  const json = { 'Content-Type': 'application/json' };
  const switches = [
    [400, json, 'no json'],
    [400, json, '{}'],
    [400, json, '{"service":"","on":true}'],
    [400, json, '{"service":"x","on":"yes"}'],
    [400, json, '{"service":"x","on":true,"on":false}'],
    [400, json, `{"service":"${'x'.repeat(1000)}","on":true}`],
    [400, json, '['.repeat(3000)],
    [413, json, 'x'.repeat(4 << 20)],
    [415, { 'Content-Type': 'text/plain' }, '{"service":"x","on":true}'],
  ];
  for (const [status, headers, body] of switches) {
    const answer = await collector.ask('/api/v1/recording', { method: 'POST', headers, body });
    assert.equal(answer.status, status, body.slice(0, 60));
    assert.match(answer.json().error, / /);
  }
  const foreign = await collector.ask('/api/v1/status', { host: 'evil.example' });
  assert.equal(foreign.status, 421, 'under a foreign name: DNS rebinding');

  for (const bytes of [
    `GET /api/v1/traces?${'a=b&'.repeat(1900)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    noise(5000),
    `GET /${'a'.repeat(200_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(20_000)}\r\n`,
    `GET / HTTP/1.1\r\nX: ${'z'.repeat(200_000)}\r\n\r\n`,
    'GET / HTTP/1.1\r\n\r\n',
    'POST /api/v1/recording HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n',
  ]) {
    const answer = await raw(collector.url, bytes);
    assert.ok(answer === '' || /^HTTP\/1\.[01] 4\d\d /.test(answer), answer.slice(0, 100));
  }
  assert.equal((await collector.ask('/healthz')).status, 200);
  assert.ok(collector.alive);
});

scenario('a page of another site changes nothing, and programs and the own page do', async (world) => {
  const collector = await world.collector({ args: ['--admin-api'] });
  const evil = { Origin: 'http://evil.example', 'Content-Type': 'text/plain' };
  const calls = ['/api/v1/recording', '/api/v1/marks', '/v1/traces', '/api/v1/write',
    '/api/v1/admin/tsdb/delete_series?match[]=up', '/api/v1/admin/tsdb/clean_tombstones'];
  for (const call of calls)
    for (const headers of [evil, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' }]) {
      const answer = await collector.ask(call, { method: 'POST', headers, body: 'match[]=up' });
      assert.equal(answer.status, 403, call);
      assert.match(answer.json().error, /another site/);
    }
  const form = { method: 'POST', body: 'query=1', headers: { ...evil, 'Content-Type': 'application/x-www-form-urlencoded' } };
  assert.equal((await collector.ask('/api/v1/query', form)).status, 200, 'a question changes nothing');
  const mark = { method: 'POST', body: JSON.stringify({ kind: 'deploy', service: 'web', version: '1', title: 'x' }) };
  const add = (headers) => collector.ask('/api/v1/marks', { ...mark, headers: { 'Content-Type': 'application/json', ...headers } });
  for (const headers of [{}, { Origin: collector.url, 'Sec-Fetch-Site': 'same-origin' }]) {
    const answer = await add(headers);
    assert.ok(answer.status < 300, answer.text);
  }
});

scenario('noise on the link is counted and disturbs nobody', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  await agent.says(/answers/);
  for (const port of [collector.ports.link, collector.ports.control])
    for (const bytes of [noise(3000), Buffer.concat([Buffer.from('\0SP\0\0\x31\0\0', 'latin1'), noise(4000)])])
      await raw(`http://127.0.0.1:${port}`, bytes);
  const worker = world.worker('honest', ['--requests=20']);
  const { ended } = await worker.finish({ ask: false });
  await agent.drained();
  assert.equal((await collector.status()).collector.accepted.spans, ended);
});

scenario('hostile text in a span is told as it is, and as valid JSON', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const web = world.scripted('<script>alert(1)</script>', { WEFT_RESOURCE: 'a="b\\,c=\u0001' });
  const hostile = '"\\ \u0001 </script> \u2028 ' + '\ud83d\ude00';
  const { trace: id } = ids(await web.tell(`begin server ${hostile}`));
  await web.tell(`string ${'k'.repeat(300)} ${'v'.repeat(1500)}`);
  web.child.stdin.write(Buffer.concat([Buffer.from('string broken '), Buffer.from([0xff, 0xc0, 0x80, 0xfe]), Buffer.from('\n')]));
  await web.tell('end');
  const trace = await collector.trace(id, (t) => t.complete);
  assert.equal(trace.spans[0].name, hostile);
  assert.equal(trace.processes[0].service, '<script>alert(1)</script>');
  assert.equal(trace.spans[0].attributes.find((a) => a.key.startsWith('kkk')).value.length, 1500);
  assert.ok(trace.spans[0].attributes.some((a) => a.key === 'broken'));
});

// SPDX-License-Identifier: Apache-2.0
/* weft top beside real caches: on the screen of a terminal, once as tables, CSV and JSON, through the
 * collector and at the agent. What it says of a load that is known is compared with that load. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { build, freePort, scenario, until } from './harness.mjs';
import { converse, memcached, redis, skip as capturing, tap } from './tapped.mjs';
import { missing, terminal } from './terminal.mjs';

const program = path.join(build, 'cli/weft');
const skip = capturing || (missing);

/* `weft top ARGS`: {status, stdout, stderr}. */
const top = (env, ...args) => spawnSync(program, ['top', ...args],
  { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8', ...env }, timeout: 60_000 });
const json = (env, ...args) => {
  const { status, stdout, stderr } = top(env, '--json', ...args);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
};

const resp = (...words) => Buffer.concat([Buffer.from(`*${words.length}\r\n`),
  ...words.map((word) => { const bytes = Buffer.from(word); return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]); })]);
const times = (count, ...words) => Array.from({ length: count }, () => resp(...words));
const nasty = Buffer.from('evil\x1b[2J\x07\x9b31m', 'latin1');
const wide = 'ключ:漢字:1';

/* How often each key is asked for; sizes are of values. */
async function load(servers) {
  await converse(servers.redis.port, [...times(1, 'SET', 'celebrity:1', 'x'.repeat(20)), ...times(119, 'GET', 'celebrity:1'),
    ...times(4, 'SET', 'large:1', 'y'.repeat(5000)), ...times(9, 'GET', 'gone:1'), ...times(7, 'GET', nasty), ...times(5, 'GET', wide), resp('ECHO', 'done')],
  (text) => text.includes('done'));
  await converse(servers.memcached.port, [...Array.from({ length: 30 }, () => 'get user:17\r\n'), 'version\r\n'], (text) => text.includes('VERSION'));
}
const calls = { 'celebrity:1': 120, 'user:17': 30, 'gone:1': 9, 'evil\\x1b[2J\\x07\\x9b31m': 7, [wide]: 5, 'large:1': 4 };

async function tapped(world, args, options) {
  const collector = await world.collector(options);
  const agent = await world.agent(collector);
  const servers = { redis: await redis(world), memcached: await memcached(world) };
  const t = await tap(world, { redis: servers.redis.port, memcached: servers.memcached.port }, args);
  const service = world.scripted('web');
  await load(servers);
  return { collector, agent, servers, t, service, env: { WEFT_URL: collector.url } };
}

/* Services are told as long as they take requests. */
async function serve(service, fails) {
  await service.tell('begin server GET /dashboard');
  if (fails) await service.tell('status error');
  await service.tell('end');
}

const keysOf = ({ keys }) => Object.fromEntries(keys.map((row) => [row.key, row.calls]));

scenario('--once, --csv and --json say what was asked of the caches', { skip }, async (world) => {
  const { servers, service, env, collector } = await tapped(world, ['--window=1s']);
  const hour = ['--window', '1h'];
  const keys = await until('all calls are told', () => {
    const found = json(env, '--view', 'keys', ...hour);
    assert.deepEqual(keysOf(found), calls);
    return found;
  });
  assert.deepEqual(keys.keys.map((row) => row.calls), Object.values(calls), 'sorted by calls');
  assert.equal(keys.sorted_by, 'calls');
  assert.equal(keys.source, collector.url);
  assert.equal(keys.totals.error_most, 0);
  assert.equal(keys.hottest.key, 'celebrity:1');
  const [celebrity] = keys.keys;
  assert.equal(celebrity.size_bytes, 20);
  assert.equal(celebrity.error, 0);
  assert.ok(Math.abs(celebrity.share - 120 / 175) < 1e-9);
  const large = json(env, '--sort', 'bytes_per_s', '--count', '1', ...hour);
  assert.equal(large.keys.length, 1);
  assert.equal(large.keys[0].key, 'large:1');
  assert.equal(json(env, '--sort', 'S', ...hour).keys[0].key, 'large:1');
  assert.equal(json(env, '--sort', 'M', ...hour).keys[0].key, 'user:17');
  assert.equal(json(env, '--sort', 'C', '--reverse', ...hour).keys[0].key, 'large:1');
  assert.deepEqual(Object.keys(keysOf(json(env, '--filter', 'evil', ...hour))), ['evil\\x1b[2J\\x07\\x9b31m']);
  assert.deepEqual(keysOf(json(env, '--cache', `127.0.0.1:${servers.memcached.port}`, ...hour)), { 'user:17': 30 });
  const patterns = json(env, '--view', 'patterns', ...hour).patterns;
  assert.deepEqual([patterns[0].pattern, patterns[0].calls], ['celebrity:*', 120]);
  const clients = json(env, '--view', 'clients', ...hour).clients;
  assert.deepEqual(clients.map((row) => row.client), ['127.0.0.1']);

  const csv = top(env, '--csv', '--view', 'keys', ...hour).stdout.split('\n');
  assert.equal(csv[0], 'key,calls,size_bytes,requests_per_s,bytes_per_s,misses,share,error');
  assert.match(csv[1], /^celebrity:1,120,20,/);
  assert.match(csv[2], /^user:17,30,0,/);
  assert.equal(csv.length, 8);

  let turn = 0;
  await until('the service and both caches are told', async () => {
    await serve(service, turn++ % 2 === 0);
    await converse(servers.redis.port, ['PING\r\n'], (text) => text.includes('PONG')); /* names no key */
    await converse(servers.memcached.port, ['version\r\n'], (text) => text.includes('VERSION'));
    const { services } = json(env, '--view', 'services', '--window', '30s');
    const { caches } = json(env, '--view', 'caches', '--window', '1m');
    return services.length === 1 && services[0].service === 'web' && services[0].requests_per_s > 0 && services[0].errors_per_s > 0 && services[0].p99_seconds > 0
      && caches.length === 2 && caches.every((row) => row.commands_per_s > 0);
  });
  const caches = json(env, '--view', 'caches', ...hour);
  assert.equal(caches.hottest.key, 'celebrity:1');
  assert.equal(caches.hottest.cache, `127.0.0.1:${servers.redis.port}`);
  const own = caches.caches.find((row) => row.protocol === 'redis');
  assert.deepEqual([own.cache, own.host, own.hottest], [`127.0.0.1:${servers.redis.port}`, 'boxh', 'celebrity:1']);
  assert.ok(own.id > 0);

  const once = top({ ...env, LC_ALL: 'C.UTF-8' }, '--once', ...hour).stdout;
  assert.match(once, new RegExp(`^weft top .*\nhottest key: celebrity:1  \\d+\\.\\d % of calls, .*in 127\\.0\\.0\\.1:${servers.redis.port}\ndropped: 0 packets, 0 reports of taps\n`));
  for (const title of ['Services: ', 'Caches: ', 'Keys: ', 'Patterns: ', 'Clients: ']) assert.ok(once.includes(`\n\n${title}`), title);
  assert.match(once, /^celebrity:1 +120 +20 B/m);
  assert.ok(once.includes(`\n${wide} `));
  assert.ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(once), 'nothing in it drives a terminal');

  const doctor = spawnSync(program, ['doctor'], { encoding: 'utf8', env: { ...process.env, ...env, WEFT_DIR: world.slabs } });
  assert.match(doctor.stdout, /ok .*taps: 1 tell of caches/);
});

scenario('what is no terminal, and what is asked wrongly, is told what to do', { skip: missing }, async (world) => {
  const nobody = { WEFT_URL: 'http://127.0.0.1:9' };
  for (const [args, status, said] of [
    [[], 2, /no terminal.*weft top --once prints tables, --csv and --json are for scripts/],
    [['--view', 'nothing'], 2, /--view: found "nothing", expected services, caches, keys/],
    [['--sort', 'nothing'], 2, /--sort: found "nothing"/],
    [['--window', '5'], 2, /--window: found "5", expected a time/],
    [['--count', '-1'], 2, /--count: found "-1"/],
    [['--once', 'more'], 2, /usage: weft top/],
    [['--once'], 1, /weft top: http:\/\/127\.0\.0\.1:9.*is weft-collector running there/],
    [['--agent', path.join(world.dir, 'none'), '--json'], 1, /weft top: the agent at .*none\/feed\.sock: No such file.*is weft-agent running there/],
  ]) {
    const answer = top(nobody, ...args);
    assert.match(answer.stderr, said, args.join(' '));
    assert.deepEqual([answer.status, answer.stdout], [status, ''], args.join(' '));
  }
  assert.match(top(nobody, '--help').stdout, /^usage: weft top/);
  for (const [kind, said] of [['dumb', 'a dumb terminal cannot be drawn on'], ['no-such-terminal', 'nothing is known of the terminal']])
    await terminal(world, `TERM=${kind} WEFT_URL=${nobody.WEFT_URL} ${program} top`, {}, (screen) =>
      screen.shows('what to use instead', (lines) => { const text = lines.join(''); return text.includes(said) && text.includes('--once') && text.includes('ENDED 2'); }));
});

scenario('the screen shows every view in 80 by 24, and obeys its keys', { skip }, async (world) => {
  const { servers, service, env } = await tapped(world, ['--window=1s']);
  await until('all calls are told', () => Object.keys(keysOf(json(env, '--window', '1h'))).length === 6);
  await terminal(world, `WEFT_URL=${env.WEFT_URL} ${program} top --window 1h --interval 1s`, {}, async (screen) => {
    const rows = (lines) => lines.slice(4, -1).filter((line) => line.trim()).map((line) => line.split(/ {2,}/)[0].trim());
    const first = (key, sort) => screen.shows(`${key} first`, (lines) => lines[3].includes(sort) && rows(lines)[0] === key);

    const lines = await first('celebrity:1', 'vCALLS');
    assert.equal(lines.length, 24);
    assert.match(lines[0], /^weft top {2}Keys {2}\d\d:\d\d:\d\d {2}every 1 s {2}http/);
    assert.match(lines[1], /calls\/s over .*; exact; keys: about \d+$/);
    assert.match(lines[2], /^dropped: 0 packets, 0 reports of taps; hottest: celebrity:1 /);
    assert.match(lines[3], /^KEY +vCALLS +SIZE +REQ\/S +BYTES\/S +MISSES/);
    assert.match(lines[4], /^celebrity:1 +120 +20 B /);
    assert.deepEqual(rows(lines), Object.keys(calls));
    assert.match(lines[23], /Q quit.*H help/);

    screen.press('B');
    await first('large:1', 'vBYTES/S');
    screen.press('S');
    await first('large:1', 'vSIZE');
    screen.press('R');
    await first('celebrity:1', 'vREQ/S');
    screen.press('M');
    await first('user:17', 'vMISSES');
    screen.press('T');
    await screen.shows('the other order', (now) => now[3].includes('^MISSES') && rows(now)[0] !== 'user:17');
    screen.press('c');
    await first('celebrity:1', 'vCALLS');
    screen.press('t');
    await first('large:1', '^CALLS');
    screen.press('N');
    await first('celebrity:1', 'vKEY');
    screen.press('C');

    screen.press('/');
    screen.type('gone');
    await screen.shows('what was typed', /filter: gone_/);
    await screen.shows('one row', (now) => rows(now).join() === 'gone:1');
    screen.press('Enter');
    await screen.shows('the filter above', (now) => now[0].includes('/gone') && now[23].includes('Q quit'));
    screen.press('Escape');
    await screen.shows('all rows', (now) => rows(now).length === 6);

    screen.press('2');
    await screen.shows('both caches', (now) => now[0].includes('Caches') && rows(now).length === 2);
    screen.press('N');
    const at = (await screen.shows('them by name', (now) => now[3].includes('vCACHE'))).findIndex((line) => line.startsWith(`127.0.0.1:${servers.memcached.port}`));
    if (at > 4) screen.press('Down');
    screen.press('Enter');
    await screen.shows("memcached's keys", (now) => now[0].includes(`Keys of 127.0.0.1:${servers.memcached.port}`) && rows(now).join() === 'user:17');
    screen.press('Tab');
    await screen.shows("memcached's patterns", (now) => now[0].includes('Patterns of') && rows(now).join() === 'user:*');
    screen.press('Escape');
    await screen.shows('caches again', (now) => now[0].includes('Caches'));
    screen.press('5');
    await screen.shows('clients', (now) => now[0].includes('Clients') && rows(now).join() === '127.0.0.1');
    screen.press('1');
    await until('services are shown', async () => {
      await serve(service, false);
      return screen.screen().some((line) => line.startsWith('web '));
    });

    screen.press('?');
    await screen.shows('help', /Sort by +C calls +S size/);
    screen.press('h', 'p', '+');
    await screen.shows('a pause', (now) => now[0].includes('PAUSED 2 s'));
    screen.press('P', '-');
    await screen.shows('that it goes on', (now) => now[0].includes('every 1 s'));

    screen.press('3');
    await first('celebrity:1', 'vCALLS');
    for (const [width, height] of [[40, 10], [20, 5], [12, 3], [5, 2], [1, 1], [132, 40], [30, 7]]) {
      screen.resize(width, height);
      await screen.shows(`itself in ${width} by ${height}`, (now) => now.length === height && now[0].startsWith('weft top'.slice(0, width - 1)) &&
        (height < 3 || width < 12 || now.some((line) => line.startsWith(width >= 30 ? 'celebrity:1' : 'ce'))));
    }
    screen.press('q');
    await screen.shows('its end', /ENDED 0/);
  });
});

scenario('a collector that dies is told on the screen, and one that comes back is asked', { skip }, async (world) => {
  let { collector } = await tapped(world, ['--window=1s'], { http: `127.0.0.1:${await freePort()}` });
  await terminal(world, `WEFT_URL=${collector.url} ${program} top --window 1h --interval 1s`, { width: 120 }, async (screen) => {
    await screen.shows('the celebrity', /^celebrity:1 +120 /m);
    await collector.kill();
    await screen.shows('what is wrong, and what was seen last', (lines) => /connect.*is weft-collector running there/.test(lines[1]) && lines.some((line) => line.startsWith('celebrity:1')));
    screen.press('2');
    await screen.shows('that it obeys', (lines) => lines[0].includes('Caches'));
    screen.press('3');
    collector = await collector.again();
    await screen.shows('the celebrity again', (lines) => lines[1].includes('calls/s over') && lines.some((line) => /^celebrity:1 +120 /.test(line)));
    collector.signal('SIGSTOP'); /* it takes questions, and answers none */
    for (const [key, title] of [['2', 'Caches'], ['5', 'Clients'], ['1', 'Services']]) {
      screen.press(key);
      await screen.shows('that it obeys all the same', (lines) => lines[0].startsWith(`weft top  ${title}  every`) && lines[1] === 'asking ...');
    }
    screen.press('C-c');
    await screen.shows('its end', /ENDED 0/);
    collector.signal('SIGCONT');
  });
});

scenario('at the agent keys are told while their window is counted, and no collector is needed', { skip }, async (world) => {
  const { collector, servers, service, t } = await tapped(world, ['--window=1h']); /* none ends */
  await collector.kill();
  const agent = ['--agent', world.slabs];
  const keys = await until('all calls are told', () => {
    const found = json({}, ...agent);
    assert.deepEqual(keysOf(found), calls);
    return found;
  });
  assert.equal(keys.source, `agent in ${world.slabs}`);
  assert.equal(keys.totals.error_most, 0);
  assert.equal(keys.totals.lost_packets, 0);
  assert.equal(json({}, ...agent, '--sort', 'bytes_per_s').keys[0].key, 'large:1');
  assert.deepEqual(keysOf(json({}, ...agent, '--cache', `127.0.0.1:${servers.memcached.port}`)), { 'user:17': 30 });
  assert.deepEqual(json({}, ...agent, '--view', 'clients').clients.map((row) => row.client), ['127.0.0.1']);
  const { caches, hottest } = json({}, ...agent, '--view', 'caches');
  assert.deepEqual(caches.map((row) => [row.protocol, row.hottest]).sort(), [['memcached', 'user:17'], ['redis', 'celebrity:1']]);
  assert.equal(hottest.cache, `127.0.0.1:${servers.redis.port}`);
  await until('the service has a rate', async () => {
    const asked = new Promise((done) => setTimeout(done, 0)).then(() => json({}, ...agent, '--view', 'services'));
    await serve(service, false);
    const { services } = await asked;
    return services.length === 1 && services[0].service === 'web';
  });
  await terminal(world, `${program} top --agent=${world.slabs} --interval 1s`, {}, async (screen) => {
    await screen.shows('the celebrity', /^celebrity:1 +120 /m);
    await load(servers);
    await screen.shows('what came since', /^celebrity:1 +240 /m);
    screen.press('1');
    await until('requests are counted', async () => {
      await serve(service, true);
      return screen.screen().some((line) => /^web +[0-9.]*[1-9]/.test(line));
    });
    screen.press('3');
    await t.kill();
    await screen.shows('that nothing is told any more', (lines) => lines[1].startsWith('nothing was counted'));
    screen.press('Q');
    await screen.shows('its end', /ENDED 0/);
  });
});

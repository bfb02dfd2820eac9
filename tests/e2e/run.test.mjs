// SPDX-License-Identifier: Apache-2.0
/* `weft run`: callers see what they would without it, and the agent what became of the command; rules
 * that find what runs already. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build, Daemon, freePort, program, sanitized, scenario, until } from './harness.mjs';
import { noTerminal } from './terminal.mjs';

const weft = path.join(build, 'cli/weft');
const runs = (world) => fs.readdirSync(world.slabs).filter((name) => /^[^.].*\.run$/.test(name));

/* `weft run`, to its end. */
function run(world, args, options = {}) {
  const { directory = world.slabs, ...rest } = options;
  return spawnSync(weft, ['run', '--directory', directory, ...args],
    { encoding: 'utf8', timeout: 120_000, ...rest, env: { ...process.env, ...world.sanitizerEnv(), ...rest.env } });
}

/* `weft run`, while the test goes on. */
const start = (world, args, options = {}) =>
  new Daemon(world, 'run', weft, ['run', '--directory', world.slabs, ...args], options);

/* The pid of the command below it. */
const commandOf = (daemon) =>
  until('the command is there', () =>
    Number(fs.readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8').trim().split(' ')[0]));

/* Who runs exactly these words. */
const processesOf = (words) =>
  fs.readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return fs.readFileSync(`/proc/${name}/cmdline`, 'utf8') === words.map((w) => `${w}\0`).join('');
    } catch {
      return false;
    }
  }).map(Number);

async function marks(collector, query) {
  const answer = await collector.api(`/api/v1/marks?${query}`);
  return answer.marks;
}

/* Waits for exactly these titles of marks of the kind `process`, oldest first; what `known` is there. */
const titles = (collector, service, expected) =>
  until(`${service}: ${expected.join(', ')}`, async () => {
    const found = (await marks(collector, `kind=process&service=${service}`)).map((m) => m.title.replace(/ on \S+$/, ''));
    if (found.length !== expected.length || !expected.every((title) => found.includes(title))) throw new Error(found.join(', '));
    return found;
  });

async function query(collector, promql) {
  const answer = await collector.ask(`/api/v1/query?${new URLSearchParams({ query: promql })}`);
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text).data.result;
}

/* Waits until the query has one series of which `good` holds. */
const series = (collector, promql, good) =>
  until(promql, async () => {
    const result = await query(collector, promql);
    const value = result.length === 1 ? Number(result[0].value[1]) : NaN;
    if (!good(value)) throw new Error(`it is ${JSON.stringify(result)}`);
    return { value, labels: result[0].metric };
  });

scenario('a command is a service: series, and marks of its start, readiness and end', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const port = await freePort();
  const redis = start(world, ['--service', 'store', '--cell', 'c1', '--version', '7', 'redis-server', '--port', port, '--save', '']);
  await titles(collector, 'store', ['store started', 'store is ready']);
  const [ready] = await marks(collector, 'kind=process&service=store&limit=1');
  assert.equal(ready.text, `listens on port ${port}`);
  assert.equal(ready.cell, 'c1');
  const who = '{service="store",cell="c1",version="7"}';
  await series(collector, `process_resident_memory_bytes${who}`, (v) => v > 1 << 20);
  await series(collector, `weft_processes${who}`, (v) => v === 1);
  await series(collector, `process_starts_total${who}`, (v) => v === 1);
  await series(collector, `process_threads${who}`, (v) => v >= 4);
  await series(collector, `process_open_fds${who}`, (v) => v > 4);
  await series(collector, `process_sockets{service="store",kind="listening"}`, (v) => v === 2 || v === 1);
  await series(collector, `sum(process_context_switches_total${who})`, (v) => v > 0);
  await redis.stop();
  await titles(collector, 'store', ['store started', 'store is ready', 'store exited']);
  await until('its file goes', () => runs(world).length === 0);
  await series(collector, `sum(process_cpu_seconds_total${who})`, (v) => v > 0);
});

/* ---- what callers see ------------------------------------------------------------------------- */

scenario('streams, statuses and signals are those of the command', async (world) => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 256));
  const echoed = run(world, ['cat'], { input: bytes, encoding: 'buffer' });
  assert.equal(echoed.status, 0);
  assert.ok(echoed.stdout.equals(bytes), 'what goes in comes out');
  const both = run(world, ['--', 'sh', '-c', 'echo out; echo err >&2; exit 3', '--service']);
  assert.deepEqual([both.status, both.stdout, both.stderr], [3, 'out\n', 'err\n']);
  for (const status of [0, 1, 42, 255]) assert.equal(run(world, ['sh', '-c', `exit ${status}`]).status, status);
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGUSR1', 'SIGPIPE', 'SIGABRT']) {
    const died = run(world, ['sh', '-c', `ulimit -c 0; kill -${signal.slice(3)} $$`]);
    assert.deepEqual([died.status, died.signal, died.stderr], [null, signal, ''], 'and nothing is said of it');
  }
  const lists = run(world, ['sh', '-c', 'ls -l /proc/self/fd | grep -c "\\.run"']);
  assert.equal(lists.stdout.trim(), '0', 'nothing of ours is open in it');
});

scenario('what it needs and does not get it says in a sentence, as env does', async (world) => {
  const missing = run(world, ['no-such-program']);
  assert.deepEqual([missing.status, missing.stderr], [127, 'weft run: no-such-program: there is no such program in $PATH\n']);
  const file = path.join(world.dir, 'text');
  fs.writeFileSync(file, 'text');
  const denied = run(world, [file]);
  assert.deepEqual([denied.status, denied.stderr], [126, `weft run: ${file}: Permission denied\n`]);
  const nowhere = path.join(world.dir, 'nowhere');
  const unwatched = run(world, ['echo', 'ran'], { directory: nowhere });
  assert.deepEqual([unwatched.status, unwatched.stdout], [0, 'ran\n']);
  assert.match(unwatched.stderr, /^weft run: [^\n]*nowhere: No such file or directory: echo runs, and nobody watches it[^\n]*\n$/);
  assert.equal(run(world, ['--quiet', 'true'], { directory: nowhere }).stderr, '');
  assert.equal(run(world, ['--service', 'x'.repeat(256), 'true']).status, 125);
  assert.match(run(world, ['--service', 'x'.repeat(256), 'true']).stderr, /--service: found 256 bytes, expected at most 255/);
  assert.equal(run(world, []).status, 125);
  assert.equal(run(world, ['--nonsense', 'true']).status, 125);
});

scenario('what was ignored stays ignored, and an ignored SIGCHLD keeps no end from us', async (world) => {
  const under = (signal, ...command) =>
    spawnSync('env', [`--ignore-signal=${signal}`, weft, 'run', '--directory', world.slabs, ...command], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(under('CHLD', 'sh', '-c', 'exit 7').status, 7);
  assert.equal(under('HUP', 'sh', '-c', 'kill -HUP $$; echo lives').stdout, 'lives\n');
  const ignored = under('CHLD', 'grep', '^SigIgn', '/proc/self/status').stdout;
  assert.ok(BigInt(`0x${ignored.split(/\s+/)[1]}`) & (1n << 16n), `SIGCHLD is ignored in the command: ${ignored}`);
  const blocked = run(world, ['grep', '^SigBlk', '/proc/self/status']).stdout;
  assert.match(blocked, /^SigBlk:\s+0+\s*$/, 'and nothing is blocked there');
});

scenario('signals are passed on, each once; the reader of its output sees when the command closes it', async (world) => {
  const log = path.join(world.dir, 'signals');
  const script = `for s in HUP USR1 USR2 WINCH INT; do trap "echo $s >> ${log}" $s; done
    trap "echo TERM >> ${log}; exit 9" TERM; echo ready >> ${log}; exec >&-; while :; do sleep 0.05; done`;
  const daemon = start(world, ['sh', '-c', script], { stdout: 'pipe' });
  const closed = new Promise((done) => daemon.child.stdout.on('close', () => done(true)).resume());
  const said = () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8').trim().split('\n') : []);
  await until('it is ready', () => said().length === 1);
  assert.ok(await closed, 'standard output ends while both live');
  const sent = ['ready'];
  for (const signal of ['HUP', 'USR1', 'INT', 'USR2', 'WINCH', 'USR1']) {
    daemon.signal(`SIG${signal}`);
    sent.push(signal);
    await until(`${signal} came`, () => said().length === sent.length);
  }
  daemon.signal('SIGTERM');
  assert.deepEqual(await daemon.end(), { code: 9, signal: null });
  assert.deepEqual(said(), [...sent, 'TERM']);
});

scenario('a stop of the command is ours, and so is going on', async (world) => {
  const daemon = start(world, ['sleep', '1000']);
  const command = await commandOf(daemon);
  const state = (pid) => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1][0];
  process.kill(command, 'SIGSTOP'); /* SIGTSTP is for terminals: a group without a shell above it ignores it */
  await until('both stand', () => state(daemon.pid) === 'T' && state(command) === 'T');
  daemon.signal('SIGCONT');
  await until('both go on', () => state(daemon.pid) === 'S' && state(command) === 'S');
  daemon.signal('SIGTERM');
  assert.deepEqual(await daemon.end(), { code: null, signal: 'SIGTERM' });
});

/* A shell on a terminal of its own: script(1) has one. */
function terminal(world, command) {
  const daemon = new Daemon(world, 'terminal', 'script', ['-qefc', command, '/dev/null'], { stdin: 'pipe', env: { PS1: '$ ', TERM: 'dumb', HISTFILE: '' } });
  daemon.type = (text) => daemon.child.stdin.write(text);
  return daemon;
}

scenario('on a terminal Ctrl-C comes once, and a shell stops and resumes the job', { skip: noTerminal }, async (world) => {
  const log = path.join(world.dir, 'interrupts');
  const shell = terminal(world, 'bash --norc --noprofile -i');
  const line = `${weft} run --directory ${world.slabs}`;
  const program = path.join(world.dir, 'interrupted.cjs'); /* a shell that stops as it forks may not stop at all */
  fs.writeFileSync(program, `process.on('SIGINT', () => require('fs').appendFileSync('${log}', 'INT\\n'));
    setInterval(() => {}, 1000); console.log('began-' + (40 + 2));`);
  shell.type(`${line} ${process.execPath} ${program}\n`);
  await shell.says(/began-42/);
  shell.type('\x03');
  await until('an interrupt', () => fs.existsSync(log));
  shell.type('\x1a');
  await shell.says(/Stopped/);
  shell.type('echo shell-$((1+1)); fg\n');
  await shell.says(/shell-2/);
  shell.type('\x03');
  await until('another one', () => fs.readFileSync(log, 'utf8') === 'INT\nINT\n');
  shell.type('\x1a');
  await until('it stands again', () => shell.said().match(/Stopped/g).length >= 2);
  shell.type('kill -9 %1; wait; echo killed-$((2+3))\n');
  await shell.says(/killed-5/);
  shell.type(`${line} sleep 1000123\n`);
  await until('it sleeps', () => processesOf(['sleep', '1000123']).length === 1);
  shell.type('\x03');
  shell.type('echo status-$?\n');
  await shell.says(/status-130/);
  shell.type(`${line} sh -c 'stty size; read x; echo got-$x' ; exit\n`);
  shell.type('typed\n');
  await shell.says(/got-typed/);
  await shell.end();
});

/* ---- how it ended ----------------------------------------------------------------------------- */

const deaths = (collector, service) =>
  until(`${service} died`, async () => {
    const found = await marks(collector, `kind=death&service=${service}`);
    return found.length && found;
  });

scenario('each end is told by what it was', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const end = (service, script) => run(world, ['--service', service, 'sh', '-c', script]);
  end('worker', 'exit 3');
  end('calm', 'exit 0');
  end('stopped', 'kill -TERM $$');
  end('killed', 'ulimit -c 0; kill -KILL $$');
  run(world, ['--service', 'absent', 'no-such-program']);
  await titles(collector, 'worker', ['worker started', 'worker exited with 3']);
  await titles(collector, 'calm', ['calm started', 'calm exited']);
  await titles(collector, 'stopped', ['stopped started', 'stopped was stopped by SIGTERM']);
  await titles(collector, 'absent', ['absent could not be started (No such file or directory)']);
  const [killed] = await deaths(collector, 'killed');
  assert.deepEqual([killed.text, killed.count], ['was killed by SIGKILL', 1]);
  await titles(collector, 'killed', ['killed started']);
});

const pattern = fs.readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();

const coreless = sanitized ? 'a sanitizer allows no cores' : /^[|/]/.test(pattern) && `cores go to ${pattern}`;

scenario('a core is told, and only the command leaves one', { skip: coreless }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const place = path.join(world.dir, 'cores');
  fs.mkdirSync(place);
  const crashing = new Daemon(world, 'crashing', 'sh', ['-c', `cd ${place}; ulimit -c unlimited; exec ${weft} run --directory ${world.slabs} --service crashing sleep 1000`]);
  const command = await commandOf(crashing);
  await until('it sleeps', () => fs.readFileSync(`/proc/${command}/comm`, 'utf8') === 'sleep\n');
  process.kill(command, 'SIGSEGV');
  assert.deepEqual(await crashing.end(), { code: null, signal: 'SIGSEGV' });
  assert.equal((await deaths(collector, 'crashing'))[0].text, 'was killed by SIGSEGV (core dumped)');
  assert.equal(fs.readdirSync(place).length, 1, 'one core');
});

/* A group whose processes may have so much memory. Null and why where there can be none. */
function memoryGroup(world, megabytes) {
  const v1 = '/sys/fs/cgroup/memory', first = fs.existsSync(`${v1}/memory.limit_in_bytes`);
  const at = path.join(first ? v1 : '/sys/fs/cgroup', `weft-test-${path.basename(world.dir)}`);
  try {
    fs.mkdirSync(at);
    fs.writeFileSync(path.join(at, first ? 'memory.limit_in_bytes' : 'memory.max'), String(megabytes << 20));
    for (const swap of first ? [] : ['memory.swap.max']) if (fs.existsSync(path.join(at, swap))) fs.writeFileSync(path.join(at, swap), '0');
    return { enter: `echo $$ > ${at}/cgroup.procs`, remove: () => until('the group is empty', () => (fs.rmdirSync(at), true)) };
  } catch (error) {
    if (fs.existsSync(at)) fs.rmdirSync(at);
    return { denied: String(error) };
  }
}

scenario('a command whose memory is out is told so; one that is merely killed is not', async (world, t) => {
  const group = memoryGroup(world, 48);
  if (group.denied) return t.skip(group.denied);
  const collector = await world.collector();
  await world.agent(collector);
  const within = (service, command) =>
    spawnSync('sh', ['-c', `${group.enter} && exec ${weft} run --directory ${world.slabs} --service ${service} ${command}`], { encoding: 'utf8', timeout: 120_000 });
  try {
    assert.equal(within('innocent', "sh -c 'kill -9 $$'").signal, 'SIGKILL');
    const hungry = within('hungry', 'tail /dev/zero');
    assert.equal(hungry.signal, 'SIGKILL', hungry.stderr);
    assert.equal((await deaths(collector, 'hungry'))[0].text, 'was killed by SIGKILL (out of memory)');
    assert.equal((await deaths(collector, 'innocent'))[0].text, 'was killed by SIGKILL');
  } finally {
    await group.remove();
  }
});

scenario('whoever is killed, each moment is told, and once', async (world) => {
  let collector = await world.collector();
  let agent = await world.agent(collector);
  const lasting = start(world, ['--service', 'lasting', 'sleep', '1000']);
  await titles(collector, 'lasting', ['lasting started']);
  await agent.kill();
  run(world, ['--service', 'meanwhile', 'sh', '-c', 'exit 5']);
  lasting.signal('SIGTERM');
  await lasting.end();
  agent = await agent.again();
  await titles(collector, 'lasting', ['lasting started', 'lasting was stopped by SIGTERM']);
  await titles(collector, 'meanwhile', ['meanwhile started', 'meanwhile exited with 5']);
  const orphan = start(world, ['--service', 'orphan', 'sleep', '1000']);
  const command = await commandOf(orphan);
  await titles(collector, 'orphan', ['orphan started']);
  await orphan.kill();
  await until('its command has died with it', () => !fs.existsSync(`/proc/${command}`));
  await titles(collector, 'orphan', ['orphan started', 'orphan ended']);
  await until('all files go', () => runs(world).length === 0);
  for (let round = 0; round < 4; round++) {
    const many = start(world, ['--service', `r${round}`, 'sh', '-c', 'sleep 0.3; exit 4']);
    if (round % 2) agent.kill();
    else collector.kill();
    await many.end();
    if (round % 2) agent = await agent.again();
    else collector = await collector.again();
  }
  for (let round = 0; round < 4; round++) {
    await titles(collector, `r${round}`, [`r${round} started`, `r${round} exited with 4`]);
    for (const mark of await marks(collector, `kind=process&service=r${round}`)) assert.equal(mark.count, 1);
  }
});

const apart = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;

scenario('a command in another pid namespace is told of by its file, and its life by the lock', { skip: !apart && 'no namespace can be made' }, async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const within = (service, script) => new Daemon(world, service, 'unshare',
    ['--pid', '--fork', '--kill-child', '--mount-proc', weft, 'run', '--directory', world.slabs, '--service', service, 'sh', '-c', script]);
  const away = within('away', 'exit 6'), lost = within('lost', 'sleep 1000; :');
  assert.equal((await away.end()).code, 6);
  await titles(collector, 'away', ['away started', 'away exited with 6']);
  await series(collector, 'weft_processes{service="lost"}', (v) => v === 1);
  await lost.kill();
  await titles(collector, 'lost', ['lost started', 'lost ended']);
  const first = within('first', 'kill -KILL $$');
  assert.equal((await first.end()).code, 128 + 9, 'the first process of a namespace cannot die of it');
  assert.equal((await deaths(collector, 'first'))[0].text, 'was killed by SIGKILL');
});

/* ---- a command that records, or has others below it -------------------------------------------- */

scenario('a command that records is counted once and dies once', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const daemon = start(world, ['--service', 'both', '--version', '3', program('scripted')], { stdin: 'pipe', stdout: 'pipe' });
  daemon.child.stdin.write('begin server request\ncount posts_total 5\n');
  await series(collector, 'posts_total{service="both",version="3"}', (v) => v === 5);
  await series(collector, 'sum(weft_processes{service="both"})', (v) => v === 1);
  const command = await commandOf(daemon);
  process.kill(command, 'SIGKILL');
  assert.deepEqual(await daemon.end(), { code: null, signal: 'SIGKILL' });
  await until('its death says how', async () => {
    const [mark, ...others] = await deaths(collector, 'both');
    assert.equal(others.length, 0);
    assert.equal(mark.count, 1);
    return mark.text === 'was killed by SIGKILL';
  });
  await titles(collector, 'both', ['both started']);
  await series(collector, 'sum(process_starts_total{service="both"})', (v) => v === 1);
});

scenario('what a command starts is counted with it', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  const daemon = start(world, ['--service', 'family', 'sh', '-c', 'sleep 1000 & sh -c "sleep 1001 & wait" & wait']);
  await series(collector, 'weft_processes{service="family"}', (v) => v === 4);
  daemon.signal('SIGTERM');
  await daemon.end();
  for (const words of [['sleep', '1000'], ['sleep', '1001']])
    for (const pid of processesOf(words)) {
      const who = fs.readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (who.includes('WEFT_SERVICE=family')) process.kill(pid, 'SIGKILL');
    }
  await titles(collector, 'family', ['family started', 'family was stopped by SIGTERM']);
});

scenario('processor time of what lived for a moment is told at the end', async (world) => {
  const collector = await world.collector();
  await world.agent(collector);
  run(world, ['--service', 'short', 'sh', '-c', 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done']);
  await series(collector, 'sum(process_cpu_seconds_total{service="short"})', (v) => v > 0.01 && v < 30);
});

scenario('files that are none, and those of strangers, are left alone and counted', async (world) => {
  const collector = await world.collector();
  const agent = await world.agent(collector);
  const file = (name) => path.join(world.slabs, `${name}.run`);
  fs.writeFileSync(file('text'), 'nothing of the kind');
  fs.writeFileSync(file('empty'), '');
  fs.mkdirSync(file('directory'));
  fs.symlinkSync('/etc/passwd', file('link'));
  world.run('mkfifo', [file('fifo')]);
  const running = start(world, ['--service', 'real', 'sleep', '1000']);
  await titles(collector, 'real', ['real started']);
  const [name] = runs(world).filter((n) => /^\d/.test(n));
  fs.copyFileSync(path.join(world.slabs, name), file('copy'));
  await until('six are counted', async () =>
    (await agent.metrics()).get('weft_agent_lost_total{place="agent",reason="bad_file"}') === 6);
  fs.truncateSync(path.join(world.slabs, name), 100);
  await titles(collector, 'real', ['real started']);
  running.signal('SIGTERM');
  await running.end();
  assert.ok(agent.alive);
  for (const n of ['text', 'empty', 'link', 'fifo', 'copy']) assert.ok(fs.existsSync(file(n)) || n === 'link', n);
});

/* ---- rules ------------------------------------------------------------------------------------ */

scenario('rules find what runs already, and what begins later', async (world) => {
  const port = await freePort(), other = await freePort(), late = await freePort();
  const redis = (name, at) => new Daemon(world, name, 'redis-server', ['--port', at, '--save', '', '--bind', '127.0.0.1']);
  const there = redis('redis', port);
  await there.says(/Ready to accept/);
  const rules = path.join(world.dir, 'processes.yaml');
  fs.writeFileSync(rules, `
- {executable: redis-server, port: ${port}, service: store, cell: c1}
- port: ${late}
  service: late
- {executable: memcached, port: ${other}}
`);
  const collector = await world.collector();
  const agent = await world.agent(collector, { args: [`--processes=${rules}`] });
  const who = '{service="store",cell="c1"}';
  await series(collector, `weft_processes${who}`, (v) => v === 1);
  await series(collector, `process_resident_memory_bytes${who}`, (v) => v > 1 << 20);
  await series(collector, 'process_sockets{service="store",kind="listening"}', (v) => v === 1);
  assert.equal((await query(collector, 'process_starts_total{service="store"}')).length, 0, 'it began before the agent');
  await titles(collector, 'store', ['store started']);
  const later = redis('late', late);
  const memcached = new Daemon(world, 'memcached', 'memcached', ['-p', other, '-U', '0', '-l', '127.0.0.1', ...(process.getuid() === 0 ? ['-u', 'nobody'] : [])]);
  await titles(collector, 'late', ['late started']);
  await titles(collector, 'memcached', ['memcached started']);
  await series(collector, 'process_starts_total{service="late"}', (v) => v === 1);
  await agent.kill();
  const next = await agent.again();
  const watched = (count) => until(`${count} are watched`, async () => (await next.metrics()).get('weft_agent_watched_processes') === count);
  await watched(3);
  await later.stop();
  await titles(collector, 'late', ['late started', 'late ended']);
  memcached.signal('SIGKILL');
  await titles(collector, 'memcached', ['memcached started', 'memcached ended']);
  await titles(collector, 'store', ['store started']);
  assert.equal((await marks(collector, 'kind=process&service=store'))[0].count, 1, 'though two agents told of it');
  await watched(1);
});

scenario('a process that records and fits a rule is counted once', async (world) => {
  const rules = path.join(world.dir, 'processes.yaml');
  const own = path.join(world.dir, 'scripted'); /* others may run the same test */
  fs.copyFileSync(program('scripted'), own);
  fs.writeFileSync(rules, `- executable: ${own}\n  service: twice\n`);
  const collector = await world.collector();
  await world.agent(collector, { args: [`--processes=${rules}`] });
  const service = new Daemon(world, 'twice', own, [], { env: { WEFT_DIR: world.slabs, WEFT_SERVICE: 'twice' }, stdin: 'pipe', stdout: 'pipe' });
  service.child.stdin.write('begin server request\n');
  await until('it records', () => fs.readdirSync(world.slabs).some((name) => /^[^.].*\.slab$/.test(name)));
  await titles(collector, 'twice', ['twice started']);
  await series(collector, 'sum(weft_processes{service="twice"})', (v) => v === 1);
  await series(collector, 'sum(process_starts_total{service="twice"})', (v) => v === 1);
  await service.kill();
  const [mark, ...others] = await deaths(collector, 'twice');
  assert.deepEqual([mark.count, others.length], [1, 0]);
  await until('how it ended is not told twice', async () => (await deaths(collector, 'twice'))[0].text === 'ended');
  await titles(collector, 'twice', ['twice started']);
});

scenario('a rule that is none stops the start, with its line', async (world) => {
  const rules = path.join(world.dir, 'processes.yaml');
  const refusal = (text) => {
    fs.writeFileSync(rules, text);
    const r = spawnSync(path.join(build, 'agent/weft-agent'), [`--processes=${rules}`, `--directory=${world.slabs}`], { encoding: 'utf8', timeout: 60_000 });
    assert.equal(r.status, 2, r.stderr);
    return r.stderr.replaceAll(rules, 'FILE').trim();
  };
  assert.equal(refusal('- executable: redis\n- prot: 6379\n'),
    'weft-agent: FILE:2: found unknown key "prot", expected one of executable, unit, port, service, cell, version');
  assert.equal(refusal('\n- port: many\n  service: x\n'), 'weft-agent: FILE:2: found "many", expected a port from 1 to 65535');
  fs.rmSync(rules);
  const missing = spawnSync(path.join(build, 'agent/weft-agent'), [`--processes=${rules}`], { encoding: 'utf8', timeout: 60_000 });
  assert.deepEqual([missing.status, missing.stderr], [2, `weft-agent: ${rules}: No such file or directory\n`]);
});

// SPDX-License-Identifier: Apache-2.0
/* The demo as an engineer runs it first: real redis, memcached and services, and one that dies. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build, sanitized, scenario } from './harness.mjs';

const missing = ['redis-server', 'memcached'].filter((f) => spawnSync(f, ['--version']).error);
const skip = sanitized ? 'its services are linked with libraries that no sanitizer knows'
  : missing.length > 0 && `${missing.join(' and ')} not installed`;

scenario('the demo with a killed cell and a deploy closes with a summary in which no loss is unexplained, and with pictures', { skip }, async (world) => {
  const pictures = path.join(world.dir, 'pictures');
  const said = world.run(path.join(build, 'cli/weft'), ['demo', '--for', '12', '--rate', '60', '--port', '0', '--kill-cell', '--deploy', '--pictures', pictures]);
  assert.match(said, /The page: http:\/\/127\.0\.0\.1:\d+\//);
  assert.match(said, /killing cell c2/);
  assert.match(said, /^ +unexplained +0$/m);
  const [, recorded, accepted] = said.match(/^ +spans +(\d+) recorded, (\d+) accepted$/m);
  assert.equal(accepted, recorded);
  assert.ok(Number(accepted) > 500);
  assert.ok(Number(said.match(/^ +died spans +(\d+), in/m)[1]) > 0);
  for (const cache of ['redis', 'memcached'])
    assert.match(said, new RegExp(`^ +(processes +)?${cache} +\\d+\\.\\d MB, \\d+\\.\\d s of CPU$`, 'm'));
  for (const name of ['requests-light', 'requests-dark', 'latency-light', 'latency-dark'])
    for (const kind of ['png', 'svg']) assert.ok(fs.statSync(path.join(pictures, `${name}.${kind}`)).size > 5000, name);
  if (!said.includes('Redis and memcached are not tapped')) {
    assert.match(said, /^hottest key: celebrity:1:card {2}\d+\.\d % of calls, .*, in 127\.0\.0\.1:\d+$/m);
    assert.match(said, /^dropped: \d+ packets, \d+ reports of taps$/m);
    assert.match(said, /^celebrity:1:card +\d+ /m); /* first of the keys */
    assert.match(said, /^c\*:inbox:\* +\d+ /m);
    assert.match(said, /^cell +\d/m);
  }
  assert.match(fs.readFileSync(path.join(pictures, 'requests-light.svg'), 'utf8'), />cell 1\.5\.0 in c1<\/text>/);
});

// SPDX-License-Identifier: Apache-2.0
/* What is installed is what a stranger needs: the first program of the docs is built against it in
 * each of the ways that there are, and its trace shows up. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { build, root, sanitized, scenario, until } from './harness.mjs';

const first = path.join(root, 'docs/first.c');
const has = (command) => spawnSync(command, ['--version']).status === 0;
const skip = !fs.existsSync(first) ? 'docs/first.c is not there'
  : sanitized ? 'a sanitized library is nothing to install'
    : !has('pkg-config') ? 'there is no pkg-config' : false;

function cmakeProject(directory, target) {
  fs.mkdirSync(directory);
  fs.writeFileSync(path.join(directory, 'CMakeLists.txt'), [
    'cmake_minimum_required(VERSION 3.25)',
    'project(first LANGUAGES C)',
    'find_package(weft 0.1 REQUIRED)',
    `add_executable(first ${first})`,
    `target_link_libraries(first PRIVATE ${target})`,
  ].join('\n'));
}

scenario('the first program of the docs builds against what is installed, and its trace shows up', { skip }, async (world) => {
  const prefix = path.join(world.dir, 'prefix');
  world.run('cmake', ['--install', build, '--prefix', prefix]);
  const lib = path.dirname(world.run('find', [prefix, '-name', 'libweft.so']).trim());
  const pkg = { env: { PKG_CONFIG_PATH: path.join(lib, 'pkgconfig') } };
  /* The prefix of the build may be another one than that of the installation. */
  const flags = (...args) => world.run('pkg-config', [`--define-variable=prefix=${prefix}`, ...args, 'weft'], pkg).trim().split(/\s+/);
  const at = (name) => path.join(world.dir, name);

  const compiler = ['-Wall', '-Wextra', '-Werror', '-std=gnu17', first];
  world.run('cc', [...compiler, '-o', at('shared'), ...flags('--cflags', '--libs')]);
  world.run('cc', [...compiler, ...flags('--cflags'), '-o', at('static'), path.join(lib, 'libweft.a'),
    ...flags('--static', '--libs-only-other').filter(Boolean)]);
  const programs = [at('shared'), at('static')];
  for (const target of ['weft::weft', 'weft::weft_static']) {
    const name = target.replace('::', '-');
    cmakeProject(at(name), target);
    world.run('cmake', ['-G', 'Ninja', '-S', at(name), '-B', at(`${name}-build`), `-DCMAKE_PREFIX_PATH=${prefix}`]);
    world.run('cmake', ['--build', at(`${name}-build`)]);
    programs.push(path.join(at(`${name}-build`), 'first'));
  }
  assert.match(world.run('ldd', [at('shared')], { env: { LD_LIBRARY_PATH: lib } }), /libweft\.so\.0/);
  assert.doesNotMatch(world.run('ldd', [at('static')]), /libweft/);

  const collector = await world.collector();
  await world.agent(collector);
  for (const [i, file] of programs.entries()) {
    world.run(file, [], { env: { WEFT_DIR: world.slabs, LD_LIBRARY_PATH: lib } });
    await until(`the trace of ${file}`, async () => {
      const { traces } = await collector.api('/api/v1/traces?service=first');
      return traces.length === i + 1 && traces.every((t) => t.complete && t.span_count === 2);
    });
  }
  const installed = ['bin/weft', 'bin/weft-agent', 'bin/weft-tap', 'bin/weft-collector'].map((f) => path.join(prefix, f));
  for (const file of installed) world.run(file, ['--help']);
});

scenario('libweft needs libc and nothing else', { skip: sanitized && 'sanitizers need more' }, async (world) => {
  const needed = world.run('readelf', ['-d', path.join(build, 'client/libweft.so')])
    .match(/\(NEEDED\).*\[(.+)\]/g).map((line) => line.match(/\[(.+)\]/)[1]);
  assert.deepEqual(needed.filter((n) => !/^(libc|ld-linux.*)\.so/.test(n)), []);
  const exported = world.run('nm', ['-D', '--defined-only', path.join(build, 'client/libweft.so')])
    .trim().split('\n').map((line) => line.split(' ')[2].split('@')[0]).filter((n) => !n.startsWith('WEFT_'));
  assert.deepEqual(exported.filter((n) => !n.startsWith('weft_')), []);
});

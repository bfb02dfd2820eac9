// SPDX-License-Identifier: Apache-2.0
/* A program in a terminal of its own (tmux): what stands on its screen, and its keyboard. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { until } from './harness.mjs';

/* Why there can be no terminals here; false: they can. A machine within another may have no /dev/pts. */
export const noTerminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status !== 0 && 'no terminal can be made: there is no script(1), or no /dev/pts';
export const missing = spawnSync('tmux', ['-V']).error !== undefined ? 'tmux is not installed' : noTerminal;

export class Terminal {
  /* `line`: for a shell. When the program ended, "ENDED status" stands below what it left. */
  constructor(world, line, { width = 80, height = 24, env = {} } = {}) {
    this.world = world;
    this.socket = path.join(world.dir, `tmux-${world.serial++}`);
    const set = Object.entries({ LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...env }).map(([name, value]) => `${name}='${value}'`);
    this.tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(width), '-y', String(height),
      `env ${set.join(' ')} ${line}; echo ENDED $?; sleep 1000`);
  }
  tmux(...args) {
    return this.world.run('tmux', ['-u', '-S', this.socket, ...args], { env: { TMUX: '' } });
  }
  screen() { return this.tmux('capture-pane', '-p').split('\n').slice(0, -1); }
  press(...keys) { this.tmux('send-keys', ...keys); }
  type(text) { this.tmux('send-keys', '-l', text); }
  resize(width, height) { this.tmux('resize-window', '-x', String(width), '-y', String(height)); }
  /* Waits until the screen, as one text, is as wanted: a pattern, or a function of its lines. */
  shows(what, wanted) {
    return until(`the screen shows ${what}`, () => {
      const lines = this.screen();
      const found = typeof wanted === 'function' ? wanted(lines) : wanted.test(lines.join('\n'));
      if (!found) throw new Error(lines.join('\n'));
      return lines;
    }, { everyMs: 100 });
  }
  close() { spawnSync('tmux', ['-S', this.socket, 'kill-server']); }
}

/* One that goes when the body ends, however it does. */
export async function terminal(world, line, options, body) {
  const t = new Terminal(world, line, options);
  try {
    return await body(t);
  } finally {
    t.close();
  }
}

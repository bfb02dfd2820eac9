// SPDX-License-Identifier: Apache-2.0
/*
 * An hour of samples at 15 s from a seed: counters with resets, gauges with gaps, NaN, infinities
 * and markers of staleness, classic and native histograms.
 *
 * Each series has its own place within the 15 s, and no sample's time modulo 5 s is 0 or 2.345 s:
 * whoever asks at such times, with durations of whole 5 s, has no sample on the edge of a range.
 * Values of gauges are multiples of 1/8, so sums do not depend on their order. A counter
 * begins at 0 and has no gaps, or far from it and has no resets; native histograms begin far from it.
 */
import { STALE } from './remote_write.mjs';

/* Mulberry32: the same numbers from the same seed, everywhere. */
export class Dice {
  constructor(seed) {
    this.state = seed >>> 0;
  }
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n) {
    return Math.floor(this.next() * n);
  }
  chance(p) {
    return this.next() < p;
  }
  pick(list) {
    return list[this.below(list.length)];
  }
}

export const STEP_MS = 15_000;
export const STEPS = 241;
const codes = ['200', '404', '500'];
const cells = ['c1', 'c2', 'c3'];
const hosts = ['h1', 'h2', 'h3', 'h4'];
const bounds = ['0.005', '0.01', '0.05', '0.1', '0.5', '1', '5', '+Inf'];

/* The times of one series: its place within 15 s, and now and then a sample that is missing. */
function times(dice, startMs, gapChance) {
  const place = dice.below(3) * 5000 + 2600 + dice.below(2200);
  const out = [];
  for (let i = 0; i < STEPS; i++) {
    if (dice.chance(gapChance)) i += 1 + dice.below(dice.chance(0.3) ? 40 : 3);
    else out.push(startMs + i * STEP_MS + place);
  }
  return out;
}

/* From 0, and back to it at times. */
function resetting(dice, startMs) {
  const speed = 1 + dice.below(200);
  let value = 0;
  return times(dice, startMs, 0).map((at, i) => {
    if (i > 0) value = dice.chance(0.01) ? dice.below(speed) : value + dice.below(speed);
    return [at, value];
  });
}

/* Far from 0, and now and then not heard of. No two are alike. */
function steady(dice, startMs) {
  const speed = 1 + dice.below(200);
  let value = 1e6 + dice.below(1e6);
  return times(dice, startMs, 0.02).map((at) => [at, (value += dice.below(speed))]);
}

/* `odd`: also what is no number, and markers that the series ended. */
function gauge(dice, startMs, odd) {
  let value = dice.below(800);
  return times(dice, startMs, 0.03).map((at) => {
    value += dice.below(65) - 32;
    if (odd && dice.chance(0.03)) return [at, dice.pick([NaN, Infinity, -Infinity])];
    return [at, dice.chance(0.01) ? STALE : value / 8];
  });
}

function classic(dice, startMs, labels) {
  const at = times(dice, startMs, 0);
  const counts = bounds.map(() => 0);
  const buckets = bounds.map(() => []);
  const sums = [];
  let sum = 0;
  for (const [i, t] of at.entries()) {
    for (let n = i === 0 ? 0 : dice.below(20); n > 0; n--) {
      const took = Math.round(Math.exp(dice.next() * 9 - 6) * 1024) / 1024;
      sum += took;
      bounds.forEach((le, b) => { if (took <= (le === '+Inf' ? Infinity : Number(le))) counts[b]++; });
    }
    counts.forEach((c, b) => buckets[b].push([t, c]));
    sums.push([t, sum]);
  }
  return [
    ...bounds.map((le, b) => ({ labels: { __name__: 'took_seconds_bucket', ...labels, le }, samples: buckets[b] })),
    { labels: { __name__: 'took_seconds_sum', ...labels }, samples: sums },
    { labels: { __name__: 'took_seconds_count', ...labels }, samples: buckets[bounds.length - 1] },
  ];
}

function native(dice, startMs, labels) {
  const buckets = Array.from({ length: 12 }, () => 10_000);
  let count = 120_000;
  let sum = 120_000;
  let zeroCount = 0;
  const histograms = times(dice, startMs, 0).map((t) => {
    for (let n = dice.below(30); n > 0; n--, count++) {
      if (dice.chance(0.05)) zeroCount++;
      else buckets[Math.min(dice.below(12), dice.below(12))]++;
      sum += dice.below(64) / 8;
    }
    return [t, { count, sum, schema: 1, zeroThreshold: 2 ** -128, zeroCount, offset: -4, buckets: [...buckets] }];
  });
  return { labels: { __name__: 'took_native', ...labels }, histograms };
}

/* All series of a seed, each with its samples in order. */
export function makeSeries(seed, startMs) {
  const dice = new Dice(seed);
  const all = [];
  for (const cell of cells)
    for (const host of hosts) {
      for (const code of codes)
        all.push({ labels: { __name__: 'requests_total', cell, host, code }, samples: resetting(dice, startMs) });
      all.push({ labels: { __name__: 'errors_total', cell, host }, samples: steady(dice, startMs) });
      all.push({ labels: { __name__: 'depth', cell, host }, samples: gauge(dice, startMs, false) });
      all.push({ labels: { __name__: 'limit', cell, host }, samples: gauge(dice, startMs, false) });
      all.push({ labels: { __name__: 'odd', cell, host, '_x': 'ä"\\' }, samples: gauge(dice, startMs, true) });
    }
  for (const cell of cells) {
    all.push({ labels: { __name__: 'version_info', cell, version: `1.${cell[1]}` },
      samples: times(dice, startMs, 0).map((t) => [t, 1]) });
    for (const host of hosts.slice(0, 2)) {
      all.push(...classic(dice, startMs, { cell, host }));
      all.push(native(dice, startMs, { cell, host }));
    }
  }
  return all;
}

/* The same in requests, as time goes on: each has all series for some minutes. */
export function inRequests(all, startMs, perRequestMs = 300_000) {
  const requests = [];
  for (let from = startMs; from < startMs + (STEPS + 1) * STEP_MS; from += perRequestMs) {
    const within = ([t]) => t >= from && t < from + perRequestMs;
    const part = all.map((s) => ({
      labels: s.labels, samples: (s.samples ?? []).filter(within), histograms: (s.histograms ?? []).filter(within),
    })).filter((s) => s.samples.length + s.histograms.length > 0);
    if (part.length > 0) requests.push(part);
  }
  return requests;
}

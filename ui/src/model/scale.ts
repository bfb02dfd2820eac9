// SPDX-License-Identifier: Apache-2.0
/*
 * The time axis: what part of a trace is in view, how it maps to pixels, where the ticks
 * stand. Pure. All times are ns from the trace's start.
 */
import { formatDuration } from './format';

export interface Span1d {
  from: number;
  to: number;
}

/* A view of less than this cannot be told from a single moment. */
const NARROWEST_NS = 50;

/** `view` within `whole`: never outside, never narrower than a few nanoseconds. */
export function clampView(view: Span1d, whole: Span1d): Span1d {
  const width = Math.min(Math.max(view.to - view.from, NARROWEST_NS), whole.to - whole.from);
  const from = Math.min(Math.max(view.from, whole.from), whole.to - width);
  return { from, to: from + width };
}

/** Zoom by `factor` (2 shows half as much) around `anchorNs`, which stays where it is. */
export function zoomAround(view: Span1d, whole: Span1d, factor: number, anchorNs: number): Span1d {
  const width = Math.max((view.to - view.from) / factor, NARROWEST_NS);
  const share = (anchorNs - view.from) / (view.to - view.from);
  return clampView({ from: anchorNs - share * width, to: anchorNs + (1 - share) * width }, whole);
}

export function pan(view: Span1d, whole: Span1d, byNs: number): Span1d {
  return clampView({ from: view.from + byNs, to: view.to + byNs }, whole);
}

export const isWhole = (view: Span1d, whole: Span1d) =>
  view.from <= whole.from && view.to >= whole.to;

/** The smallest of 1, 2, 5 times a power of ten that is not below `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  for (const step of [1, 2, 5]) if (step * power >= least * (1 - 1e-9)) return step * power;
  return 10 * power;
}

/** Round moments in view, at most `most` of them, and the step between them. */
export function ticks(view: Span1d, most: number): { at: number[]; step: number } {
  const step = niceStep(Math.max((view.to - view.from) / Math.max(most, 1), 1));
  const at: number[] = [];
  for (let k = Math.ceil(view.from / step); k * step <= view.to; k++) at.push(k * step);
  return { at, step };
}

const UNITS: readonly (readonly [number, string])[] = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
];

/**
 * A tick's label: all on one axis share the unit of the largest, and show as many digits as the
 * step needs to tell two neighbours apart.
 */
export function formatTick(ns: number, step: number, largest: number): string {
  if (ns === 0) return '0';
  if (largest >= 120e9 && step >= 1e9) return formatDuration(ns);
  const [size, unit] = UNITS.find(([least]) => Math.abs(largest) >= least) ?? [1, 'ns'];
  const digits = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9));
  return `${(ns / size).toFixed(digits)}\u00a0${unit}`;
}

/** Where a duration stands between 100 µs (0) and 10 s (1) on a logarithmic scale. */
export function logShare(ns: number): number {
  const share = (Math.log10(Math.max(ns, 1)) - 5) / 5;
  return Math.min(Math.max(share, 0), 1);
}

// SPDX-License-Identifier: Apache-2.0
/* Where a canvas of our own has its ticks: moments that people recognise, and round numbers of a logarithmic scale. Pure. */

const STEPS_S = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];

/** Between two moments in seconds, at most `most`; `offsetS` is how far the zone is ahead of UTC. */
export function timeTicks(fromS: number, toS: number, most: number, offsetS = 0): { ticks: number[]; step: number } {
  const least = (toS - fromS) / Math.max(most, 1);
  const step = STEPS_S.find((each) => each >= least) ?? Math.ceil(least / 2_592_000) * 2_592_000;
  const ticks: number[] = [];
  for (let at = Math.ceil((fromS + offsetS) / step) * step - offsetS; at <= toS; at += step) ticks.push(at);
  return { ticks, step };
}

/** 1, 2 and 5 of each decade between two positive numbers, or 1 alone, or fewer decades: at most `most`. */
export function logTicks(least: number, largest: number, most: number): number[] {
  if (!(least > 0) || !(largest > least)) return [];
  const decade = Math.floor(Math.log10(least));
  const decades = Math.ceil(Math.log10(largest)) - decade;
  const candidates = [[1, 2, 5], [1, 3], [1]].map((parts) =>
    Array.from({ length: decades + 1 }, (_, i) => parts.map((part) => Number(`${part}e${decade + i}`)))
      .flat()
      .filter((tick) => tick >= least * 0.999 && tick <= largest * 1.001),
  );
  const fits = candidates.find((ticks) => ticks.length <= most);
  if (fits) return fits;
  const last = candidates[2]!;
  const every = Math.ceil(last.length / Math.max(most, 1));
  return last.filter((_, i) => i % every === 0);
}

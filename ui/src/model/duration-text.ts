// SPDX-License-Identifier: Apache-2.0
/* Durations as people type them, in the spelling of queries. Pure. */

/** "10ms", "1.5 s", "250µs" as TraceQL and the API write it; undefined for what is no duration. */
export function normalDuration(text: string): string | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(us|µs|μs|ms|s|m)$/.exec(text.replace(/\s+/g, '').toLowerCase());
  if (!match?.[1] || !match[2]) return undefined;
  const number = match[1].startsWith('.') ? `0${match[1]}` : match[1];
  return number + match[2].replace(/[µμ]s/, 'us');
}

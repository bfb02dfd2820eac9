// SPDX-License-Identifier: Apache-2.0
/*
 * The search within a trace: each word of the text must be in the span somewhere, in its name,
 * service, instance, host, id, status, kind, message, an attribute or an event; "key=value" must be one
 * attribute. Case does not matter.
 */
import type { Attribute, Process, Span } from '../api/wire';

export interface Needle {
  words: string[];
  pairs: { key: string; value: string }[];
}

export function needleOf(text: string): Needle {
  const needle: Needle = { words: [], pairs: [] };
  for (const [, quoted, bare] of text.toLowerCase().matchAll(/"([^"]*)"|(\S+)/g)) {
    const word = quoted ?? bare ?? '';
    const equals = word.indexOf('=');
    if (quoted === undefined && equals > 0) needle.pairs.push({ key: word.slice(0, equals), value: word.slice(equals + 1) });
    else if (word !== '') needle.words.push(word);
  }
  return needle;
}

export const isEmpty = ({ words, pairs }: Needle) => words.length + pairs.length === 0;

const has = (text: string | undefined, word: string) => text !== undefined && text.toLowerCase().includes(word);

const inAttributes = (list: readonly Attribute[] | undefined, word: string) =>
  list?.some(({ key, value }) => has(key, word) || has(String(value), word)) ?? false;

function hasWord(span: Span, process: Process | undefined, word: string): boolean {
  return has(span.name, word) || has(process?.service, word) || has(process?.instance, word) || has(process?.host, word) ||
    span.span_id.startsWith(word) || span.status === word || span.kind === word || has(span.status_message, word) ||
    inAttributes(span.attributes, word) ||
    (span.events?.some(({ name, attributes }) => has(name, word) || inAttributes(attributes, word)) ?? false);
}

const hasPair = (list: readonly Attribute[] | undefined, key: string, value: string) =>
  list?.some((each) => each.key.toLowerCase() === key && has(String(each.value), value)) ?? false;

export function matchesNeedle(span: Span, process: Process | undefined, { words, pairs }: Needle): boolean {
  return words.every((word) => hasWord(span, process, word)) &&
    pairs.every(({ key, value }) => hasPair(span.attributes, key, value) || hasPair(process?.resource, key, value));
}

/** Of sorted places, the next behind (or, by -1, before) `at`; the other end follows the last. -1 if there is none. */
export function nextMatch(found: Int32Array, at: number, by: 1 | -1): number {
  if (found.length === 0) return -1;
  if (by > 0) return found.find((i) => i > at) ?? found[0]!;
  for (let k = found.length - 1; k >= 0; k--) if (found[k]! < at) return found[k]!;
  return found[found.length - 1]!;
}

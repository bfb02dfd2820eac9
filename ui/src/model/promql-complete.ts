// SPDX-License-Identifier: Apache-2.0
/*
 * What could be written at the cursor of a PromQL query, which may be unfinished or wrong
 * anywhere. Pure: names of metrics, labels and values are asked for elsewhere.
 */
import { AGGREGATIONS, FUNCTIONS, KEYWORDS } from './promql-words';

/** What stands in [from, to) would be replaced. */
export type Place = { from: number; to: number; typed: string } & (
  | { kind: 'name' }
  | { kind: 'label'; metric: string }
  | { kind: 'value'; metric: string; label: string }
  | { kind: 'nothing' }
);

export interface Offer {
  text: string;
  /** What it is: "function", a metric's type and help. */
  note: string;
  /** What is inserted, where that is more than the text. */
  insert: string;
}

const WORD = /[A-Za-z0-9_:.]/;
const GROUPERS = /\b(?:by|without|on|ignoring|group_left|group_right)\s*$/;

interface Scan {
  /** The quote of a string that is open at the cursor; '' if none is. */
  quote: string;
  quoteAt: number;
  /** Open brackets up to the cursor, with their places. */
  open: { bracket: string; at: number }[];
}

function scan(text: string): Scan {
  const state: Scan = { quote: '', quoteAt: 0, open: [] };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (state.quote !== '') {
      if (c === '\\' && state.quote !== '`') i++;
      else if (c === state.quote) state.quote = '';
    } else if (c === '"' || c === "'" || c === '`') {
      state.quote = c;
      state.quoteAt = i;
    } else if (c === '(' || c === '{' || c === '[') {
      state.open.push({ bracket: c, at: i });
    } else if (c === ')' || c === '}' || c === ']') {
      state.open.pop();
    } else if (c === '#') {
      const end = text.indexOf('\n', i);
      if (end < 0) return { ...state, quote: '#' };
      i = end;
    }
  }
  return state;
}

const metricBefore = (text: string, at: number) => /([A-Za-z_:][A-Za-z0-9_:]*)\s*$/.exec(text.slice(0, at))?.[1] ?? '';

/** The metric that a grouping is about: the first one behind or before it that is no function. */
function metricNear(text: string, at: number): string {
  const words = (part: string) => [...part.matchAll(/[A-Za-z_:][A-Za-z0-9_:]*(?=\s*[[{])/g)].map(([word]) => word);
  return words(text.slice(at))[0] ?? words(text.slice(0, at)).at(-1) ?? '';
}

export function placeAt(text: string, cursor: number): Place {
  const before = text.slice(0, cursor);
  const { quote, quoteAt, open } = scan(before);
  const inner = open.at(-1);
  const nothing: Place = { kind: 'nothing', from: cursor, to: cursor, typed: '' };
  if (quote !== '') {
    const label = /([A-Za-z_][A-Za-z0-9_]*)\s*(?:=~|!~|!=|=)\s*$/.exec(text.slice(0, quoteAt))?.[1];
    if (inner?.bracket !== '{' || !label) return nothing;
    return { kind: 'value', metric: metricBefore(text, inner.at), label, from: quoteAt + 1, to: cursor, typed: before.slice(quoteAt + 1) };
  }
  let from = cursor;
  while (from > 0 && WORD.test(text[from - 1]!)) from--;
  let to = cursor;
  while (to < text.length && WORD.test(text[to]!)) to++;
  const place = { from, to, typed: before.slice(from) };
  if (inner?.bracket === '[' || /^\d/.test(place.typed)) return nothing;
  if (inner?.bracket === '{') {
    const fresh = /[{,]\s*$/.test(text.slice(0, from));
    return fresh ? { kind: 'label', metric: metricBefore(text, inner.at), ...place } : nothing;
  }
  if (inner?.bracket === '(' && GROUPERS.test(text.slice(0, inner.at))) {
    return { kind: 'label', metric: metricNear(text, inner.at), ...place };
  }
  return { kind: 'name', ...place };
}

const called = (text: string, note: string): Offer => ({ text, note, insert: `${text}(` });
const WORDS: Offer[] = [
  ...AGGREGATIONS.map((text) => called(text, 'aggregation')),
  ...FUNCTIONS.map((text) => called(text, 'function')),
  ...KEYWORDS.map((text) => ({ text, note: 'keyword', insert: text })),
];

export function offersOfNames(metrics: Readonly<Record<string, { type: string; help: string }[]>>): Offer[] {
  const names = Object.entries(metrics).map(([text, [about]]) => ({
    text,
    note: [about?.type, about?.help].filter(Boolean).join(': '),
    insert: /^[A-Za-z_:][A-Za-z0-9_:]*$/.test(text) ? text : `{${JSON.stringify(text)}}`,
  }));
  return [...names, ...WORDS];
}

export const plainOffers = (texts: readonly string[], note: string, quote = ''): Offer[] =>
  texts.map((text) => ({ text, note, insert: quote === '`' || quote === '' ? text : JSON.stringify(text).slice(1, -1) }));

/** Those that fit what was typed, best first: all of it, a beginning, a word's beginning, anywhere. */
export function rank(offers: readonly Offer[], typed: string, most: number): Offer[] {
  const wanted = typed.toLowerCase();
  const score = ({ text }: Offer) => {
    const name = text.toLowerCase();
    const at = name.indexOf(wanted);
    if (at < 0) return Infinity;
    if (at === 0) return name.length === wanted.length ? -1 : 0;
    return /[_:.]/.test(name[at - 1]!) ? 1 : 2;
  };
  return offers
    .map((offer, order) => ({ offer, order, score: score(offer) }))
    .filter((each) => each.score < Infinity)
    .sort((a, b) => a.score - b.score || a.order - b.order)
    .slice(0, most)
    .map(({ offer }) => offer);
}

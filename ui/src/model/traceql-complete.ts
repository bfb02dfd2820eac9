// SPDX-License-Identifier: Apache-2.0
/* What can be completed at a place of a TraceQL text: a field, or a value of one. */

export type CompletionContext =
  | { kind: 'field'; from: number; to: number; word: string }
  | { kind: 'value'; field: string; from: number; to: number; word: string };

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"?|`[^`]*`?|&&|\|\||=~|!~|!=|>=|<=|[{}()=<>!|,]|[^\s{}()=~!<>&|,"`]+|./gs;
const OPERATORS = new Set(['=', '!=', '=~', '!~', '>', '>=', '<', '<=']);
const BEFORE_FIELD = new Set(['{', '(', '&&', '||', '!', ',']);

interface Token {
  text: string;
  from: number;
}

/** The token that the cursor is in or right behind, and those before it. */
function tokensBefore(text: string, cursor: number): { before: Token[]; current: Token } {
  const before: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const token = { text: match[0], from: match.index };
    if (token.from >= cursor) break;
    if (token.text.trim() === '') continue;
    const isWord = !OPERATORS.has(token.text) && !BEFORE_FIELD.has(token.text) && !/^[})|]$/.test(token.text);
    if (isWord && token.from + token.text.length >= cursor) return { before, current: token };
    before.push(token);
  }
  return { before, current: { text: '', from: cursor } };
}

export function contextAt(text: string, cursor: number): CompletionContext | undefined {
  const { before, current } = tokensBefore(text, cursor);
  const last = before.at(-1);
  const inBraces = before.reduce((depth, { text: token }) => depth + (token === '{' ? 1 : token === '}' ? -1 : 0), 0) > 0;
  if (!inBraces || !last) return undefined;
  const place = { from: current.from, to: current.from + current.text.length, word: current.text };
  if (BEFORE_FIELD.has(last.text)) return { kind: 'field', ...place };
  const field = before.at(-2);
  return OPERATORS.has(last.text) && field ? { kind: 'value', field: field.text, ...place } : undefined;
}

/** Those that begin with the word first, then those that have it within. */
export function rankedMatches(all: readonly string[], word: string, most: number): string[] {
  const wanted = word.toLowerCase();
  const begins = all.filter((each) => each.toLowerCase().startsWith(wanted));
  const has = all.filter((each) => !each.toLowerCase().startsWith(wanted) && each.toLowerCase().includes(wanted));
  return [...begins, ...has].slice(0, most);
}

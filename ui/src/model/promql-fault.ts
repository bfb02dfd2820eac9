// SPDX-License-Identifier: Apache-2.0
/* Where a query is wrong, read from the collector's sentence: `… "query": 1:9: found …`. Pure. */

export interface Fault {
  /** The place in the query, [from, to); both are its length where something is missing at the end. */
  from: number;
  to: number;
  line: number;
  column: number;
  sentence: string;
}

const WORD = /^(?:[A-Za-z0-9_:.]+|\S)/;

/** The offset of a column that counts bytes, as the collector does. */
function offsetOf(line: string, column: number): number {
  const bytes = new TextEncoder().encode(line).slice(0, column - 1);
  return new TextDecoder().decode(bytes).length;
}

/** Undefined where the sentence names no place in this query. */
export function faultIn(query: string, message: string): Fault | undefined {
  const match = /(?:^|: )(\d+):(\d+): ([^]*)$/.exec(message);
  if (!match) return undefined;
  const [line, column] = [Number(match[1]), Number(match[2])];
  const lines = query.split('\n');
  if (line < 1 || line > lines.length || column < 1) return undefined;
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const from = Math.min(start + offsetOf(lines[line - 1]!, column), query.length);
  const word = WORD.exec(query.slice(from))?.[0] ?? '';
  return { from, to: from + word.length, line, column, sentence: match[3]! };
}

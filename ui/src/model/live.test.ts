// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { FirehoseLine } from '../api/firehose';
import { lineCutter } from '../api/stream';
import type { InflightSpan } from '../api/wire';
import { EMPTY_LIST, rateOf, withLines } from './firehose-list';
import { openRequests } from './open-requests';

const span = (id: string, parent: string, age: number, trace = 't') => ({ trace_id: trace, span_id: id, parent_id: parent, age_ns: age }) as InflightSpan;

describe('open requests', () => {
  it('are the topmost open spans, with what they wait for', () => {
    const [first, second, ...more] = openRequests([span('a', 'gone', 90), span('b', 'a', 80), span('c', 'b', 70), span('d', 'b', 75), span('b', 'x', 5, 'u')]);
    expect(first).toMatchObject({ span: { span_id: 'a' }, below: 3, waitsFor: { span_id: 'd' } });
    expect(second).toMatchObject({ span: { span_id: 'b', trace_id: 'u' }, below: 0, waitsFor: undefined });
    expect(more).toEqual([]);
  });
  it('survive parents in a circle', () => expect(openRequests([span('a', 'b', 1), span('b', 'a', 1)])).toEqual([]));
});

describe('the list of the firehose', () => {
  const line = (cursor: string) => ({ cursor }) as FirehoseLine;
  const names = (lines: readonly FirehoseLine[]) => lines.map(({ cursor }) => cursor).join('');
  it('has the newest first, and so many', () => {
    const list = withLines(withLines(EMPTY_LIST, [line('a'), line('b')], false, 3), [line('c'), line('d')], false, 3);
    expect([names(list.shown), list.seen]).toEqual(['dcb', 4]);
  });
  it('stands still while it is held, and counts what waits', () => {
    const held = withLines(withLines(EMPTY_LIST, [line('a')], false, 2), [line('b'), line('c'), line('d')], true, 2);
    expect([names(held.shown), names(held.waiting), held.waited]).toEqual(['a', 'dc', 3]);
    const released = withLines(held, [], false, 2);
    expect([names(released.shown), released.waited]).toEqual(['dc', 0]);
  });
  it('tells a rate', () => {
    expect(rateOf([{ ms: 0, seen: 10 }, { ms: 2000, seen: 50 }])).toBe(20);
    expect(rateOf([])).toBe(0);
  });
});

describe('lines of a stream', () => {
  it('are cut wherever its parts end, and the last one needs its end', () => {
    const lines: string[] = [];
    const cut = lineCutter((each) => lines.push(each));
    for (const part of ['{"a"', ':1}\n\n{"b":', '2}\n{"c"']) cut(part);
    expect(lines).toEqual(['{"a":1}', '', '{"b":2}']);
  });
});

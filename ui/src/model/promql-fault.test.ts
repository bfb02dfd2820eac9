// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { faultIn } from './promql-fault';

test('the place is the word at the column', () => {
  expect(faultIn('rate(foo)', 'invalid parameter "query": 1:6: rate takes a range vector here')).toEqual({
    from: 5, to: 8, line: 1, column: 6, sentence: 'rate takes a range vector here',
  });
});

test('what is missing at the end is at the end', () => {
  expect(faultIn('rate(foo', 'invalid parameter "query": 1:9: found the end of the query')).toMatchObject({ from: 8, to: 8 });
});

test('lines are counted, and columns are bytes', () => {
  expect(faultIn('a +\n {x="é"} % b', 'x: 2:13: wrong')).toMatchObject({ from: 15, to: 16, line: 2 });
});

test('a sentence without a place, or with one that is not in the query, is none', () => {
  expect(faultIn('x', 'the query holds too many samples')).toBeUndefined();
  expect(faultIn('x', '7:1: wrong')).toBeUndefined();
});

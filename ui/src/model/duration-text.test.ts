// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { normalDuration } from './duration-text';

describe('durations that people type', () => {
  it.each([['250us', '250us'], ['250 µs', '250us'], ['10MS', '10ms'], ['1.5 s', '1.5s'], ['.5s', '0.5s'], ['2m', '2m']])('%s is %s', (typed, normal) =>
    expect(normalDuration(typed)).toBe(normal),
  );
  it.each(['', '10', 'ms', '1,5s', '-1ms', '1e3ms', '10 parsecs'])('"%s" is none', (typed) => expect(normalDuration(typed)).toBeUndefined());
});

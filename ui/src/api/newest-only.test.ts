// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './error';
import { newestOnly } from './newest-only';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const busy = () => Promise.reject(new ApiError('refused', 'Too busy.', 503));

/** Questions that are answered by hand. */
function byHand() {
  const asked: string[] = [];
  const answers: ((answer: string) => void)[] = [];
  const ask = newestOnly((question: string) => {
    asked.push(question);
    return new Promise<string>((resolve) => answers.push(resolve));
  });
  return { asked, answers, ask };
}

describe('questions of which the newest counts', () => {
  it('go out one at a time, and those in between not at all', async () => {
    const { asked, answers, ask } = byHand();
    const all = ['a', 'b', 'c', 'd'].map(ask);
    expect(asked).toEqual(['a']);
    answers[0]!('A');
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(['a', 'd']);
    answers[1]!('D');
    expect(await Promise.all(all)).toEqual(['A', undefined, undefined, 'D']);
  });
  it('are asked again of a collector that is busy, each time later', async () => {
    const asks = vi.fn<(question: string) => Promise<string>>().mockImplementationOnce(busy).mockImplementationOnce(busy).mockResolvedValue('there');
    const answer = newestOnly(asks)('a');
    await vi.advanceTimersByTimeAsync(499);
    expect(asks).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(asks).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(999);
    expect(asks).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toBe('there');
  });
  it('fail where it stays busy, and at once for another reason; the next is asked', async () => {
    const asks = vi.fn(busy);
    const failed = expect(newestOnly(asks)('a')).rejects.toThrow('Too busy.');
    await vi.advanceTimersByTimeAsync(60_000);
    await failed;
    expect(asks.mock.calls.length).toBeGreaterThan(3);
    const ask = newestOnly((question: string) => (question === 'a' ? Promise.reject(new Error('no')) : Promise.resolve(question)));
    await expect(ask('a')).rejects.toThrow('no');
    expect(await ask('b')).toBe('b');
  });
  it('leave a busy collector for a newer one', async () => {
    const ask = newestOnly((question: string) => (question === 'a' ? busy() : Promise.resolve(question)));
    const old = ask('a');
    await vi.advanceTimersByTimeAsync(10);
    const next = ask('b');
    await vi.advanceTimersByTimeAsync(500);
    expect([await old, await next]).toEqual([undefined, 'b']);
  });
});

// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './error';
import { createPoll } from './poll';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const away = () => Promise.reject(new ApiError('unreachable', 'away'));

describe('a poll', () => {
  it('asks at once and then at its interval', async () => {
    const ask = vi.fn(() => Promise.resolve(ask.mock.calls.length));
    const poll = createPoll(ask, { intervalMs: 1000 });
    await pass(0);
    expect(poll.data.value).toBe(1);
    await pass(2000);
    expect(poll.data.value).toBe(3);
    poll.stop();
    await pass(5000);
    expect(ask).toHaveBeenCalledTimes(3);
  });
  it('keeps the last answer while later ones fail, and recovers', async () => {
    let up = true;
    const poll = createPoll(() => (up ? Promise.resolve('data') : away()), { intervalMs: 1000 });
    await pass(0);
    up = false;
    await pass(1000);
    expect([poll.data.value, poll.error.value?.kind]).toEqual(['data', 'unreachable']);
    up = true;
    await pass(500);
    expect([poll.data.value, poll.error.value]).toEqual(['data', undefined]);
    poll.stop();
  });
  it('goes back to its interval once it has recovered', async () => {
    let up = false;
    const ask = vi.fn(() => (up ? Promise.resolve('data') : away()));
    const poll = createPoll(ask, { intervalMs: 3000 });
    await pass(0);
    up = true;
    await pass(500);
    expect(ask).toHaveBeenCalledTimes(2);
    await pass(2999);
    expect(ask).toHaveBeenCalledTimes(2);
    await pass(1);
    expect(ask).toHaveBeenCalledTimes(3);
    poll.stop();
  });
  it('waits longer between retries, up to a limit', async () => {
    const ask = vi.fn(away);
    const poll = createPoll(ask, { intervalMs: 100, longestRetryMs: 2000 });
    await pass(0);
    await pass(500 + 1000 + 2000 + 2000);
    expect(ask).toHaveBeenCalledTimes(5);
    poll.stop();
  });
  it('rests while paused, but answers a request to refresh', async () => {
    const ask = vi.fn(() => Promise.resolve(1));
    const poll = createPoll(ask, { intervalMs: 1000, paused: true });
    await pass(5000);
    expect(ask).toHaveBeenCalledTimes(1);
    poll.refresh();
    await pass(0);
    expect(ask).toHaveBeenCalledTimes(2);
    poll.pause(false);
    await pass(1000);
    expect(ask.mock.calls.length).toBeGreaterThan(2);
    poll.stop();
  });
  it('does not show an answer that comes after a newer request', async () => {
    const answers: ((value: string) => void)[] = [];
    const poll = createPoll(() => new Promise<string>((resolve) => answers.push(resolve)), { intervalMs: 1000 });
    poll.refresh();
    answers[1]?.('new');
    await pass(0);
    answers[0]?.('old');
    await pass(0);
    expect(poll.data.value).toBe('new');
    poll.stop();
  });
});

// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it, vi } from 'vitest';
import { getJson, tracePath, withQuery } from './client';
import { ApiError } from './error';

const answer = (body: string, status = 200) => new Response(body, { status });
const serve = (reply: (url: string, init: RequestInit) => Promise<Response>) => {
  const fetched = vi.fn(reply);
  vi.stubGlobal('fetch', fetched);
  return fetched;
};
const failure = (call: Promise<unknown>): Promise<ApiError> =>
  call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as ApiError,
  );

/** As fetch does: never answers, and rejects once aborted. */
const hang = (_url: string, init: RequestInit) =>
  new Promise<Response>((_resolve, reject) => {
    init.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  });

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a call', () => {
  it('gives the answer', async () => {
    serve(() => Promise.resolve(answer('{"a":1}')));
    expect(await getJson('/x')).toEqual({ a: 1 });
  });
  it('sends the token only where there is one', async () => {
    const fetched = serve(() => Promise.resolve(answer('{}')));
    await getJson('/x');
    await getJson('/x', { token: 'secret' });
    const sent = fetched.mock.calls.map(([, init]) => (init.headers as Record<string, string>)['Authorization']);
    expect(sent).toEqual([undefined, 'Bearer secret']);
  });
  it('leaves out parameters without a value and escapes the rest', () => {
    expect(withQuery('/api/v1/traces', { service: 'a&b', operation: '', limit: 50, start: undefined })).toBe('/api/v1/traces?service=a%26b&limit=50');
    expect(withQuery('/x', {})).toBe('/x');
    expect(tracePath('../x')).toBe('/api/v1/traces/..%2Fx');
  });
});

describe('a call that fails', () => {
  it('carries the sentence of the collector', async () => {
    serve(() => Promise.resolve(answer('{"error":"limit must be 1 to 1000"}', 400)));
    expect(await failure(getJson('/x'))).toMatchObject({ kind: 'refused', status: 400, message: 'limit must be 1 to 1000' });
  });
  it('has a sentence of its own where the collector sent none', async () => {
    serve(() => Promise.resolve(answer('<h1>Bad gateway</h1>', 502)));
    expect(await failure(getJson('/x'))).toMatchObject({ kind: 'refused', status: 502, message: 'The collector answered 502.' });
  });
  it('asks for a token on 401', async () => {
    serve(() => Promise.resolve(answer('{"error":"send a token"}', 401)));
    expect(await failure(getJson('/x'))).toMatchObject({ kind: 'unauthorized' });
  });
  it('says that the collector is away', async () => {
    serve(() => Promise.reject(new TypeError('Failed to fetch')));
    expect(await failure(getJson('/x'))).toMatchObject({ kind: 'unreachable' });
  });
  it('says that an answer is no JSON', async () => {
    serve(() => Promise.resolve(answer('{"a":')));
    expect(await failure(getJson('/x'))).toMatchObject({ kind: 'malformed' });
  });
  it('gives up on a collector that does not answer', async () => {
    vi.useFakeTimers();
    serve(hang);
    const failed = failure(getJson('/x', { timeoutMs: 1000 }));
    await vi.advanceTimersByTimeAsync(1000);
    expect(await failed).toMatchObject({ kind: 'unreachable', message: 'The collector did not answer in time.' });
  });
  it('rejects as aborted when it was aborted, before or after', async () => {
    serve(hang);
    const control = new AbortController();
    const failed = failure(getJson('/x', { signal: control.signal }));
    control.abort();
    expect((await failed).name).toBe('AbortError');
    serve((_url, init) => (init.signal?.aborted ? Promise.reject(new DOMException('', 'AbortError')) : Promise.resolve(answer('{}'))));
    expect((await failure(getJson('/x', { signal: control.signal }))).name).toBe('AbortError');
  });
});

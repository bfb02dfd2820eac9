// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LayoutRequest } from '../model/graph-layout';

const REQUEST: LayoutRequest = { nodes: [], edges: [], labelled: false };
const LAYOUT = { nodes: {}, edges: {}, width: 1, height: 1 };

class Spoken {
  static all: Spoken[] = [];
  onmessage?: (event: { data: unknown }) => void;
  onerror?: () => void;
  asked: number[] = [];
  constructor() {
    Spoken.all.push(this);
  }
  postMessage({ id }: { id: number }) {
    this.asked.push(id);
  }
  terminate() {}
}

const newest = () => Spoken.all.at(-1)!;

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  Spoken.all = [];
  vi.stubGlobal('Worker', Spoken);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const asking = async () => {
  const { layOut } = await import('./layout');
  return (signal = new AbortController().signal) => layOut(REQUEST, signal);
};

describe('a layout', () => {
  it('waits for a script that cannot be fetched, and is asked for once when it is there', async () => {
    const ask = await asking();
    const first = ask();
    newest().onerror!();
    const second = ask();
    expect(Spoken.all.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(newest().asked).toEqual([1, 2]);
    for (const id of [1, 2]) newest().onmessage!({ data: { id, layout: LAYOUT } });
    expect(await Promise.all([first, second])).toEqual([LAYOUT, LAYOUT]);
  });
  it('is not asked for again where nobody waits for it', async () => {
    const ask = await asking();
    const control = new AbortController();
    const gone = expect(ask(control.signal)).rejects.toThrow('aborted');
    control.abort();
    await gone;
    newest().onerror!();
    await vi.advanceTimersByTimeAsync(5000);
    expect(Spoken.all.length).toBe(1);
  });
  it('fails where the worker does after it answered, or says so', async () => {
    const ask = await asking();
    const one = expect(ask()).rejects.toThrow('lays graphs out');
    newest().onmessage!({ data: { id: 1 } });
    await one;
    const two = expect(ask()).rejects.toThrow('lays graphs out');
    newest().onerror!();
    await two;
    await vi.advanceTimersByTimeAsync(5000);
    expect(Spoken.all.length).toBe(1);
    void ask();
    expect(newest().asked).toEqual([3]);
  });
});

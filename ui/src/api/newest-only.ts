// SPDX-License-Identifier: Apache-2.0
/*
 * Costly questions of which only the newest counts: one is asked at a time, those that a newer one overtakes while
 * they wait are never asked, and a collector that is too busy (503) is asked again, each time later.
 */
import { ApiError } from './error';

const FIRST_MS = 500;
const MOST_MS = 8000;

const isBusy = (error: unknown) => error instanceof ApiError && error.status === 503;
const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

interface Asked<Q, A> {
  question: Q;
  resolve(answer: A | undefined): void;
  reject(error: unknown): void;
}

/** `ask` in turn: undefined for a question that was overtaken. */
export function newestOnly<Q, A>(ask: (question: Q) => Promise<A>): (question: Q) => Promise<A | undefined> {
  const waiting: Asked<Q, A>[] = [];
  let running = false;
  async function one(now: Asked<Q, A>): Promise<void> {
    for (let wait = FIRST_MS; ; wait *= 2) {
      try {
        return now.resolve(await ask(now.question));
      } catch (error) {
        if (!isBusy(error) || wait > MOST_MS) return now.reject(error);
      }
      await pause(wait);
      if (waiting.length > 0) return now.resolve(undefined);
    }
  }
  async function all(): Promise<void> {
    running = true;
    for (let now = waiting.pop(); now; now = waiting.pop()) await one(now);
    running = false;
  }
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.pop()?.resolve(undefined);
      waiting.push({ question, resolve, reject });
      if (!running) void all();
    });
}

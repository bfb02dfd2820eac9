// SPDX-License-Identifier: Apache-2.0
/*
 * What the page knows of its collector beyond any one view: the token that a person
 * gave (kept for this tab only), and the collector's clock, against which "3 s ago" is
 * reckoned, since a laptop's clock may be minutes off.
 */
import { signal } from '@preact/signals';
import { unixMs } from '../model/format';

const TOKEN_KEY = 'weft.token';

function stored(): string {
  try {
    return sessionStorage.getItem(TOKEN_KEY) ?? '';
  } catch {
    return '';
  }
}

export const token = signal(stored());

export function setToken(text: string): void {
  token.value = text;
  try {
    sessionStorage.setItem(TOKEN_KEY, text);
  } catch {
    // Storage is off: the token lives as long as this page does.
  }
}

const clockOffsetMs = signal(0);

/** An answer that arrived just now said that the collector's time is `unixNs`. */
export function noteServerTime(unixNs: string): void {
  const offset = unixMs(unixNs) - Date.now();
  /* Smaller differences are the way of the answer, not a clock; following them would jitter. */
  if (Number.isFinite(offset) && Math.abs(offset - clockOffsetMs.peek()) > 500) {
    clockOffsetMs.value = offset;
  }
}

export const serverNowMs = () => Date.now() + clockOffsetMs.peek();

/** The collector's time, renewed each second: what reads it follows the clock. */
export const clock = signal(serverNowMs());

/** Call once, at start. */
export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) clock.value = serverNowMs();
  }, 1000);
}

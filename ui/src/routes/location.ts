// SPDX-License-Identifier: Apache-2.0
/*
 * The current address as a signal, over the browser's history. Links are plain <a href>:
 * one listener turns clicks on those that stay in the page into navigation, and leaves
 * new tabs, downloads and other hosts to the browser.
 */
import { computed, signal } from '@preact/signals';
import { rangeFromQuery, rangeToQuery, windowOf, type TimeRange, type Window } from '../model/time-range';
import { movedTo } from './old-traces';
import { parseRoute } from './routes';

/* An address that has moved is not kept in the history. */
function arrived(): URL {
  const url = new URL(window.location.href);
  const next = movedTo(url);
  if (next) history.replaceState(null, '', next);
  return next ?? url;
}

const current = signal(arrived());

export const route = computed(() => parseRoute(current.value));

/* The time range belongs to all pages: it lies in each address, beside what is the page's own. */
const RANGE_KEYS = ['range', 'from', 'to'] as const;
const ZONE_KEY = 'tz';

export const timeRange = computed(() => rangeFromQuery(current.value.searchParams));
/** Whether times are shown in UTC. */
export const utc = computed(() => current.value.searchParams.get(ZONE_KEY) === 'utc');

export const windowNow = (nowMs: number): Window => windowOf(timeRange.value, nowMs);

/* The zone goes wherever the reader goes. */
function keepZone(url: URL): void {
  const zone = current.value.searchParams.get(ZONE_KEY);
  if (zone !== null && url.origin === window.location.origin && !url.searchParams.has(ZONE_KEY)) url.searchParams.set(ZONE_KEY, zone);
}

/** `href` with the present time range, where it says none itself, and the zone. */
export function inRange(href: string): string {
  const url = new URL(href, window.location.href);
  if (!RANGE_KEYS.some((key) => url.searchParams.has(key))) {
    for (const key of RANGE_KEYS) {
      const value = current.value.searchParams.get(key);
      if (value !== null) url.searchParams.set(key, value);
    }
  }
  keepZone(url);
  return url.pathname + url.search;
}

/** The present address with some parameters set anew; undefined, '' or an empty list removes one. */
export function hrefWith(params: Record<string, string | readonly string[] | undefined>): string {
  const url = new URL(current.value);
  for (const [key, value] of Object.entries(params)) {
    url.searchParams.delete(key);
    for (const each of typeof value === 'string' ? [value] : (value ?? [])) if (each) url.searchParams.append(key, each);
  }
  return url.pathname + url.search;
}

export function setTimeRange(range: TimeRange): void {
  const url = new URL(current.value);
  rangeToQuery(range, url.searchParams);
  navigate(url.href);
}

export const setUtc = (on: boolean) => go(new URL(hrefWith({ [ZONE_KEY]: on ? 'utc' : undefined }), window.location.href), true);

/** Go to `href`, in the zone that is chosen. With `replace` the present entry of the history changes instead of a new one. */
export function navigate(href: string, { replace = false } = {}): void {
  const url = new URL(href, window.location.href);
  const next = movedTo(url) ?? url;
  keepZone(next);
  go(next, replace);
}

function go(next: URL, replace: boolean): void {
  if (next.href === current.value.href) return;
  const elsewhere = next.pathname !== current.value.pathname;
  if (replace) history.replaceState(null, '', next);
  else history.pushState(null, '', next);
  current.value = next;
  if (elsewhere) window.scrollTo(0, 0);
}

function staysHere(event: MouseEvent, link: HTMLAnchorElement): boolean {
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  return plain && !event.defaultPrevented && link.origin === window.location.origin &&
    link.target === '' && !link.hasAttribute('download') && !link.pathname.startsWith('/api/');
}

/** Call once, at start. */
export function watchLocation(): void {
  window.addEventListener('popstate', () => {
    current.value = arrived();
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!(link instanceof HTMLAnchorElement) || !link.hasAttribute('href')) return;
    if (!staysHere(event, link)) return;
    event.preventDefault();
    navigate(link.href);
  });
}

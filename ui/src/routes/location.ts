// SPDX-License-Identifier: Apache-2.0
/*
 * The current address as a signal, over the browser's history. Links are plain <a href>:
 * one listener turns clicks on those that stay in the page into navigation, and leaves
 * new tabs, downloads and other hosts to the browser.
 */
import { computed, signal } from '@preact/signals';
import { parseRoute } from './routes';

const current = signal(new URL(window.location.href));

export const route = computed(() => parseRoute(current.value));

/** Go to `href`. With `replace` the present entry of the history changes instead of a new one. */
export function navigate(href: string, { replace = false } = {}): void {
  const next = new URL(href, window.location.href);
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
    current.value = new URL(window.location.href);
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!(link instanceof HTMLAnchorElement) || !link.hasAttribute('href')) return;
    if (!staysHere(event, link)) return;
    event.preventDefault();
    navigate(link.href);
  });
}

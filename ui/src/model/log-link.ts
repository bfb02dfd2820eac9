// SPDX-License-Identifier: Apache-2.0
/*
 * The link from a span to its logs: an address with places in braces, which the reader's own
 * system of logs understands.
 */

export const LOG_PLACES = ['trace_id', 'span_id', 'service', 'host', 'instance', 'from_ms', 'to_ms', 'from_iso', 'to_iso'] as const;
export type LogPlace = (typeof LOG_PLACES)[number];

/** What is wrong with a template, in a sentence; '' if nothing is. */
export function logTemplateFault(template: string): string {
  if (!/^https?:\/\//i.test(template)) return 'It must begin with http:// or https://.';
  const unknown = [...template.matchAll(/\{([^{}]*)\}/g)].find(([, place]) => !(LOG_PLACES as readonly string[]).includes(place ?? ''));
  if (unknown) return `There is no ${unknown[0]}.`;
  /* A span's own text must not choose where the reader is sent; a browser reads it without these blanks, however many slashes there are. */
  if (/^https?:[/\\]*[^/\\?#]*\{/i.test(template.replace(/[\t\r\n]/g, ''))) return 'Its host must not have a place in braces.';
  return URL.canParse(template.replace(/[{}]/g, '')) ? '' : 'It is no address.';
}

/** The address for one span; undefined for a template that is none. */
export function logHref(template: string, values: Record<LogPlace, string>): string | undefined {
  if (logTemplateFault(template) !== '') return undefined;
  return template.replace(/\{([a-z_]+)\}/g, (_, place: LogPlace) => encodeURIComponent(values[place]));
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The page's addresses, both ways. The URL is the whole state of the page: whoever opens
 * a copied address sees what its sender saw. Pure; location.ts holds the current one.
 */
import { EMPTY_FORM, printForm } from '../model/traceql';

/** A part of a trace on its time axis, in ns from the trace's start. */
export interface Zoom {
  fromNs: number;
  toNs: number;
}

export const TRACE_TABS = ['waterfall', 'flame', 'sums', 'diff'] as const;
export type TraceTab = (typeof TRACE_TABS)[number];

/** How a trace is looked at. */
export interface TraceLook {
  tab: TraceTab;
  /** What is searched for in it. */
  find: string;
  /** Whether the critical path is shown. */
  path: boolean;
  /** The trace that it is compared with. */
  other: string;
}

export const PLAIN_LOOK: TraceLook = { tab: 'waterfall', find: '', path: true, other: '' };

/** What of the present is shown: requests, all open spans, or spans as they end. */
export const LIVE_SHOWS = ['requests', 'spans', 'firehose'] as const;
export type LiveShow = (typeof LIVE_SHOWS)[number];

/** Pages whose state is their own, in the order of the bar: `id` is the rest of the path, `query` what follows it. */
export const PAGES = ['overview', 'search', 'graph', 'dashboards', 'deploys', 'services', 'caches'] as const;
export type Page = (typeof PAGES)[number];

export type Route =
  | { view: Page; id: string; query: URLSearchParams }
  | { view: 'trace'; traceId: string; spanId: string; zoom: Zoom | undefined; look: TraceLook }
  | { view: 'inflight'; service: string; show: LiveShow; q: string }
  | { view: 'status' }
  | { view: 'unknown'; path: string };

const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;

export function parseRoute(url: URL): Route {
  const path = url.pathname.replace(/\/+$/, '') || '/';
  const query = url.searchParams;
  const [, first = '', rest = ''] = /^\/([a-z]+)(?:\/(.+))?$/.exec(path) ?? [];
  const page = PAGES.find((each) => each === first);
  if (page !== undefined) return { view: page, id: decoded(rest), query };
  if (path === '/' || path === '/index.html') return { view: 'overview', id: '', query };
  if (path === '/inflight') {
    const show = LIVE_SHOWS.find((each) => each === query.get('show')) ?? 'requests';
    return { view: 'inflight', service: query.get('service') ?? '', show, q: query.get('q') ?? '' };
  }
  if (path === '/status') return { view: 'status' };
  const traceId = path.startsWith('/trace/') ? traceIdIn(path.slice('/trace/'.length)) : undefined;
  if (traceId === undefined) return { view: 'unknown', path };
  const spanId = query.get('span') ?? '';
  return {
    view: 'trace',
    traceId,
    spanId: SPAN_ID.test(spanId) ? spanId : '',
    zoom: parseZoom(query.get('zoom')),
    look: parseLook(query),
  };
}

function parseLook(query: URLSearchParams): TraceLook {
  return {
    tab: TRACE_TABS.find((tab) => tab === query.get('tab')) ?? 'waterfall',
    find: query.get('find') ?? '',
    path: query.get('path') !== 'off',
    other: traceIdIn(query.get('with') ?? '') ?? '',
  };
}

/* What somebody mangled stays as it is, and is then not found. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a page; parameters without a value are left out. */
export function pageHref(page: Page, id = '', params: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) if (value) query.set(key, value);
  const path = page === 'overview' ? '/' : `/${page}${id === '' ? '' : `/${encodeURIComponent(id)}`}`;
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

function parseZoom(text: string | null): Zoom | undefined {
  const match = /^(-?\d{1,18})\.\.(-?\d{1,18})$/.exec(text ?? '');
  if (!match) return undefined;
  const fromNs = Number(match[1]);
  const toNs = Number(match[2]);
  return toNs > fromNs ? { fromNs, toNs } : undefined;
}

/** A search for the traces that have a span of this service, operation, version and status. */
export function searchHref(of: { service?: string | undefined; operation?: string | undefined; version?: string | undefined; status?: string | undefined }): string {
  const form = { ...EMPTY_FORM, service: of.service ?? '', operation: of.operation ?? '', version: of.version ?? '', status: of.status ?? '' };
  const q = printForm(form);
  return q === '{ }' ? '/search' : `/search?${new URLSearchParams({ q })}`;
}

/** The newest traces, followed. */
export const recentHref = () => pageHref('search', '', { live: 'on' });

export function traceHref(traceId: string, spanId = '', zoom?: Zoom, look: TraceLook = PLAIN_LOOK): string {
  const query = new URLSearchParams();
  if (look.tab !== 'waterfall') query.set('tab', look.tab);
  if (look.other) query.set('with', look.other);
  if (look.find) query.set('find', look.find);
  if (!look.path) query.set('path', 'off');
  if (spanId) query.set('span', spanId);
  if (zoom) query.set('zoom', `${Math.floor(zoom.fromNs)}..${Math.ceil(zoom.toNs)}`);
  const text = query.toString();
  return text === '' ? `/trace/${traceId}` : `/trace/${traceId}?${text}`;
}

export function inflightHref(service = '', show: LiveShow = 'requests', q = ''): string {
  const query = new URLSearchParams();
  if (show !== 'requests') query.set('show', show);
  if (service) query.set('service', service);
  if (q) query.set('q', q);
  const text = query.toString();
  return text === '' ? '/inflight' : `/inflight?${text}`;
}

/**
 * The trace id in what somebody pasted: bare, in capitals, with dashes, in quotes, or within
 * a traceparent header or an address of this page. Undefined if there is none.
 */
export function traceIdIn(pasted: string): string | undefined {
  const text = pasted.trim().toLowerCase();
  const bare = text.replace(/[-"'\s]/g, '');
  if (TRACE_ID.test(bare)) return bare;
  return /(?:^|[^0-9a-f])([0-9a-f]{32})(?:$|[^0-9a-f])/.exec(text)?.[1];
}

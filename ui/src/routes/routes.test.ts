// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { inflightHref, parseRoute, PLAIN_LOOK, searchHref, traceHref, traceIdIn } from './routes';

const at = (href: string) => parseRoute(new URL(href, 'http://weft'));
const TRACE = '018f3c0000000000000000000000beef';

describe('addresses', () => {
  it('open the overview at the root', () => expect(at('/?range=5m')).toMatchObject({ view: 'overview', id: '' }));
  it('hold a trace, its span and the part in view', () => {
    const href = traceHref(TRACE, '00000000000000a1', { fromNs: -10.5, toNs: 2000.2 });
    expect(at(href)).toEqual({ view: 'trace', traceId: TRACE, spanId: '00000000000000a1', zoom: { fromNs: -11, toNs: 2001 }, look: PLAIN_LOOK });
  });
  it('ignore a span or a part that is none', () => {
    expect(at(`/trace/${TRACE}?span=<script>&zoom=9..1`)).toEqual({ view: 'trace', traceId: TRACE, spanId: '', zoom: undefined, look: PLAIN_LOOK });
  });
  it('hold how a trace is looked at', () => {
    const look = { tab: 'diff' as const, find: 'user=7 "a b"', path: false, other: TRACE };
    expect(at(traceHref(TRACE, '', undefined, look))).toMatchObject({ view: 'trace', look });
  });
  it('know the other views', () => {
    expect(at('/status/')).toEqual({ view: 'status' });
    expect(at(inflightHref('a&b'))).toEqual({ view: 'inflight', service: 'a&b', show: 'requests', q: '' });
    expect(at(inflightHref('', 'firehose', '{ status = error }'))).toEqual({ view: 'inflight', service: '', show: 'firehose', q: '{ status = error }' });
  });
  it('say so when there is nothing', () => {
    expect(at('/trace/xyz')).toEqual({ view: 'unknown', path: '/trace/xyz' });
    expect(at('/nowhere')).toEqual({ view: 'unknown', path: '/nowhere' });
  });
});

describe('a pasted trace id', () => {
  it.each([
    TRACE,
    `  ${TRACE.toUpperCase()}\n`,
    `"${TRACE}"`,
    '018f3c00-0000-0000-0000-00000000beef',
    `00-${TRACE}-00f067aa0ba902b7-01`,
    `http://weft:4040/trace/${TRACE}?span=1`,
    `trace_id=${TRACE} level=error`,
  ])('is found in %j', (text) => expect(traceIdIn(text)).toBe(TRACE));
  it.each(['', 'abc', TRACE.slice(1), `${TRACE}0`, TRACE.replace('b', 'g')])('is not in %j', (text) => expect(traceIdIn(text)).toBeUndefined());
});

describe('links into the search', () => {
  it('have a query that the form shows', () => {
    expect(searchHref({ service: 'cell', version: '1.5.0' })).toBe(`/search?q=${encodeURIComponent('{ resource.service.name = "cell" && resource.service.version = "1.5.0" }').replace(/%20/g, '+')}`);
    expect(searchHref({})).toBe('/search');
  });
});

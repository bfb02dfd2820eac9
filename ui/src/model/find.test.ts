// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { Span } from '../api/wire';
import { isEmpty, matchesNeedle, needleOf, nextMatch } from './find';
import { logHref, logTemplateFault } from './log-link';

const SPAN: Span = {
  span_id: '00000000000000a1', parent_id: '', process: 0, name: 'GET /Dashboard', kind: 'server', status: 'error', start_offset_ns: 0, duration_ns: 1,
  attributes: [{ key: 'User.Id', type: 'int', value: 4711 }], events: [{ name: 'retry', offset_ns: 1 }],
};
const matches = (text: string) => matchesNeedle(SPAN, { service: 'web', host: 'box7', resource: [{ key: 'zone', type: 'string', value: 'b' }] }, needleOf(text));

describe('the search in a trace', () => {
  it.each(['dashboard', 'get web', 'BOX7', 'error', 'user.id=471', 'zone=b', 'retry', '"get /dash"', '4711', '00000000000000a1'])('finds %j', (text) => expect(matches(text)).toBe(true));
  it.each(['cell', 'user.id=9', 'dashboard cell', '"dashboard get"', 'id=4711'])('does not find %j', (text) => expect(matches(text)).toBe(false));
  it('is empty without a word', () => expect(isEmpty(needleOf('  '))).toBe(true));
  it('goes on from the cursor and around', () => {
    const found = Int32Array.of(3, 7);
    expect([nextMatch(found, 3, 1), nextMatch(found, 7, 1), nextMatch(found, 3, -1), nextMatch(found, 9, -1), nextMatch(new Int32Array(0), 1, 1)]).toEqual([7, 3, 7, 7, -1]);
  });
});

describe('a link to logs', () => {
  const VALUES = { trace_id: 'ab', span_id: 'cd', service: 'a&b', host: 'h', instance: 'i', from_ms: '1', to_ms: '2', from_iso: 'x', to_iso: 'y' };
  it('fills its places in after the host', () => expect(logHref('https://l:8080?q={host}#{service}', VALUES)).toBe('https://l:8080?q=h#a%26b'));
  it('fills its places in, escaped', () => expect(logHref('https://l/?q={trace_id}+{service}', VALUES)).toBe('https://l/?q=ab+a%26b'));
  it.each(['javascript:alert(1)', 'logs/{trace_id}', 'https://l/{user}', 'https://', 'https://{service}/x', 'HTTPS://{host}', 'https://l.{service}?q', 'https://u:{service}@l/', 'https:///{service}/', 'https://\\{service}', 'https://\t/{service}'])('refuses %j', (template) => {
    expect(logTemplateFault(template)).not.toBe('');
    expect(logHref(template, VALUES)).toBeUndefined();
  });
});

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { EMPTY_FORM, parseForm, printForm, withDurations, type QueryForm } from './traceql';
import { contextAt } from './traceql-complete';

const form = (part: Partial<QueryForm>): QueryForm => ({ ...EMPTY_FORM, ...part });

describe('a query and its form', () => {
  it.each<[string, Partial<QueryForm>]>([
    ['{ }', {}],
    ['{ resource.service.name = "web" && name = "GET /" }', { service: 'web', operation: 'GET /' }],
    ['{ status = died }', { status: 'died' }],
    ['{ duration >= 10ms && duration < 1.5s }', { min: '10ms', max: '1.5s', maxOpen: true }],
    ['{ span.http.status_code >= 500 }', { attributes: [{ field: 'span.http.status_code', op: '>=', value: '500' }] }],
    ['{ .user = "a b" && kind = server }', { attributes: [{ field: '.user', op: '=', value: 'a b' }, { field: 'kind', op: '=', value: 'server' }] }],
    ['{ span.code = "500" }', { attributes: [{ field: 'span.code', op: '=', value: '"500"' }] }],
    ['{ span."a b" != nil }', { attributes: [{ field: 'span."a b"', op: '!=', value: 'nil' }] }],
    ['{ name = "a" && (span.a = 1 || span.b = 2) && !span.c }', { operation: 'a', rest: ['(span.a = 1 || span.b = 2)', '!span.c'] }],
    ['{ status = error } | count() > 2', { status: 'error', tail: '| count() > 2' }],
    ['{ name = "a && } \\" {" }', { operation: 'a && } " {' }],
  ])('%s both ways', (text, part) => {
    expect(parseForm(text)).toEqual(form(part));
    expect(printForm(form(part))).toBe(text);
  });
  it.each(['{ a } >> { b }', '{ span.a = 1 || span.b = 2 }', '{ name = "a" ', 'name = "a"', '{ } | { status = error }', '({ })', '{ && }'])('has no form: %s', (text) =>
    expect(parseForm(text)).toBeUndefined());
  it('keeps what stands twice', () => expect(parseForm('{ duration > 1s && duration > 2s }')).toEqual(form({ min: '1s', minOpen: true, rest: ['duration > 2s'] })));
  it('leaves conditions out that are not finished, and gives keys a scope', () => {
    const attributes = [{ field: 'key', op: '=' as const, value: 'x' }, { field: '', op: '=' as const, value: 'x' }, { field: 'a b', op: '=' as const, value: '1' }];
    expect(printForm(form({ attributes }))).toBe('{ .key = "x" && ."a b" = 1 }');
  });
  it('is narrowed to durations by a stage of its own', () =>
    expect(withDurations('{ a } >> { b }', 0.001, 0.002)).toBe('{ a } >> { b } | { duration > 1000000ns && duration <= 2000000ns }'));
});

describe('what can be completed', () => {
  const at = (marked: string) => contextAt(marked.replace('¦', ''), marked.indexOf('¦'));
  it('a field, where one can stand', () => {
    expect(at('{ span.ht¦')).toEqual({ kind: 'field', from: 2, to: 9, word: 'span.ht' });
    expect(at('{ ¦ }')).toMatchObject({ kind: 'field', word: '' });
    expect(at('{ name = "a" && sta¦tus }')).toMatchObject({ kind: 'field', word: 'status' });
  });
  it('a value, behind a field and an operator', () => {
    expect(at('{ span.http.method = ¦')).toEqual({ kind: 'value', field: 'span.http.method', from: 21, to: 21, word: '' });
    expect(at('{ name = "GE¦')).toMatchObject({ kind: 'value', field: 'name', word: '"GE' });
    expect(at('{ status!=er¦')).toMatchObject({ kind: 'value', field: 'status', word: 'er' });
  });
  it('nothing outside of braces or behind a value', () => {
    expect(at('¦')).toBeUndefined();
    expect(at('{ name = "a" } ¦')).toBeUndefined();
    expect(at('{ name = "a" ¦')).toBeUndefined();
  });
});

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
/* The fixture writes what the collector does. */
import { traceColumns } from '../../../tests/ui/fixture-columns.mjs';
import type { Span } from '../api/wire';
import { buildColumns } from '../testing/columns-of';
import { decodeTrace } from './columns-wire';

const id = (n: number) => (n + 1).toString(16).padStart(16, '0');

function span(n: number, parent: number | '', more: Partial<Span> = {}): Span {
  return {
    span_id: id(n), parent_id: parent === '' ? '' : id(parent), process: n % 2, name: `naïve ${n % 7}`, kind: 'client', status: 'unset',
    start_offset_ns: n * 10, duration_ns: 5, attributes: [], events: [], links: [], dropped_attributes: 0, flags: [], ...more,
  } as Span;
}

const bytesOf = (spans: Span[]): ArrayBuffer => {
  const bytes = traceColumns({ trace_id: 'a', span_count: 0, processes: [], spans });
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
};
const decoded = (spans: Span[]) => decodeTrace<{ span_count: number; trace_id: string }>(bytesOf(spans));

describe('columns from the wire', () => {
  it('are those that the spans themselves make', () => {
    const spans = [
      span(0, ''), span(1, 0, { status: 'error', events: [{ name: 'e', offset_ns: 3, attributes: [] }] as never }), span(2, 1, { status: 'died', kind: 'server' }),
      span(3, 0, { flags: ['observed', 'remote_parent'] }), span(4, 99), span(5, '', { events: [{ name: 'f', offset_ns: 1, attributes: [] }] as never }),
    ];
    const { head, columns } = decoded(spans);
    expect(head.trace_id).toBe('a');
    expect(head.span_count).toBe(6);
    expect(columns).toEqual(buildColumns(spans).columns);
  });

  it('come in as many blocks as there are', () => {
    const spans = Array.from({ length: 20_000 }, (_, n) => span(n, n === 0 ? '' : Math.floor((n - 1) / 3)));
    expect(decoded(spans).columns).toEqual(buildColumns(spans).columns);
  });

  it('are of a trace without spans, too', () => {
    expect(decoded([]).columns.count).toBe(0);
  });

  it('are refused where the bytes are cut or are others', () => {
    const whole = bytesOf([span(0, ''), span(1, 0)]);
    for (const length of [0, 4, 12, 40, whole.byteLength - 8]) expect(() => decodeTrace(whole.slice(0, length))).toThrow();
    const wrong = whole.slice(0);
    new Uint8Array(wrong)[0] = 0;
    expect(() => decodeTrace(wrong)).toThrow('no columns');
  });
});

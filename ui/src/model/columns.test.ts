// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { buildColumns } from '../testing/columns-of';
import type { Span } from '../api/wire';
import { countServices, findSpan, FLAG, INSIDE, spanIdAt, STATUS } from './columns';

const id = (n: number) => n.toString(16).padStart(16, '0');

function span(n: number, parent: number | '', start: number, more: Partial<Span> = {}): Span {
  return {
    span_id: id(n),
    parent_id: parent === '' ? '' : id(parent),
    process: 0,
    name: `op ${n}`,
    kind: 'internal',
    status: 'unset',
    start_offset_ns: start,
    duration_ns: 10,
    ...more,
  };
}

/** The tree as indented numbers. */
function shape(spans: Span[]): string[] {
  const { columns, wireIndex } = buildColumns(spans);
  return [...wireIndex].map((at, i) => '  '.repeat(columns.depth[i]!) + Number.parseInt(spans[at]!.span_id, 16));
}

describe('the tree', () => {
  it('stands in preorder, siblings by start', () => {
    expect(shape([span(1, '', 0), span(2, 1, 30), span(3, 1, 10), span(4, 3, 12), span(5, 2, 31)])).toEqual([
      '1', '  3', '    4', '  2', '    5',
    ]);
  });
  it('does not need parents to come first', () => {
    expect(shape([span(3, 2, 2), span(2, 1, 1), span(1, '', 0)])).toEqual(['1', '  2', '    3']);
  });
  it('keeps orphans and second roots at the top level', () => {
    const spans = [span(1, '', 0), span(2, 99, 5), span(3, 2, 6), span(4, '', 7)];
    expect(shape(spans)).toEqual(['1', '2', '  3', '4']);
    const { columns } = buildColumns(spans);
    expect([...columns.flags].map((flags) => flags & FLAG.orphan)).toEqual([0, FLAG.orphan, 0, 0]);
  });
  it('gives both spans of one id a place, and children to the first', () => {
    expect(shape([span(1, '', 0), span(2, 1, 1), span(2, 1, 2), span(3, 2, 3)])).toEqual(['1', '  2', '    3', '  2']);
  });
  it('breaks a cycle instead of losing it', () => {
    expect(shape([span(1, '', 0), span(2, 3, 1), span(3, 2, 2)])).toEqual(['1', '2', '  3']);
  });
  it('takes a span that names itself as a root', () => {
    expect(shape([span(1, 1, 0), span(2, 1, 1), span(3, '', 2)])).toEqual(['1', '  2', '3']);
  });
  it('holds a chain of 50,000', () => {
    const { columns } = buildColumns(Array.from({ length: 50_000 }, (_, n) => span(n + 1, n === 0 ? '' : n, n)));
    expect(columns.deepest).toBe(49_999);
    expect(columns.end[0]).toBe(50_000);
  });
  it('is empty for no spans', () => {
    const { columns } = buildColumns([]);
    expect(columns.count).toBe(0);
    expect(columns.toNs).toBeGreaterThan(columns.fromNs);
  });
});

describe('columns', () => {
  const built = buildColumns([
    span(1, '', 0, { duration_ns: 100 }),
    span(2, 1, 10, { events: [{ name: 'a', offset_ns: 5 }, { name: 'b', offset_ns: -2 }] }),
    span(3, 2, 12, { status: 'died', process: 1, name: 'op 2', duration_ns: 200 }),
    span(4, 1, 50, { status: 'in_flight' }),
  ]).columns;

  it('end each subtree after its last descendant', () => expect([...built.end]).toEqual([4, 3, 3, 4]));
  it('tell what is among the descendants', () => {
    expect([...built.inside]).toEqual([INSIDE.died | INSIDE.inFlight, INSIDE.died, 0, 0]);
  });
  it('hold statuses as they came', () => expect([...built.status]).toEqual([STATUS.unset, STATUS.unset, STATUS.died, STATUS.inFlight]));
  it('place events on the axis of the trace, also before their span', () => {
    expect([...built.eventAt.slice(built.eventFrom[1], built.eventFrom[2])]).toEqual([15, 8]);
  });
  it('cover the time of all spans', () => expect([built.fromNs, built.toNs]).toEqual([0, 212]));
  it('hold each name once', () => expect(built.names).toEqual(['op 1', 'op 2', 'op 4']));
  it('find a span by its id', () => {
    expect(findSpan(built, id(3))).toBe(2);
    expect(findSpan(built, id(9))).toBe(-1);
    expect(spanIdAt(built, 2)).toBe(id(3));
  });
  it('keep all 64 bits of an id', () => {
    const { columns } = buildColumns([span(1, '', 0, { span_id: 'fedcba9876543210' })]);
    expect(spanIdAt(columns, 0)).toBe('fedcba9876543210');
  });
  it('survive a process that is not in the list', () => {
    const { columns } = buildColumns([span(1, '', 0, { process: 7 }), span(2, 1, 1)]);
    expect(countServices(columns, [{ service: 'web' }])).toEqual([{ name: 'web', spans: 1 }]);
  });
  it('count services over their processes', () => {
    expect(countServices(built, [{ service: 'web' }, { service: 'cell' }])).toEqual([{ name: 'web', spans: 3 }, { name: 'cell', spans: 1 }]);
  });
});

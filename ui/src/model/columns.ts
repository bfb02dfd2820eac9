// SPDX-License-Identifier: Apache-2.0
/*
 * A trace as columns: what the waterfall needs of each span, in typed arrays whose index
 * is the span's place in the tree read from top to bottom (preorder). A subtree is then a
 * range of indices, a collapsed one is a jump, and 100,000 spans are a few megabytes that
 * a worker hands over without a copy. The collector orders them (columns-wire.ts).
 */
import type { Process, SpanKind, SpanStatus } from '../api/wire';

export const STATUS_ORDER: readonly SpanStatus[] = ['unset', 'ok', 'error', 'died', 'in_flight'];
export const KIND_ORDER: readonly SpanKind[] = ['internal', 'server', 'client', 'producer', 'consumer'];

export const STATUS = { unset: 0, ok: 1, error: 2, died: 3, inFlight: 4 } as const;
export const FLAG = { orphan: 1, duplicate: 2, remoteParent: 4, cycle: 8, observed: 16 } as const;
/** What is among a span's descendants. */
export const INSIDE = { error: 1, died: 2, inFlight: 4 } as const;

export interface TraceColumns {
  count: number;
  /** ns from the trace's start; and how long. */
  start: Float64Array;
  duration: Float64Array;
  /** Index of the parent, -1 at the top level. */
  parent: Int32Array;
  depth: Int32Array;
  /** One past the last descendant. */
  end: Int32Array;
  process: Int32Array;
  name: Int32Array;
  names: string[];
  status: Uint8Array;
  kind: Uint8Array;
  flags: Uint8Array;
  inside: Uint8Array;
  /** Events of span i, ns from the trace's start: eventAt[eventFrom[i] .. eventFrom[i + 1]]. */
  eventFrom: Int32Array;
  eventAt: Float64Array;
  /** The two halves of the span's id. */
  idHigh: Uint32Array;
  idLow: Uint32Array;
  deepest: number;
  /** The time that all spans together cover. */
  fromNs: number;
  toNs: number;
}

export function emptyColumns(count: number, events: number): TraceColumns {
  return {
    count,
    start: new Float64Array(count),
    duration: new Float64Array(count),
    parent: new Int32Array(count),
    depth: new Int32Array(count),
    end: new Int32Array(count),
    process: new Int32Array(count),
    name: new Int32Array(count),
    names: [],
    status: new Uint8Array(count),
    kind: new Uint8Array(count),
    flags: new Uint8Array(count),
    inside: new Uint8Array(count),
    eventFrom: new Int32Array(count + 1),
    eventAt: new Float64Array(events),
    idHigh: new Uint32Array(count),
    idLow: new Uint32Array(count),
    deepest: 0,
    fromNs: 0,
    toNs: 0,
  };
}

const INSIDE_OF_STATUS = [0, 0, INSIDE.error, INSIDE.died, INSIDE.inFlight] as const;

/** From the last span to the first, so that each has all of its own before it gives to its parent. */
export function closeSubtrees(c: TraceColumns): void {
  for (let i = c.count - 1; i >= 0; i--) {
    c.end[i] = Math.max(c.end[i]!, i + 1);
    const parent = c.parent[i]!;
    if (parent < 0) continue;
    c.end[parent] = Math.max(c.end[parent]!, c.end[i]!);
    c.inside[parent]! |= c.inside[i]! | INSIDE_OF_STATUS[c.status[i]!]!;
  }
}

const hex8 = (half: number) => half.toString(16).padStart(8, '0');

/** The id of two halves, as it is written. */
export const hexId = (high: number, low: number) => hex8(high) + hex8(low);

export const spanIdAt = (c: TraceColumns, i: number) => hexId(c.idHigh[i]!, c.idLow[i]!);

/** The first span with this id; -1 if there is none. */
export function findSpan(c: TraceColumns, spanId: string): number {
  if (spanId === '') return -1;
  const high = Number.parseInt(spanId.slice(0, 8), 16);
  const low = Number.parseInt(spanId.slice(8), 16);
  for (let i = 0; i < c.count; i++) {
    if (c.idLow[i] === low && c.idHigh[i] === high) return i;
  }
  return -1;
}

/** How many spans each service has, most first. */
export function countServices(c: TraceColumns, processes: readonly Process[]): { name: string; spans: number }[] {
  const byProcess = new Int32Array(processes.length);
  for (let i = 0; i < c.count; i++) byProcess[c.process[i]!]!++;
  const byName = new Map<string, number>();
  processes.forEach(({ service }, p) => byName.set(service, (byName.get(service) ?? 0) + byProcess[p]!));
  return [...byName].map(([name, spans]) => ({ name, spans })).sort((a, b) => b.spans - a.spans);
}

/** The memory behind the columns, to hand over from a worker. */
export function buffersOf(c: object): ArrayBuffer[] {
  return Object.values(c).flatMap((column: unknown) =>
    ArrayBuffer.isView(column) ? [column.buffer as ArrayBuffer] : [],
  );
}

// SPDX-License-Identifier: Apache-2.0
/*
 * A trace's columns as the collector writes them (docs/api.md, format=columns): blocks of typed arrays,
 * little-endian, each padded to 8 bytes, so that they are read in place and copied once. Spans come in
 * the order of the tree, parents first. Pure.
 */
import { closeSubtrees, emptyColumns, type TraceColumns } from './columns';

const MAGIC = 'weftcol1';
const padded = (bytes: number) => Math.ceil(bytes / 8) * 8;

export interface WireTrace<Head> {
  /** The trace's JSON, its list of spans empty. */
  head: Head;
  columns: TraceColumns;
}

/** Reads arrays one after the other. */
class Reader {
  constructor(
    private readonly buffer: ArrayBuffer,
    private at: number,
  ) {}

  get done(): boolean {
    return this.at >= this.buffer.byteLength;
  }

  private take(bytes: number): number {
    const from = this.at;
    this.at += padded(bytes);
    if (bytes < 0 || from + bytes > this.buffer.byteLength) throw new RangeError('the answer ends within a block');
    return from;
  }

  bytes(length: number): Uint8Array {
    return new Uint8Array(this.buffer, this.take(length), length);
  }
  words(length: number): Uint32Array {
    return new Uint32Array(this.buffer, this.take(length * 4), length);
  }
  signed(length: number): Int32Array {
    return new Int32Array(this.buffer, this.take(length * 4), length);
  }
  doubles(length: number): Float64Array {
    return new Float64Array(this.buffer, this.take(length * 8), length);
  }
}

interface Progress {
  row: number;
  event: number;
}

function readBlock(reader: Reader, c: TraceColumns, events: Float64Array[], at: Progress): void {
  const [rows = 0, eventCount = 0, nameCount = 0, nameBytes = 0] = reader.words(4);
  if (rows === 0 || at.row + rows > c.count) throw new RangeError('the answer has more spans than it says');
  c.start.set(reader.doubles(rows), at.row);
  c.duration.set(reader.doubles(rows), at.row);
  events.push(reader.doubles(eventCount));
  c.idHigh.set(reader.words(rows), at.row);
  c.idLow.set(reader.words(rows), at.row);
  c.parent.set(reader.signed(rows), at.row);
  c.process.set(reader.signed(rows), at.row);
  c.name.set(reader.signed(rows), at.row);
  for (const count of reader.words(rows)) {
    at.event += count;
    c.eventFrom[++at.row] = at.event;
  }
  const from = at.row - rows;
  c.kind.set(reader.bytes(rows), from);
  c.status.set(reader.bytes(rows), from);
  c.flags.set(reader.bytes(rows), from);
  readNames(reader, c, nameCount, nameBytes);
}

function readNames(reader: Reader, c: TraceColumns, count: number, length: number): void {
  const lengths = reader.words(count);
  const bytes = reader.bytes(length);
  const text = new TextDecoder();
  let from = 0;
  for (const each of lengths) {
    c.names.push(text.decode(bytes.subarray(from, from + each)));
    from += each;
  }
}

function close(c: TraceColumns): void {
  let from = Infinity;
  let to = -Infinity;
  for (let i = 0; i < c.count; i++) {
    const parent = c.parent[i]!;
    if (parent >= i) throw new RangeError('a span comes before its parent');
    c.depth[i] = parent < 0 ? 0 : c.depth[parent]! + 1;
    c.deepest = Math.max(c.deepest, c.depth[i]!);
    from = Math.min(from, c.start[i]!);
    to = Math.max(to, c.start[i]! + c.duration[i]!);
  }
  c.fromNs = c.count > 0 ? from : 0;
  c.toNs = c.count > 0 ? Math.max(to, from + 1) : 1;
  closeSubtrees(c);
}

/** Throws a RangeError where the bytes are not what they should be. */
export function decodeTrace<Head extends { span_count: number }>(buffer: ArrayBuffer): WireTrace<Head> {
  const prefix = new Uint8Array(buffer, 0, Math.min(8, buffer.byteLength));
  if (new TextDecoder().decode(prefix) !== MAGIC || buffer.byteLength < 16) throw new RangeError('these are no columns of a trace');
  const length = new Uint32Array(buffer, 8, 1)[0]!;
  const reader = new Reader(buffer, 16);
  const head = JSON.parse(new TextDecoder().decode(reader.bytes(length))) as Head;
  const columns = emptyColumns(head.span_count, 0);
  const events: Float64Array[] = [];
  const at: Progress = { row: 0, event: 0 };
  while (!reader.done) readBlock(reader, columns, events, at);
  if (at.row !== columns.count) throw new RangeError('the answer has fewer spans than it says');
  columns.eventAt = new Float64Array(at.event);
  let next = 0;
  for (const part of events) {
    columns.eventAt.set(part, next);
    next += part.length;
  }
  close(columns);
  return { head, columns };
}

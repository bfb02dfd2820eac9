// SPDX-License-Identifier: Apache-2.0
/*
 * Prometheus' remote write, version 1, as a sender makes it: series with samples and native
 * histograms become the body of a POST.
 *
 *     [{ labels: {__name__: 'up', job: 'a'}, samples: [[unixMs, value], …],
 *        histograms: [[unixMs, {count, sum, schema, zeroThreshold, zeroCount, offset, buckets}], …] }]
 *
 * Snappy allows pieces that are not compressed, and these are such. Pure functions.
 */

function varint(value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [];
  do {
    const more = rest > 127n;
    bytes.push(Number(rest & 127n) | (more ? 128 : 0));
    rest >>= 7n;
  } while (rest);
  return Buffer.from(bytes);
}

const zigzag = (value) => varint((BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const signed = (field, value) => Buffer.concat([varint(field << 3), zigzag(value)]);
const bytes = (field, value) => Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);
const text = (field, value) => bytes(field, Buffer.from(value));

/* The marker that a series has ended: a NaN of its own among the NaNs. */
export const STALE = Symbol('stale');

function double(field, value) {
  const out = Buffer.alloc(9);
  out[0] = (field << 3) | 1;
  if (value === STALE) out.writeBigUInt64LE(0x7ff0000000000002n, 1);
  else if (Number.isNaN(value)) out.writeBigUInt64LE(0x7ff8000000000001n, 1);
  else out.writeDoubleLE(value, 1);
  return out;
}

const label = (name, value) => bytes(1, Buffer.concat([text(1, name), text(2, value)]));
const sample = ([unixMs, value]) => bytes(2, Buffer.concat([double(1, value), number(2, unixMs)]));

/* One span of positive buckets; the counts go as differences. */
function histogram([unixMs, h]) {
  const differences = h.buckets.map((count, i) => zigzag(count - (i ? h.buckets[i - 1] : 0)));
  return bytes(4, Buffer.concat([
    number(1, h.count), double(3, h.sum), signed(4, h.schema), double(5, h.zeroThreshold), number(6, h.zeroCount),
    bytes(11, Buffer.concat([signed(1, h.offset), number(2, h.buckets.length)])),
    bytes(12, Buffer.concat(differences)), number(15, unixMs),
  ]));
}

function series({ labels, samples = [], histograms = [] }) {
  const names = Object.keys(labels).sort();
  return bytes(1, Buffer.concat([
    ...names.map((name) => label(name, labels[name])), ...samples.map(sample), ...histograms.map(histogram),
  ]));
}

function snappy(message) {
  const parts = [varint(message.length)];
  for (let at = 0; at < message.length; at += 65536) {
    const piece = message.subarray(at, at + 65536);
    const tag = Buffer.alloc(3);
    tag[0] = 61 << 2; // a literal whose length stands in the next two bytes
    tag.writeUInt16LE(piece.length - 1, 1);
    parts.push(tag, piece);
  }
  return Buffer.concat(parts);
}

export const writeRequest = (all) => snappy(Buffer.concat(all.map(series)));

export const writeHeaders = {
  'Content-Type': 'application/x-protobuf',
  'Content-Encoding': 'snappy',
  'X-Prometheus-Remote-Write-Version': '0.1.0',
};

// SPDX-License-Identifier: Apache-2.0
/* Spans for a real collector, as OTLP's JSON tells them. */

const hex = (number, digits) => number.toString(16).padStart(digits, '0');
const SERVICES = ['web', 'firehose', 'cell', 'redis', 'memcached', 'search'];
const AT_ONCE = 5000;

export async function sendSpans(url, resourceSpans) {
  const answer = await fetch(`${url}/v1/traces`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ resourceSpans }),
  });
  if (!answer.ok) throw new Error(`spans were refused: ${await answer.text()}`);
  const { partialSuccess } = await answer.json();
  if (partialSuccess?.rejectedSpans > 0) throw new Error(`spans were rejected: ${JSON.stringify(partialSuccess)}`);
}

/** The id of largeTrace's trace. */
export const largeTraceId = (size) => hex(size, 32);

/** A request that fans out: batches of twelve below the root, a few levels deep, with what spans say as a rule. */
export async function sendLargeTrace(url, size) {
  const start = BigInt(Date.now() - 60_000) * 1_000_000n;
  const span = (i) => {
    const parent = i === 0 ? -1 : Math.floor((i - 1) / 12);
    const begin = BigInt(i) * 900n;
    return {
      traceId: largeTraceId(size), spanId: hex(i + 1, 16), parentSpanId: parent < 0 ? '' : hex(parent + 1, 16),
      name: `step ${i % 40}`, kind: i % 3 === 0 ? 3 : 2, startTimeUnixNano: String(start + begin),
      endTimeUnixNano: String(start + begin + BigInt(20_000 + (i * 7919) % 400_000)),
      attributes: [
        { key: 'user.id', value: { intValue: String(i * 31) } }, { key: 'peer.service', value: { stringValue: SERVICES[i % 6] } },
        { key: 'http.route', value: { stringValue: `/v1/things/{id}/${i % 25}` } },
      ],
    };
  };
  for (let first = 0; first < size; first += AT_ONCE) {
    const spans = Array.from({ length: Math.min(AT_ONCE, size - first) }, (_, i) => span(first + i));
    await sendSpans(url, SERVICES.map((name, n) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: name } }] },
      scopeSpans: [{ spans: spans.filter((_, i) => (first + i) % SERVICES.length === n) }],
    })));
  }
}

export const spanCount = async (url, traceId) => (await (await fetch(`${url}/api/v1/traces/${traceId}?limit=1`)).json()).span_count;

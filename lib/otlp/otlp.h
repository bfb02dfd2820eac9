// SPDX-License-Identifier: Apache-2.0
/* OpenTelemetry's traces, in and out: protobuf and JSON (as OTLP/HTTP carries them and the
 * collector's file exporter writes them, one document a line) <-> messages <-> batches.
 *
 *   otlp_json_read.c   JSON -> messages            otlp_read.c    messages -> a batch builder
 *   otlp_json_write.c  messages -> JSON            otlp_write.c   rows of batches -> messages
 *
 * Messages are protobuf-c's structs in an arena; protobuf itself is packed and unpacked by
 * protobuf-c.
 *
 * What has no place in a batch is carried by attributes, and comes back from them:
 *
 *   resource     service.name, service.version, service.instance.id, host.name, process.pid and
 *                weft.cell are the process' own fields, the rest its resource attributes; who
 *                has the same resource is the same process
 *   scope        span attributes otel.scope.name, otel.scope.version, otel.scope.KEY
 *   status       died: error with weft.status = "died"; in flight: unset with weft.status =
 *                "in_flight", which stays an attribute when it is read
 *   arrays, maps a string of JSON
 *   kind         unspecified is internal
 *
 * Not kept: schema URLs, tracestate and dropped counts of links and events.
 */
#ifndef WEFT_OTLP_OTLP_H
#define WEFT_OTLP_OTLP_H

#include <otlp.pb-c.h>

#include "lib/base/json_writer.h"
#include "lib/codec/batch.h"

enum { OTLP_WHY_MAX = 256 };

/* NULL and a sentence (which names line and column for JSON). The messages are in `arena` and may
 * point into `bytes`. Ids that are no ids are left empty: otlp_read counts them. */
Otlp__Traces *otlp_from_json(struct arena *arena, const char *bytes, size_t length,
                             char why[OTLP_WHY_MAX]);
Otlp__Traces *otlp_from_protobuf(struct arena *arena, const void *bytes, size_t length,
                                 char why[OTLP_WHY_MAX]);

struct otlp_counts {
    uint64_t spans, rejected; /* rejected: without a trace id or a span id */
};
/* Adds every span to the builder. */
void otlp_read(const Otlp__Traces *traces, struct batch_builder *b, struct otlp_counts *counts);

struct otlp_row {
    const struct batch *batch;
    uint32_t row;
};
/* The rows as messages in `arena`, grouped by process and scope; they point into the batches.
 * NULL: no memory. */
Otlp__Traces *otlp_write(struct arena *arena, const struct otlp_row *rows, size_t count);

void otlp_put_json(struct json_writer *w, const Otlp__Traces *traces);
/* Only the items of resourceSpans, for a document that is made of several messages. */
void otlp_put_json_items(struct json_writer *w, const Otlp__Traces *traces);
/* Appends; shows in out->failed. */
void otlp_put_protobuf(struct buffer *out, const Otlp__Traces *traces);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What hangs on a span as JSON, the same wherever one is shown: in a trace (web/), in a list, in a
 * stream (firehose/). docs/api.md has the fields. Each writes a key and its value. */
#ifndef WEFT_COLLECTOR_SPAN_JSON_H
#define WEFT_COLLECTOR_SPAN_JSON_H

#include "lib/base/json_writer.h"
#include "lib/codec/batch.h"

/* Attributes [first, first + count) of the columns, as a list. */
void span_json_attributes(struct json_writer *w, const char *key, const struct batch *b,
                          const struct batch_attributes *columns, uint32_t first, uint32_t count);
/* A row's own: "attributes", "events", "links". */
void span_json_details(struct json_writer *w, const struct batch *b, uint32_t row);
/* "parent_id": "" where there is none. */
void span_json_parent(struct json_writer *w, uint64_t parent_id);

static inline void span_json_str(struct json_writer *w, const char *key, struct batch_str s)
{
    json_field_string(w, key, s.bytes, s.length);
}

#endif

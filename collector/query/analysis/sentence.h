// SPDX-License-Identifier: Apache-2.0
/* Pieces of the sentences that analyses say to people. */
#ifndef WEFT_COLLECTOR_QUERY_ANALYSIS_SENTENCE_H
#define WEFT_COLLECTOR_QUERY_ANALYSIS_SENTENCE_H

#include "collector/query/analysis/node.h"
#include "lib/base/buffer.h"
#include "lib/base/units.h"

static inline void put_str(struct buffer *out, struct batch_str s)
{
    buffer_append(out, s.bytes, s.length);
}

/* 'web "GET /dashboard"' */
static inline void put_who(struct buffer *out, const struct tree *t, uint32_t node)
{
    put_str(out, node_service(t, node));
    buffer_text(out, " \"");
    put_str(out, node_name(t, node));
    buffer_text(out, "\"");
}

/* "12.4 ms" */
static inline void put_duration(struct buffer *out, uint64_t duration_ns)
{
    char text[UNITS_TEXT_MAX];
    buffer_text(out, units_round_duration((double)duration_ns, text));
}

#endif

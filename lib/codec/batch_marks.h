// SPDX-License-Identifier: Apache-2.0
/* Marks in a batch (docs/format/batch.md): moments that somebody on the host tells of. Part of
 * lib/codec/batch.h, which says who owns what. */
#ifndef WEFT_CODEC_BATCH_MARKS_H
#define WEFT_CODEC_BATCH_MARKS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/codec/batch_str.h"

struct batch_builder;

/* Numbers that stand in batches; never renumbered. Of the kinds of marks that there are, agents
 * tell of these. */
enum batch_mark_kind { BATCH_MARK_NOTIFICATION = 4 };

enum batch_mark_severity {
    BATCH_MARK_NEUTRAL = 0,
    BATCH_MARK_OKAY = 1,
    BATCH_MARK_WARNING = 2,
    BATCH_MARK_FAILURE = 3,
    BATCH_MARK_SEVERITIES
};
/* "okay" …; "" for neutral and beyond. */
const char *batch_mark_severity_name(unsigned severity);

/* Texts are dictionary indices (batch_string), 0: none. */
struct batch_mark {
    enum batch_mark_kind kind;
    enum batch_mark_severity severity;
    uint64_t unix_ns;
    uint32_t title, text, host, service;
};
void batch_mark_add(struct batch_builder *b, const struct batch_mark *mark);
size_t batch_builder_marks(const struct batch_builder *b);

/* Decoded. A kind that is not known here may come from a newer program. */
struct batch_mark_view {
    uint32_t kind;
    uint8_t severity; /* enum batch_mark_severity */
    uint64_t unix_ns;
    struct batch_str title, text, host, service;
};

#endif

// SPDX-License-Identifier: Apache-2.0
/* What the parts of libweft that work on spans share. */
#ifndef WEFT_CLIENT_SPAN_H
#define WEFT_CLIENT_SPAN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/model/span.h"
#include "lib/ring/slab.h"
#include "weft/weft.h"

struct trace_ids {
    uint64_t hi, lo;
};

struct parentage {
    struct trace_ids trace;
    uint64_t span_id;
    uint8_t flags;
};

/* The open span of a handle, or NULL: null, ended, or of the process that forked us. */
static inline struct slab_span *span_of(weft_span span)
{
    struct slab_slot *slot = span.slot;
    return slot && slot->span.span_id == span.id ? &slot->span : NULL;
}

void span_set_tracestate(weft_span span, const char *text, size_t length);
/* The span's tracestate, "" without. *length without a NUL. */
const char *span_tracestate(weft_span span, size_t *length);
void span_copy_tracestate(weft_span from, weft_span to);

#endif

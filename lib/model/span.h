// SPDX-License-Identifier: Apache-2.0
/* What a span is, in OpenTelemetry's terms, on both sides of the link.
 *
 * The numbers of kinds, statuses and value types are part of every format here (slab, batch):
 * they are only ever appended to.
 */
#ifndef WEFT_MODEL_SPAN_H
#define WEFT_MODEL_SPAN_H

#include <stdint.h>

enum span_kind {
    SPAN_INTERNAL = 0,
    SPAN_SERVER = 1,
    SPAN_CLIENT = 2,
    SPAN_PRODUCER = 3,
    SPAN_CONSUMER = 4,
    SPAN_KINDS
};

enum span_status {
    SPAN_UNSET = 0,
    SPAN_OK = 1,
    SPAN_ERROR = 2,
    SPAN_DIED = 3,      /* its process was gone before it ended */
    SPAN_IN_FLIGHT = 4, /* open at the moment of the look; never in a durable batch */
    SPAN_STATUSES
};

enum value_type {
    VALUE_STRING = 0,
    VALUE_INT = 1,
    VALUE_DOUBLE = 2,
    VALUE_BOOL = 3,
    VALUE_BYTES = 4,
    VALUE_TYPES
};

/* Flags of a span; the low bits are W3C's trace-flags. */
enum {
    SPAN_FLAG_SAMPLED = 0x01,       /* as the caller's header said, or set by us for a root */
    SPAN_FLAG_RANDOM = 0x02,        /* W3C level 2: the right 7 bytes of the trace id are random */
    SPAN_FLAG_OBSERVED = 0x08,      /* seen from outside its process, which does not record */
    SPAN_FLAG_REMOTE_PARENT = 0x10, /* the parent came in a header */
    SPAN_FLAG_TRACESTATE = 0x20,    /* a tracestate travels with it */
};

/* A trace id: 16 bytes in network order are `hi` then `lo`, each big-endian. */
struct trace_id {
    uint64_t hi, lo;
};

const char *span_kind_name(unsigned kind);     /* "internal" …; "?" beyond the known */
const char *span_status_name(unsigned status); /* "unset" …; "?" beyond the known */

#endif

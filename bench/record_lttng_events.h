// SPDX-License-Identifier: Apache-2.0
/* The events of record_lttng.c, in the form that LTTng-UST's macros want. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER weft_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "bench/record_lttng_events.h"

#if !defined(WEFT_BENCH_RECORD_LTTNG_EVENTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define WEFT_BENCH_RECORD_LTTNG_EVENTS_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(
    weft_bench, begin,
    LTTNG_UST_TP_ARGS(uint64_t, trace_hi, uint64_t, trace_lo, uint64_t, span_id, int64_t, user,
                      const char *, route),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_integer_hex(uint64_t, trace_hi, trace_hi)
                            lttng_ust_field_integer_hex(uint64_t, trace_lo, trace_lo)
                                lttng_ust_field_integer_hex(uint64_t, span_id, span_id)
                                    lttng_ust_field_integer(int64_t, user, user)
                                        lttng_ust_field_string(route, route)))

LTTNG_UST_TRACEPOINT_EVENT(weft_bench, end, LTTNG_UST_TP_ARGS(uint64_t, span_id),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer_hex(uint64_t, span_id,
                                                                           span_id)))

#endif

#include <lttng/tracepoint-event.h>

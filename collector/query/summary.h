// SPDX-License-Identifier: Apache-2.0
/* A trace in a few words, as lists and searches tell of it. */
#ifndef WEFT_COLLECTOR_QUERY_SUMMARY_H
#define WEFT_COLLECTOR_QUERY_SUMMARY_H

#include "lib/codec/batch_str.h"
#include "lib/model/span.h"

struct trace_service { /* how many spans of the trace a service has */
    struct batch_str name;
    uint32_t spans;
};

struct trace_summary {
    struct trace_id id;
    uint64_t start_unix_ns, duration_ns;
    uint32_t spans, errors, died, in_flight;
    bool complete, has_root; /* complete: one root, and every span's parent is there */
    struct batch_str root_service, root_operation;
    struct trace_service *services; /* most spans first */
    uint32_t service_count;
};

/* Joins entries of one name and puts those with the most spans first. The new count. */
uint32_t trace_services_join(struct trace_service *list, uint32_t count);

#endif

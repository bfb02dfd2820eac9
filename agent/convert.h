// SPDX-License-Identifier: Apache-2.0
/* From a slab's record to a row of the batch being built. */
#ifndef WEFT_AGENT_CONVERT_H
#define WEFT_AGENT_CONVERT_H

#include "agent/host_clock.h"
#include "agent/recording_process.h"
#include "lib/codec/batch.h"

/* Where rows go: one batch. `marks` are the process' for this builder, `serial` the batch's. */
struct conversion {
    struct batch_builder *builder;
    uint32_t serial;
    const struct host_clock *clock;
    struct recording_process *process;
    struct batch_marks *marks;
    enum span_status open_status; /* of spans that have not ended: DIED or IN_FLIGHT */
    uint64_t open_end_unix_ns;    /* and where they end */
    bool count;                   /* in the statistics of spans, too */
};

/* A slab_visit; context: struct conversion. */
void convert_record(void *context, const struct slab_record *record);

/* The process' index in the batch, described there when it is first asked for. */
uint32_t convert_process(struct conversion *c);

#endif

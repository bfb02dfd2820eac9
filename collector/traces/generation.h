// SPDX-License-Identifier: Apache-2.0
/* One generation of the head: an arena of decoded batches and an index over them.
 *
 * The trace table finds the entry of a trace id by linear probing over (tag, index) pairs; an
 * entry has a list of runs, a run being rows that follow each other in one batch and belong to
 * one trace. As an agent sweeps one thread's ring after the other, a run is mostly all that a
 * request left on a thread, and the table is asked once for it.
 *
 * Nothing here locks: the store does (store.h). Tables are malloc'ed and may move when they
 * grow, so what they hold is read under the store's lock; batches never move.
 */
#ifndef WEFT_COLLECTOR_TRACES_GENERATION_H
#define WEFT_COLLECTOR_TRACES_GENERATION_H

#include "collector/traces/block.h"
#include "collector/traces/catalog.h"
#include "collector/traces/names.h"
#include "collector/traces/store.h"

enum { HEAD_NONE = UINT32_MAX };

struct head_batch {
    const struct batch *batch;
    const char *agent;
    uint32_t losses; /* batch->loss_count, to pass by most without a look */
};

struct head_run {
    uint32_t batch, row, count;
    uint32_t next; /* HEAD_NONE: the last */
};

struct head_trace {
    struct trace_id id;
    uint32_t first_run, last_run;
    uint32_t spans;
};

struct head_slot {
    uint32_t tag, index; /* of the id's hash; in `traces`, HEAD_NONE: free */
};

struct generation {
    uint64_t number; /* 1, 2, 3 … */
    unsigned references;
    unsigned staged; /* batches decoded into it that are neither inserted nor discarded yet */
    bool sealed;     /* no further batch: it is being made a segment, or waits for that */
    bool retired;    /* a segment has it now, but somebody still reads it */
    struct arena arena;
    uint64_t bytes; /* generation_bytes when last looked at under the store's lock */

    struct head_batch *batches;
    uint32_t batch_count, batch_capacity;
    struct head_run *runs;
    uint32_t run_count, run_capacity;
    struct head_trace *traces;
    uint32_t trace_count, trace_capacity;
    struct head_slot *slots;
    uint32_t slot_mask;

    /* Traces that older generations, or segments, have spans of too. */
    struct trace_id *continued;
    uint32_t continued_count, continued_capacity;

    struct names names;
    uint64_t spans;
    struct block_bounds bounds;
    uint64_t begun_unix_ns;             /* when the first batch came: the host's clock */
    struct journal_position ledger_end; /* behind the last batch in here */
};

/* NULL when memory is out. */
struct generation *generation_create(uint64_t number, size_t expected_traces);
void generation_destroy(struct generation **g);

/* What it costs: arena and tables. */
uint64_t generation_bytes(const struct generation *g);

/* Room for a batch, so that generation_index cannot fail. -1 when memory is out. */
int generation_reserve(struct generation *g, const struct batch *batch);
/* Where a trace may have spans already. */
struct generation_past {
    struct generation *const *generations; /* older ones */
    unsigned count;
    const struct edition *segments;
};
/* After generation_reserve for the same batch; `agent` must live as long as the generation. */
void generation_index(struct generation *g, const struct batch *batch, const char *agent,
                      const struct generation_past *past);

uint64_t generation_hash(struct trace_id id);
/* NULL if it is not here. */
struct head_trace *generation_find(const struct generation *g, struct trace_id id, uint64_t hash);

#endif

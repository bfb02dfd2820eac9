// SPDX-License-Identifier: Apache-2.0
/* One generation of the head: the chunks of the samples that came while it was the newest, in an
 * arena that is given back at once. Its number becomes that of its block.
 *
 * Nothing here locks: the store does. Once sealed and without a batch that is being appended,
 * nothing in it changes. */
#ifndef WEFT_COLLECTOR_SERIES_GENERATION_H
#define WEFT_COLLECTOR_SERIES_GENERATION_H

#include <stdatomic.h>

#include "collector/series/head/head.h"
#include "lib/base/journal.h"

struct series_generation {
    uint64_t number;
    atomic_uint references;
    bool sealed;  /* no further batch */
    bool retired; /* a block has it now, but somebody still reads it */
    bool begun;   /* a batch was committed into it */
    struct arena arena;
    struct head_run **runs;
    uint32_t count, capacity;
    uint64_t samples, chunks;
    int64_t min_ms, max_ms;
    uint64_t begun_unix_ns;
    struct journal_position ledger_end; /* behind the last batch in here */
};

struct series_generation *series_generation_create(uint64_t number);
void series_generation_destroy(struct series_generation **g);
uint64_t series_generation_bytes(const struct series_generation *g);

/* The series' run in here; made if it has none. NULL: no memory. */
struct head_run *series_generation_run(struct series_generation *g, struct head_series *series,
                                       uint32_t number);
/* A further stream, which belongs to no run yet. NULL: no memory. */
struct stream *series_generation_stream(struct series_generation *g, enum stream_kind kind);

#endif

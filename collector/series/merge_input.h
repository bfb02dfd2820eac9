// SPDX-License-Identifier: Apache-2.0
/* A block that is read from its first series to its last; part of merge.c, and of sums.c. Errors
 * are -errno. */
#ifndef WEFT_COLLECTOR_SERIES_MERGE_INPUT_H
#define WEFT_COLLECTOR_SERIES_MERGE_INPUT_H

#include "collector/series/disk/catalog.h"
#include "collector/series/disk/tombstones.h"

struct merge_input {
    struct block_entry *entry;
    struct arena pages; /* of values: given back when it grows large */
    struct block_reader reader;
    uint32_t next;
    bool done;
    /* The series that it is at: */
    struct arena now;
    struct labels labels;
    bool counts;
    struct block_chunk *chunks;
    uint32_t chunk_count;
};

/* -errno for an error of block.h. */
int merge_error(int block_error);
int merge_input_init(struct merge_input *in, struct block_entry *entry);
void merge_input_fini(struct merge_input *in);
/* To the first series, and then to the next; in->done behind the last. */
int merge_input_next(struct merge_input *in);
/* Whether one of the tombstones takes samples of the series away. */
bool merge_input_is_concerned(const struct merge_input *in, const struct tombstones *t);
/* Appends its samples without those that the tombstones (NULL: none) take away. */
int merge_input_read(const struct merge_input *in, const struct tombstones *t,
                     struct column *scratch, struct points *out);

#endif

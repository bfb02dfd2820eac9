// SPDX-License-Identifier: Apache-2.0
/* A batch that is being made of a group's rows: shared by group_batch.c, which makes what every
 * span has, and group_batch_details.c, which makes attributes, events and links. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_GROUP_BATCH_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_GROUP_BATCH_H

#include "collector/traces/segment/reader.h"

/* How numbers of one dictionary become those of the batch. */
struct renumber {
    const struct batch_str *from;
    uint32_t *to; /* + 1, 0: not in the batch yet; NULL: all are there, from `base` on */
    uint32_t base;
};

struct making {
    struct group *g;
    struct group_part part;
    bool details, all;
    struct arena *arena;
    struct batch *batch;
    uint32_t string_capacity;
    struct renumber strings, process_strings;
    uint32_t first[BLOCK_SCOPES], items[BLOCK_SCOPES]; /* the part's items */
    uint32_t **attribute_first[BLOCK_SCOPES], **attribute_count[BLOCK_SCOPES];
};

/* A string that the batch does not have yet. When memory is out, the group has an error. */
uint32_t making_add_string(struct making *m, struct renumber *r, uint32_t number);

static inline uint32_t making_string(struct making *m, struct renumber *r, uint32_t number)
{
    if (!r->to)
        return r->base + number;
    return r->to[number] ? r->to[number] - 1 : making_add_string(m, r, number);
}

/* Strings of a section, as those of the batch. NULL: the group has an error. */
uint32_t *making_strings(struct making *m, enum section_kind kind, uint32_t first, uint32_t count);

/* Attributes, events and links; without `details` all their counts are 0. */
void making_details(struct making *m);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What the strings and processes of batches are in the group being built: found by a batch's
 * address, and kept until the batches are forgotten. A number holds as long as its stamp is the
 * group's; so a new group costs nothing here. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_TRANSLATIONS_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_TRANSLATIONS_H

#include "lib/codec/batch.h"

struct translation {
    const struct batch *batch;
    uint64_t *strings, *processes; /* stamp << 32 | number in the group */
    bool plain; /* no span has messages, tracestate, dropped attributes, events, links */
};

/* Zero-initialised is empty. */
struct translations {
    struct translation **list;
    uint32_t *slots;
    size_t count, capacity, slot_count;
    struct translation *recent;
};

void translations_fini(struct translations *t);
/* Forgets all batches. */
void translations_clear(struct translations *t);
/* NULL: no memory. Valid until the batches are forgotten. */
struct translation *translations_find(struct translations *t, const struct batch *batch);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The newest exemplars of all series, in a ring. They outlive a restart as far as the ledger is
 * read again. Under the store's lock. */
#ifndef WEFT_COLLECTOR_SERIES_EXEMPLARS_H
#define WEFT_COLLECTOR_SERIES_EXEMPLARS_H

#include "collector/series/source.h"

struct kept_exemplar {
    uint32_t series, version; /* of the head; whose version is another is of a series that left */
    int64_t unix_ms;
    double value;
    char *labels; /* u32 count, then of each label: u32 length, bytes; u32 length, bytes */
    uint32_t label_bytes;
};

struct exemplar_ring {
    struct kept_exemplar *list;
    uint32_t capacity, next;
    uint32_t count;
};

/* As much as 128 characters may take, which is what OpenMetrics allows. */
enum { EXEMPLAR_LABEL_BYTES_MAX = 512 };

int exemplar_ring_init(struct exemplar_ring *r, uint32_t capacity);
void exemplar_ring_fini(struct exemplar_ring *r);
/* -1: no memory, or longer labels than may be; then it is forgotten. */
int exemplar_ring_add(struct exemplar_ring *r, uint32_t series, uint32_t version,
                      const struct exemplar *e);
/* A copy in `arena`. -1: no memory. */
int exemplar_unpack(const struct kept_exemplar *kept, struct arena *arena, struct exemplar *out);

#endif

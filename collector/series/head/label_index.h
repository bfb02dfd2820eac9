// SPDX-License-Identifier: Apache-2.0
/* The labels of the head's series: every distinct pair of a name and a value once, with the series
 * that have it, and for each name its values.
 *
 * Pairs lie in pages and never move; their name and value do not change while a series has them.
 * So the thread that cuts reads them without the store's lock; everything else is under it.
 * -1 and LABEL_NONE: no memory, unless said otherwise. */
#ifndef WEFT_COLLECTOR_SERIES_HEAD_LABEL_INDEX_H
#define WEFT_COLLECTOR_SERIES_HEAD_LABEL_INDEX_H

#include "collector/series/head/posting.h"
#include "collector/series/head/slots.h"
#include "lib/codec/batch_str.h"

#define LABEL_NONE UINT32_MAX

struct label_name {
    struct batch_str text;
    uint32_t number; /* in the index's list */
    uint32_t *pairs; /* of its values, in any order; it goes with the last one */
    uint32_t count, capacity;
    uint64_t value_bytes;
};

struct label_pair {
    struct label_name *name;
    struct batch_str value;
    uint64_t hash;
    uint32_t position; /* in name->pairs; of a free pair: the next free one */
    struct posting series;
};

enum { LABEL_PAGE = 1024, LABEL_PAGES = 1 << 17 };

struct label_index {
    struct label_pair **pages; /* LABEL_PAGES */
    uint32_t pairs, free;      /* numbers given out so far; the first free one, or LABEL_NONE */
    struct slots by_text;
    struct label_name **names;
    uint32_t name_count, name_capacity;
    struct slots name_slots;
    uint64_t text_bytes; /* of names and values, as allocated */
};

int label_index_init(struct label_index *ix);
void label_index_fini(struct label_index *ix);
uint64_t label_index_bytes(const struct label_index *ix);

static inline struct label_pair *label_pair(const struct label_index *ix, uint32_t number)
{
    return &ix->pages[number / LABEL_PAGE][number % LABEL_PAGE];
}

/* NULL, LABEL_NONE: there is none. */
struct label_name *label_index_name(const struct label_index *ix, struct batch_str name);
uint32_t label_index_find(const struct label_index *ix, const struct label_name *name,
                          struct batch_str value);

/* The pair, made if it is not there; it has no series yet then, and goes by label_index_drop. */
uint32_t label_index_intern(struct label_index *ix, struct batch_str name, struct batch_str value);
/* If no series has it any more. */
void label_index_drop(struct label_index *ix, uint32_t pair);

#endif

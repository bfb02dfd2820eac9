// SPDX-License-Identifier: Apache-2.0
/* What the reader knows of a process' statistics: slab_stats_reader.c has the cells,
 * slab_instruments.c what they are cells of. */
#ifndef WEFT_RING_SLAB_STATS_INTERNAL_H
#define WEFT_RING_SLAB_STATS_INTERNAL_H

#include "lib/ring/slab_reader_internal.h"
#include "lib/ring/slab_stats.h"
#include "lib/ring/slab_stats_reader.h"

enum { CHUNK_WORDS = SLAB_CHUNK_BYTES / 8 };

/* What a take has found of an instrument so far. */
struct finding {
    uint64_t delta;
    struct exphist histogram;
    double least, most; /* ever */

    const char *gauge;        /* its cell, in the owner's memory; NULL: never seen */
    uint64_t epoch, of_epoch; /* of the cell; the latest one of additions */
    double set, added;        /* of these epochs */
    bool was_added;           /* in any of them */
    double told;
    bool was_told;
};

struct instrument_entry {
    struct slab_instrument *is; /* of its own allocation, labels behind it */
    struct finding found;
};

struct slab_stats_view {
    struct slab_stats header; /* the checked copy */
    const char *shared;       /* the owner's header, in r->fixed */
    char *writable;           /* [taken_offset, instruments_offset) */
    uint64_t generation;
    bool held;

    char *table; /* a copy of the instrument table, [0, table_copied) */
    uint64_t table_copied, table_read;
    bool table_is_damaged;
    struct instrument_entry *instruments;
    uint32_t instrument_count, instrument_capacity;
    struct slab_description {
        struct slab_text name, unit, help;
    } * descriptions; /* SLAB_DESCRIPTIONS_MAX */
    uint32_t description_count;

    uint64_t now[CHUNK_WORDS], base[CHUNK_WORDS];
};

/* Reads the instruments that came since. SLAB_ERECORD: the table is damaged, once. */
enum slab_error slab_instruments_refresh(struct slab_reader *r);
/* NULL: there is none, as far as the table was read. */
struct instrument_entry *slab_instrument_entry(struct slab_stats_view *s, uint32_t number);
void slab_instruments_free(struct slab_stats_view *s);

#endif

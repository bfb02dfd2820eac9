// SPDX-License-Identifier: Apache-2.0
/* A block: the samples of some time in an immutable file (docs/format/series.md), with an index of
 * its own. In memory is its footer: the names of labels, and where pages are (24 bytes for 128
 * series or 64 values). Pages and chunks are read when they are asked for, and checked each time.
 *
 * Any number of threads read a block at once; each with a block_reader of its own. */
#ifndef WEFT_COLLECTOR_SERIES_DISK_BLOCK_H
#define WEFT_COLLECTOR_SERIES_DISK_BLOCK_H

#include <roaring/roaring.h>

#include "collector/series/source.h"
#include "lib/base/journal.h"
#include "lib/codec/column.h"

enum { BLOCK_FORMAT_VERSION = 1, BLOCK_COMMON_MAX = 4 };

struct block_summary {
    uint64_t first, last;    /* the generations it has */
    uint64_t samples;        /* in it */
    uint64_t accepted;       /* that came, before copies and deletions were taken away */
    uint64_t samples_before; /* accepted in all blocks before it */
    uint64_t chunks, chunk_bytes;
    struct journal_position ledger_end; /* all before is in this block or older ones */
    uint64_t ledger_begun_unix_ns, created_unix_ns;
    int64_t min_ms, max_ms; /* INT64_MAX, INT64_MIN: no samples */
    uint64_t cleaned;       /* tombstones up to this sequence were applied */
    uint32_t series, names;
    uint64_t file_bytes; /* known when it is opened, or written */
};

struct block;

enum { BLOCK_OK = 0, BLOCK_ENOMEM = -1, BLOCK_EDAMAGED = -2, BLOCK_EIO = -3, BLOCK_EVERSION = -4 };

/* Takes over fd, if it succeeds. NULL with *error and a sentence in `why`. */
struct block *block_open(int fd, int *error, char *why, size_t why_size);
void block_close(struct block **b);
const struct block_summary *block_summary(const struct block *b);
uint64_t block_resident_bytes(const struct block *b);
/* Whether something in it turned out to be damaged while it was read; what, first. */
bool block_damage(const struct block *b, char *why, size_t why_size);

/* ---- reading ----------------------------------------------------------------------------- */

struct block_chunk {
    uint64_t offset; /* in the file */
    uint32_t length, samples;
    int64_t min_ms, max_ms;
};

struct block_series {
    uint32_t number;
    const uint32_t *pairs; /* number of name, number of value, … */
    uint32_t pair_count;
    bool counts; /* it is the sum of deltas: its last sample is the sum so far */
    struct block_chunk *chunks;
    uint32_t chunk_count;
};

/* Keeps the pages of values that it has read, in `arena`. */
struct block_reader {
    struct block *block;
    struct arena *arena;
    struct value_page **pages;
    /* The page of series that was read last. */
    uint32_t page; /* UINT32_MAX: none */
    struct arena page_arena;
    struct block_series *series;
    uint32_t series_count;
};

/* 0 or BLOCK_ENOMEM. Everything below: BLOCK_OK or another of these errors. */
int block_reader_init(struct block_reader *r, struct block *b, struct arena *arena);
void block_reader_fini(struct block_reader *r);
/* Its arena was emptied: pages of values are read again. */
void block_reader_forget(struct block_reader *r);

/* The name's number; UINT32_MAX if no series has it. */
uint32_t block_name(const struct block *b, struct batch_str name);
struct batch_str block_name_text(const struct block *b, uint32_t name);
uint32_t block_name_values(const struct block *b, uint32_t name);

/* A value by its number; in the reader's arena. */
int block_value(struct block_reader *r, uint32_t name, uint32_t value, struct batch_str *text);
/* The series with this value are added to `to`. */
int block_value_series(struct block_reader *r, uint32_t name, struct batch_str value,
                       roaring_bitmap_t *to);
/* Each value that begins with `prefix`, in their order; those that `wants` accepts are added to
 * `to` (may be NULL). The text is valid within the call only. */
int block_values(struct block_reader *r, uint32_t name, struct batch_str prefix,
                 bool (*wants)(void *context, struct batch_str value), void *context,
                 roaring_bitmap_t *to);

/* A value, and the least of the series that were asked about and have it. */
struct block_common {
    uint32_t number;
    struct batch_str text; /* within the call only */
    uint32_t series[BLOCK_COMMON_MAX];
    unsigned count; /* at least one */
    bool more;      /* further ones have it */
};
/* Tells each value that some of `among` have, in the values' order, with at most `most` of these
 * (1 to BLOCK_COMMON_MAX). False from `tell`: that is enough. */
int block_common_values(struct block_reader *r, uint32_t name, const roaring_bitmap_t *among,
                        unsigned most,
                        bool (*tell)(void *context, const struct block_common *value),
                        void *context);

/* The labels, and where the chunks are; valid until the next call. Numbers that rise are cheap. */
int block_series(struct block_reader *r, uint32_t number, const struct block_series **series);
/* Names are the block's, values in the reader's arena. */
int block_series_labels(struct block_reader *r, const struct block_series *series,
                        struct label items[LABELS_MAX], struct labels *labels);
/* Appends the chunk's samples within [from, to]. */
int block_read_chunk(struct block *b, const struct block_chunk *chunk, int64_t from_ms,
                     int64_t to_ms, struct column *scratch, struct points *out);
/* Its bytes, checked, in scratch->bytes. */
int block_chunk_bytes(struct block *b, const struct block_chunk *chunk, struct column *scratch);
/* In `arena`. */
int block_metadata(struct block *b, struct arena *arena, struct series_metadata **list,
                   size_t *count);

#endif

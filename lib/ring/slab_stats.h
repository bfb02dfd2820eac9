// SPDX-License-Identifier: Apache-2.0
/* The statistics of a process file, the part at `stats_offset`: what libweft counts in, and what
 * the agent notes of it. docs/format/slab.md ("Statistics") describes it for strangers.
 *
 *     stats    +--------------------------+
 *              | header page     (owner)  |  struct slab_stats
 *     taken    +--------------------------+
 *              | taken page      (agent)  |  struct slab_stats_taken: which images count
 *     images   +--------------------------+
 *              | images 0, 1     (agent)  |  two copies of the chunks, as they were when taken
 *     instrum. +--------------------------+
 *              | instruments     (owner)  |  what is counted: type, name, labels, descriptions
 *     chunks   +--------------------------+
 *              | chunks of cells (owner)  |  4096 bytes each; one thread writes in each
 *
 * Chunks, images and instruments are holes in the file until they are needed: the owner allocates
 * a chunk and its two images before it publishes the chunk.
 *
 * A cell belongs to one instrument and one thread (a gauge's last value: to the process), is
 * appended to a chunk and never moves, shrinks or goes. An instrument's value is the sum over its
 * cells. When a thread exits the next one goes on with its cells. Every word of 8 bytes is written
 * whole by relaxed stores, so at any instant, and after any death, each is what it was after some
 * update; a histogram's words may be one update apart from each other.
 *
 * A histogram's buckets are in *runs* of 64 neighbours, each a cell of its own that exists once a
 * value fell there. When a thread's values need more runs than it may have for one histogram, it
 * goes on at a lower scale in new runs; what stands in the old ones counts as ever. */
#ifndef WEFT_RING_SLAB_STATS_H
#define WEFT_RING_SLAB_STATS_H

#include "lib/ring/slab.h"

#define SLAB_CHUNK_BYTES          4096u
#define SLAB_CHUNKS_MAX           65536u /* with its images 768 MiB: below the 1 GiB of `threads_offset` */
#define SLAB_INSTRUMENTS_MAX      65536u
#define SLAB_INSTRUMENT_BYTES_MAX (64u << 20)
#define SLAB_DESCRIPTIONS_MAX     1024u
#define SLAB_LABELS_MAX           32u
#define SLAB_STAT_TEXT_MAX        1024u /* bytes of a name, key, value, unit, help */
#define SLAB_RUN_BUCKETS          64u

/* Offsets are from the file's beginning, multiples of SLAB_PAGE. Written before the file gets its
 * name, but for the counts. */
struct slab_stats {
    uint32_t header_bytes; /* sizeof(struct slab_stats) as the owner knew it */
    uint32_t chunk_capacity;
    uint64_t taken_offset;
    uint64_t images_offset; /* image i of chunk c: + (i * chunk_capacity + c) * SLAB_CHUNK_BYTES */
    uint64_t instruments_offset, instruments_bytes;
    uint64_t chunks_offset;
    uint64_t reserved[2];

    _Alignas(64) _Atomic uint64_t instruments_used; /* bytes; release after a record */
    _Atomic uint64_t chunk_count;                   /* release after the chunk is allocated */
};

/* The agent's. Image `generation & 1` of each chunk is what stands in the agent's spool. */
struct slab_stats_taken {
    _Atomic uint64_t generation;
};

/* A record of the instrument table. Behind it `text_count` texts: a length of 2 bytes, and the
 * bytes; then zeros up to a multiple of 8. Instruments are numbered from 0 in their order,
 * descriptions not among them. */
struct slab_instrument_head {
    uint32_t bytes; /* of the record, a multiple of 8 */
    uint8_t type;   /* enum slab_instrument_type */
    uint8_t text_count;
    uint16_t reserved;
};
enum slab_instrument_type {
    /* texts: the name; then key and value of each label, sorted by key. As enum metric_type. */
    SLAB_COUNTER = 1,
    SLAB_GAUGE = 2,
    SLAB_HISTOGRAM = 3,
    SLAB_DESCRIPTION = 255, /* of all instruments of a name. texts: name, unit, help */
};

/* A chunk: this head, then cells. */
struct slab_chunk {
    _Atomic uint64_t used; /* bytes, this head included; release after a new cell's head */
    uint64_t reserved[7];
};

/* The head of each cell. */
struct slab_cell {
    uint16_t kind;  /* enum slab_cell_kind */
    uint16_t bytes; /* of the cell, head included; a multiple of 8 */
    uint32_t instrument;
};
enum slab_cell_kind {
    SLAB_CELL_COUNTER = 1,
    SLAB_CELL_GAUGE = 2,     /* one for the process: the last value set */
    SLAB_CELL_GAUGE_ADD = 3, /* what a thread added since */
    SLAB_CELL_HISTOGRAM = 4, /* all of a thread's histogram but its buckets */
    SLAB_CELL_RUN = 5,       /* 64 buckets of it */
};

struct slab_counter_cell {
    struct slab_cell head;
    _Atomic uint64_t count;
};

/* Doubles are stored as their 8 bytes. A gauge is set to `value[epoch & 1]`; epoch 0: never. Cells
 * of additions count that have its epoch. */
struct slab_gauge_cell {
    struct slab_cell head;
    _Atomic uint64_t epoch; /* release after the value */
    _Atomic uint64_t value[2];
    _Atomic uint64_t added[2]; /* the owner's note: epoch + 1 once a thread added in the epoch */
};
struct slab_gauge_add_cell {
    struct slab_cell head;
    _Atomic uint64_t epoch; /* release after the sum */
    _Atomic uint64_t sum;
};

struct slab_histogram_cell {
    struct slab_cell head;
    _Atomic uint64_t zeros, not_finite;
    _Atomic uint64_t sum;         /* of the finite values */
    _Atomic uint64_t least, most; /* of the finite values; +Inf and -Inf while there are none */
};
struct slab_run_cell {
    struct slab_cell head;
    int32_t first;    /* index of its first bucket, a multiple of 64 */
    int8_t scale;     /* 6 to -10 */
    uint8_t negative; /* 1: of negative values, by their absolute value */
    uint16_t reserved;
    _Atomic uint64_t counts[SLAB_RUN_BUCKETS];
};

_Static_assert(sizeof(struct slab_stats) == 128, "slab ABI");
_Static_assert(__builtin_offsetof(struct slab_stats, instruments_used) == 64, "slab ABI");
_Static_assert(sizeof(struct slab_instrument_head) == 8, "slab ABI");
_Static_assert(sizeof(struct slab_chunk) == 64, "slab ABI");
_Static_assert(sizeof(struct slab_cell) == 8, "slab ABI");
_Static_assert(sizeof(struct slab_counter_cell) == 16, "slab ABI");
_Static_assert(sizeof(struct slab_gauge_cell) == 48, "slab ABI");
_Static_assert(sizeof(struct slab_gauge_add_cell) == 24, "slab ABI");
_Static_assert(sizeof(struct slab_histogram_cell) == 48, "slab ABI");
_Static_assert(sizeof(struct slab_run_cell) == 528, "slab ABI");
_Static_assert(sizeof(double) == sizeof(uint64_t), "doubles are stored as words");

#endif

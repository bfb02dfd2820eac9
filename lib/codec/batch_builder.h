// SPDX-License-Identifier: Apache-2.0
/* The builder's inside, shared by batch_builder.c, batch_samples.c, batch_marks.c, batch_windows.c
 * (adding) and batch_encode.c (the bytes).
 *
 * Columns are written as they go: an add appends varints to a dozen columns, and encoding only
 * joins and compresses them. What spans share is found again and written once: strings, trace
 * ids, the upper bits of span ids (one block a recording thread), and shapes (name, kind,
 * status, flags, attribute keys). A span is complete only when the next one begins, as its
 * attributes follow it; until then it is "open".
 */
#ifndef WEFT_CODEC_BATCH_BUILDER_H
#define WEFT_CODEC_BATCH_BUILDER_H

#include <zstd.h>

#include "lib/codec/batch.h"
#include "lib/codec/batch_columns.h"
#include "lib/codec/column.h"
#include "lib/codec/hash_index.h"

struct builder_process {
    uint8_t uuid[16];
    uint32_t pid, host, service, version, instance, cell, ready, ending;
    enum process_state state;
    enum process_watched watched;
    uint64_t start_unix_ns, state_unix_ns, ready_unix_ns;
    uint32_t attribute_first, attribute_count;
};

struct builder_attribute {
    uint32_t key, type;
    uint64_t value;
};

struct builder_loss {
    uint32_t process, reason;
    uint64_t count, from_unix_ns, to_unix_ns;
};

/* A growing array; `items` of the type that its user knows. */
struct builder_array {
    void *items;
    size_t count, capacity;
};

#define ITEMS(array, type) ((type *)(array).items)

struct builder_block {
    uint64_t high;     /* unmixed id >> ID_LOW_BITS */
    uint32_t last_low; /* of the id that was last written in it */
};

struct builder_run {
    uint32_t value;
    uint32_t length; /* 0: nothing yet */
};

struct batch_builder {
    struct column columns[BATCH_COLUMNS];
    struct hash_index strings, traces, blocks, shapes;
    struct builder_array string_offsets; /* size_t, into STRING_BYTES, one more than strings */
    struct builder_array trace_ids;      /* struct trace_id */
    struct builder_array id_blocks;      /* struct builder_block */
    struct builder_array shape_offsets;  /* size_t, into shape_words, one more than shapes */
    struct builder_array shape_words;    /* uint32_t */
    struct builder_array last_ints;      /* int64_t, by key */
    struct builder_array processes, resource, losses;
    struct builder_array marks; /* struct batch_mark */
    size_t spans, samples, windows;
    uint32_t metrics, label_sets, series; /* how many there are */
    uint32_t last_series;
    int64_t last_sample_ms, last_exemplar_ms;
    uint32_t last_trace;
    uint64_t last_trace_hi, last_end;
    struct builder_run process_run, block_run;
    bool failed; /* memory was out */

    /* The open span. */
    bool open;
    struct builder_array words; /* uint32_t: its shape so far */
    uint64_t start_unix_ns;
    uint32_t dropped, status_message, tracestate, events, links;
    /* The column that counts the attributes of the event or link added last; BATCH_COLUMNS:
     * attributes are the span's own. */
    enum batch_column hanging;
    uint32_t hanging_attributes;

    ZSTD_CCtx *zstd;
    struct column message; /* scratch of batch_encode */
};

/* Room for `count` items in all. False, and b->failed: no memory. */
bool builder_array_grow(struct batch_builder *b, struct builder_array *a, size_t count,
                        size_t item_bytes);

/* Room for so many more. */
static inline bool builder_array_reserve(struct batch_builder *b, struct builder_array *a,
                                         size_t more, size_t item_bytes)
{
    return __builtin_expect(a->capacity - a->count >= more, 1) ||
           builder_array_grow(b, a, a->count + more, item_bytes);
}

/* Appends a value to an array of `type`. */
#define BUILDER_ADD(b, array, type, ...)                                                           \
    (builder_array_reserve(b, array, 1, sizeof(type))                                              \
         ? (void)(((type *)(array)->items)[(array)->count++] = __VA_ARGS__)                        \
         : (void)0)

/* Completes the open span, if there is one. */
void batch_builder_finish_span(struct batch_builder *b);

struct Weft__Batch;
/* The message's marks, in the arena. False: no memory. */
bool builder_put_marks(struct arena *arena, const struct batch_builder *b,
                       struct Weft__Batch *message);

/* Writes a run, unless it is empty. */
static inline void builder_put_run(struct column *column, const struct builder_run *run)
{
    if (run->length) {
        column_put(column, run->value);
        column_put(column, run->length);
    }
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* Blocks from spans by hand: built, encoded, decoded, grouped by trace, as the head has them. */
#ifndef TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_BLOCKS_H
#define TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_BLOCKS_H

#include "collector/query/traceql/engine.h"
#include "collector/query/traceql/parse.h"
#include "collector/traces/run.h"
#include "tests/unit/collector/spans.h"

static inline uint32_t text_in(struct spans *s, const char *text)
{
    return batch_string(s->builder, text, strlen(text));
}

/* Attributes of the span, event or link that was added last. */
static inline void with_text(struct spans *s, const char *key, const char *value)
{
    batch_attribute(s->builder, text_in(s, key), VALUE_STRING, text_in(s, value));
}
static inline void with_int(struct spans *s, const char *key, int64_t value)
{
    batch_attribute(s->builder, text_in(s, key), VALUE_INT, (uint64_t)value);
}
static inline void with_double(struct spans *s, const char *key, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    batch_attribute(s->builder, text_in(s, key), VALUE_DOUBLE, bits);
}
static inline void with_bool(struct spans *s, const char *key, bool value)
{
    batch_attribute(s->builder, text_in(s, key), VALUE_BOOL, value);
}
static inline void with_event(struct spans *s, const char *name, uint64_t at_ms)
{
    batch_event(s->builder, text_in(s, name), EPOCH + at_ms * MS);
}

/* A decoded batch and its block. */
struct block_by_hand {
    struct arena arena;
    struct batch *batch;
    struct span_run *runs;
    uint32_t *first, traces;
    struct block *block;
};

static inline bool same_trace(const struct batch *b, uint32_t x, uint32_t y)
{
    return b->trace_hi[x] == b->trace_hi[y] && b->trace_lo[x] == b->trace_lo[y];
}

/* Runs of a row each: the rows of a trace may be anywhere in the batch. */
static inline void group_rows(struct block_by_hand *h)
{
    const struct batch *b = h->batch;
    bool *taken = calloc(b->span_count + 1, sizeof *taken);
    uint32_t at = 0;
    h->runs = calloc(b->span_count + 1, sizeof *h->runs);
    h->first = calloc(b->span_count + 2, sizeof *h->first);
    for (uint32_t row = 0; row < b->span_count; row++) {
        if (taken[row])
            continue;
        h->first[h->traces++] = at;
        for (uint32_t other = row; other < b->span_count; other++) {
            if (!taken[other] && same_trace(b, row, other)) {
                taken[other] = true;
                h->runs[at++] = (struct span_run){.batch = b, .row = other, .count = 1};
            }
        }
    }
    h->first[h->traces] = at;
    free(taken);
}

/* The builder is gone then. */
static inline struct block_by_hand block_by_hand(struct spans *s)
{
    struct block_by_hand h = {.traces = 0};
    struct buffer bytes = spans_encode(s);
    int error;
    arena_init(&h.arena, 4096);
    h.batch = batch_decode(&h.arena, bytes.data, bytes.length, 16 << 20, &error);
    assert_non_null(h.batch);
    buffer_fini(&bytes);
    group_rows(&h);
    h.block = block_of_runs(h.runs, h.first, h.traces);
    assert_non_null(h.block);
    return h;
}

static inline void block_by_hand_fini(struct block_by_hand *h)
{
    block_close(&h->block);
    free(h->runs);
    free(h->first);
    arena_fini(&h->arena);
}

static inline struct traceql_query *parsed(struct arena *arena, const char *text)
{
    struct traceql_query *query;
    struct language_error e;
    if (traceql_parse(arena, text, strlen(text), &query, &e) != LANGUAGE_SOUND)
        fail_msg("%s\ncolumn %u: %s", text, e.column, e.message);
    return query;
}

#endif

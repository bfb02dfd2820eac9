// SPDX-License-Identifier: Apache-2.0
/* What the table tells in a round, as the collector would decode it. */
#ifndef WEFT_TESTS_AGENT_STATS_ROWS_H
#define WEFT_TESTS_AGENT_STATS_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/stats/table.h"

struct rows {
    struct stats_table *table;
    struct batch_builder *builder;
    struct arena arena;
    uint32_t serial;
    int64_t unix_ms;
    const struct batch *batch; /* of the last round */
};

static inline struct batch_str str(const char *text)
{
    return (struct batch_str){text, (uint32_t)strlen(text)};
}

static inline void rows_begin(struct rows *r, uint32_t series_max)
{
    *r = (struct rows){.builder = batch_builder_create(), .unix_ms = 1700000000000};
    struct stats_options options = {.host = "box", .series_max = series_max, .silent_rounds = 20};
    r->table = stats_table_create(&options);
    arena_init(&r->arena, 65536);
    assert_non_null(r->table);
    assert_non_null(r->builder);
}

static inline void rows_end(struct rows *r)
{
    stats_table_destroy(&r->table);
    batch_builder_destroy(&r->builder);
    arena_fini(&r->arena);
}

static inline void rows_decode(struct rows *r)
{
    struct buffer bytes = {0};
    int error;
    arena_reset(&r->arena);
    assert_int_equal(batch_encode(r->builder, &bytes), 0);
    r->batch = batch_decode(&r->arena, bytes.data, bytes.length, 16 << 20, &error);
    assert_non_null(r->batch);
    buffer_fini(&bytes);
}

/* The next round: how many rows there were. */
static inline size_t rows_round(struct rows *r)
{
    batch_builder_reset(r->builder);
    r->unix_ms += 1000;
    struct stats_batch b = {r->builder, ++r->serial, r->unix_ms, SIZE_MAX, 0};
    assert_true(stats_table_emit(r->table, &b));
    stats_table_end_round(r->table);
    rows_decode(r);
    assert_int_equal(r->batch->samples.count, b.rows);
    return b.rows;
}

/* "name{a=1,b=2}" of a series, its labels by name. */
static inline void rows_name(const struct rows *r, uint32_t series, char out[512])
{
    struct label room[LABELS_MAX];
    struct labels l;
    assert_true(batch_series_labels(r->batch, series, room, &l));
    struct batch_str metric = labels_get_text(&l, LABEL_METRIC);
    int at = snprintf(out, 512, "%.*s{", (int)metric.length, metric.bytes);
    for (uint32_t i = 0; i < l.count; i++)
        if (!batch_str_is(l.items[i].name, LABEL_METRIC))
            at += snprintf(out + at, 512 - (size_t)at, "%s%.*s=%.*s", out[at - 1] == '{' ? "" : ",",
                           (int)l.items[i].name.length, l.items[i].name.bytes,
                           (int)l.items[i].value.length, l.items[i].value.bytes);
    snprintf(out + at, 512 - (size_t)at, "}");
}

/* The row of a series in the last round; BATCH_NONE. */
static inline uint32_t rows_find(const struct rows *r, const char *name)
{
    char text[512];
    for (uint32_t i = 0; i < r->batch->samples.count; i++) {
        rows_name(r, r->batch->samples.series_of[i], text);
        if (strcmp(text, name) == 0)
            return i;
    }
    return BATCH_NONE;
}

static inline void assert_row(const struct rows *r, const char *name, enum sample_kind kind,
                              double value)
{
    uint32_t row = rows_find(r, name);
    if (row == BATCH_NONE) {
        char text[512];
        for (uint32_t i = 0; i < r->batch->samples.count; i++) {
            rows_name(r, r->batch->samples.series_of[i], text);
            print_message("there is %s\n", text);
        }
        fail_msg("no %s", name);
    }
    assert_int_equal(r->batch->samples.kind[row], kind);
    if (kind != SAMPLE_STALE && r->batch->samples.value[row] != value)
        fail_msg("%s is %g, expected %g", name, r->batch->samples.value[row], value);
}

#endif

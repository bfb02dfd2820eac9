// SPDX-License-Identifier: Apache-2.0
#include "collector/series/generation.h"

enum { ARENA_BLOCK_BYTES = 64 << 10 };

struct series_generation *series_generation_create(uint64_t number)
{
    struct series_generation *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->number = number;
    atomic_init(&g->references, 1);
    g->min_ms = INT64_MAX;
    g->max_ms = INT64_MIN;
    arena_init(&g->arena, ARENA_BLOCK_BYTES);
    return g;
}

void series_generation_destroy(struct series_generation **place)
{
    struct series_generation *g = *place;
    if (!g)
        return;
    arena_fini(&g->arena);
    free((void *)g->runs);
    free(g);
    *place = NULL;
}

uint64_t series_generation_bytes(const struct series_generation *g)
{
    return sizeof *g + g->arena.total_bytes + g->capacity * sizeof(struct head_run *);
}

static int reserve(struct series_generation *g)
{
    if (g->count < g->capacity)
        return 0;
    uint32_t more = g->capacity ? g->capacity * 2 : 256;
    struct head_run **runs = realloc((void *)g->runs, more * sizeof(struct head_run *));
    if (!runs)
        return -1;
    g->runs = runs;
    g->capacity = more;
    return 0;
}

struct head_run *series_generation_run(struct series_generation *g, struct head_series *series,
                                       uint32_t number)
{
    if (series->runs && series->runs->generation == g->number)
        return series->runs;
    struct head_run *run = reserve(g) == 0 ? arena_alloc(&g->arena, sizeof *run) : NULL;
    if (!run)
        return NULL;
    *run = (struct head_run){.generation = g->number, .older = series->runs, .series = number};
    stream_init(&run->front, series->has_fractions ? STREAM_FLOATS : STREAM_WHOLE);
    run->front_last = &run->front;
    g->runs[g->count++] = run;
    series->runs = run;
    return run;
}

struct stream *series_generation_stream(struct series_generation *g, enum stream_kind kind)
{
    struct stream *s = arena_alloc(&g->arena, sizeof *s);
    if (s)
        stream_init(s, kind);
    return s;
}

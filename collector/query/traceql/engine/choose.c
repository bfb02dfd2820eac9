// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/choose.h"

#include <stdlib.h>

#include "collector/query/traceql/engine/frame.h"
#include "collector/query/traceql/engine/sets.h"

struct traceql_choice {
    struct program program;
    struct arena block, trace;
};

struct traceql_choice *traceql_choice_create(const struct traceql_query *query)
{
    struct traceql_choice *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    arena_init(&c->block, 64 << 10);
    arena_init(&c->trace, 16 << 10);
    if (program_init(&c->program, query->pipeline) != 0)
        traceql_choice_destroy(&c);
    return c;
}

void traceql_choice_destroy(struct traceql_choice **place)
{
    struct traceql_choice *c = *place;
    if (!c)
        return;
    program_fini(&c->program);
    arena_fini(&c->block);
    arena_fini(&c->trace);
    free(c);
    *place = NULL;
}

static bool mark_trace(struct traceql_choice *c, struct frame *f, uint32_t trace, uint64_t *rows)
{
    const struct block_trace *t = &f->view.block->traces[trace];
    arena_reset(&c->trace);
    struct scene s = {.frame = f, .arena = &c->trace, .row = t->row, .end = t->row + t->count};
    for (const struct set *set = sets_of_trace(&s, trace); set; set = set->next) {
        for (uint32_t i = 0; i < set->count; i++)
            bits_set(rows, set->rows[i]);
    }
    return !s.failed;
}

int traceql_choose(struct traceql_choice *c, struct block *block, uint64_t *rows)
{
    struct frame f;
    arena_reset(&c->block);
    memset(rows, 0, bits_words(block->rows) * sizeof *rows);
    if (frame_init(&f, &c->program, block, &c->block) != 0)
        return -1;
    const uint64_t *narrow = frame_narrow(&f);
    if (!narrow)
        return -1;
    for (uint32_t i = 0; i < block->trace_count; i++) {
        const struct block_trace *t = &block->traces[i];
        if (bits_any_in(narrow, t->row, t->row + t->count) && !mark_trace(c, &f, i, rows))
            return -1;
    }
    return 0;
}

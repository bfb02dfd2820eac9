// SPDX-License-Identifier: Apache-2.0
/* Trees by hand, for tests of the analyses: built with the agent's builder and decoded, so that
 * what is analysed went through the real bytes. */
#ifndef TESTS_UNIT_COLLECTOR_QUERY_ANALYSIS_TREES_H
#define TESTS_UNIT_COLLECTOR_QUERY_ANALYSIS_TREES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/analysis/node.h"
#include "collector/query/tree.h"

#define TREES_EPOCH UINT64_C(1763760000000000000) /* a moment that tests count from */

struct plan {
    struct batch_builder *builder;
    struct trace_id id;
    uint64_t spans;
};

struct grown { /* a tree and what it stands on */
    struct arena arena;
    struct tree tree;
    struct trace_id id;
};

/* Times are in ns since TREES_EPOCH. */
struct planned {
    uint32_t process;
    const char *name;
    uint64_t id, parent;
    uint64_t at, lasts;
    enum span_kind kind;
    enum span_status status;
    const char *message;
    unsigned flags, dropped;
};

static inline struct plan plan_begin(uint64_t trace)
{
    struct plan p = {batch_builder_create(), {UINT64_C(0x018f000000000000), trace + 1}, 0};
    assert_non_null(p.builder);
    return p;
}

static inline uint32_t plan_process(struct plan *p, unsigned number, const char *service,
                                    const char *host)
{
    struct batch_process_info info = {
        .uuid = {(uint8_t)number, (uint8_t)(number >> 8), 1},
        .host = host,
        .pid = number,
        .start_unix_ns = TREES_EPOCH,
        .service = service,
    };
    return batch_process(p->builder, &info);
}

static inline void plan_span(struct plan *p, struct planned s)
{
    const char *name = s.name ? s.name : "work", *message = s.message ? s.message : "";
    batch_span_add(p->builder,
                   &(struct batch_span){
                       .process = s.process,
                       .name = batch_string(p->builder, name, strlen(name)),
                       .trace_id = p->id,
                       .span_id = s.id,
                       .parent_id = s.parent,
                       .start_unix_ns = TREES_EPOCH + s.at,
                       .duration_ns = s.lasts,
                       .kind = (uint8_t)s.kind,
                       .status = (uint8_t)s.status,
                       .flags = (uint8_t)s.flags,
                       .dropped_attributes = (uint8_t)s.dropped,
                       .status_message = batch_string(p->builder, message, strlen(message)),
                   });
    p->spans++;
}

/* Of the span planned last. */
static inline void plan_attribute(struct plan *p, const char *key, const char *value)
{
    uint32_t k = batch_string(p->builder, key, strlen(key));
    batch_attribute(p->builder, k, VALUE_STRING, batch_string(p->builder, value, strlen(value)));
}

static inline struct grown grow(struct plan *p)
{
    struct grown g = {.id = p->id};
    struct buffer bytes = {0};
    int error;
    assert_int_equal(batch_encode(p->builder, &bytes), 0);
    batch_builder_destroy(&p->builder);
    arena_init(&g.arena, 4096);
    struct batch *batch = batch_decode(&g.arena, bytes.data, bytes.length, (size_t)1 << 30, &error);
    buffer_fini(&bytes);
    assert_non_null(batch);
    struct span_run run = {.batch = batch, .count = batch->span_count};
    assert_int_equal(tree_build(&g.tree, &run, 1), 0);
    return g;
}

static inline void fell(struct grown *g)
{
    tree_fini(&g->tree);
    arena_fini(&g->arena);
}

static inline uint32_t node_with_id(const struct tree *t, uint64_t span_id)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (node_span_id(t, i) == span_id)
            return i;
    }
    fail_msg("span %llu is not in the tree", (unsigned long long)span_id);
    return TREE_NONE;
}

#endif

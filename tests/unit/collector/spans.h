// SPDX-License-Identifier: Apache-2.0
/* Spans by hand, for tests of the collector: built with the agent's builder, so that what a
 * test stores went through the real bytes. */
#ifndef TESTS_UNIT_COLLECTOR_SPANS_H
#define TESTS_UNIT_COLLECTOR_SPANS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/traces/inflight.h"
#include "collector/traces/store.h"
#include "tests/unit/directory.h"

#define MS    UINT64_C(1000000)
#define EPOCH UINT64_C(1763760000000000000) /* a moment that tests count from */

struct spans {
    struct batch_builder *builder;
};

/* Zero fields have sensible meanings: trace 0 is a trace too. */
struct span_by_hand {
    uint32_t process;
    const char *name;
    uint64_t trace, id, parent;
    uint64_t at_ms, for_ms; /* since EPOCH */
    enum span_kind kind;
    enum span_status status;
};

static inline struct trace_id trace_by_hand(uint64_t trace)
{
    return (struct trace_id){UINT64_C(0x018f000000000000), trace + 1};
}

static inline void spans_begin(struct spans *s)
{
    s->builder = batch_builder_create();
    assert_non_null(s->builder);
}

/* The uuid is made from `number`: the same number is the same process. */
static inline uint32_t spans_process_in(struct spans *s, unsigned number, const char *service,
                                        enum process_state state)
{
    char instance[32];
    snprintf(instance, sizeof instance, "%s-%u", service, number);
    struct batch_process_info info = {
        .uuid = {(uint8_t)number, (uint8_t)(number >> 8), 1},
        .host = "box1",
        .pid = 1000 + number,
        .start_unix_ns = EPOCH - 1000 * MS,
        .service = service,
        .version = "1.0",
        .instance = instance,
        .cell = "c1",
        .state = state,
        .state_unix_ns = state == PROCESS_ALIVE ? 0 : EPOCH + 5000 * MS,
    };
    return batch_process(s->builder, &info);
}

static inline uint32_t spans_process(struct spans *s, unsigned number, const char *service)
{
    return spans_process_in(s, number, service, PROCESS_ALIVE);
}

static inline void spans_add(struct spans *s, struct span_by_hand by_hand)
{
    const char *name = by_hand.name ? by_hand.name : "work";
    batch_span_add(s->builder, &(struct batch_span){
                                   .process = by_hand.process,
                                   .name = batch_string(s->builder, name, strlen(name)),
                                   .trace_id = trace_by_hand(by_hand.trace),
                                   .span_id = by_hand.id,
                                   .parent_id = by_hand.parent,
                                   .start_unix_ns = EPOCH + by_hand.at_ms * MS,
                                   .duration_ns = by_hand.for_ms * MS,
                                   .kind = (uint8_t)by_hand.kind,
                                   .status = (uint8_t)by_hand.status,
                               });
}

/* The encoded batch; the builder is gone then. The caller frees with buffer_fini. */
static inline struct buffer spans_encode(struct spans *s)
{
    struct buffer bytes = {0};
    assert_int_equal(batch_encode(s->builder, &bytes), 0);
    batch_builder_destroy(&s->builder);
    return bytes;
}

/* A store in a fresh directory, whose name goes to `directory`. */
static inline struct store *spans_store(char directory[64], const struct store_options *options)
{
    char why[256] = "";
    struct store_options o = *options;
    strcpy(directory, "/tmp/weft-store-XXXXXX");
    assert_non_null(mkdtemp(directory));
    o.directory = directory;
    struct store *store = store_open(&o, why, sizeof why);
    if (!store)
        fail_msg("%s", why);
    return store;
}

static inline void spans_store_remove(struct store **store, const char *directory)
{
    store_close(store);
    assert_int_equal(directory_remove(directory), 0);
}

static inline void spans_insert_from(struct spans *s, struct store *store, const char *agent)
{
    static uint64_t frame;
    struct buffer bytes = spans_encode(s);
    struct store_staged staged;
    assert_int_equal(store_decode(store, NULL, bytes.data, bytes.length, 16 << 20, &staged),
                     BATCH_OK);
    assert_int_equal(store_insert(store, &staged, agent, (struct journal_position){1, ++frame}), 0);
    buffer_fini(&bytes);
}

static inline void spans_insert(struct spans *s, struct store *store)
{
    spans_insert_from(s, store, "box1");
}

static inline void spans_put_inflight(struct spans *s, struct inflight *inflight,
                                      uint64_t now_unix_ns)
{
    struct buffer bytes = spans_encode(s);
    assert_int_equal(inflight_put(inflight, "box1", bytes.data, bytes.length, now_unix_ns),
                     BATCH_OK);
    buffer_fini(&bytes);
}

#endif

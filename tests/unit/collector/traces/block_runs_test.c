// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/block.h"

#include "collector/traces/run.h"
#include "tests/unit/collector/spans.h"

struct fixture {
    struct arena arena;
    const struct batch *batches[2];
    struct block *block;
};

/* Two batches with parts of two traces: their dictionaries have the same strings elsewhere. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 4096);
    for (unsigned i = 0; i < 2; i++) {
        struct spans s;
        spans_begin(&s);
        if (i == 1)
            batch_string(s.builder, "in the way", 10);
        uint32_t process = spans_process(&s, i + 1, i ? "cell" : "web");
        batch_process_attribute(s.builder, batch_string(s.builder, "zone", 4), VALUE_STRING,
                                batch_string(s.builder, i ? "b" : "a", 1));
        for (uint64_t trace = 0; trace < 2; trace++) {
            spans_add(&s, (struct span_by_hand){process, i ? "get" : "read", trace,
                                                .id = trace * 10 + i + 1,
                                                .parent = i ? trace * 10 + 1 : 0, .at_ms = i});
            batch_attribute(s.builder, batch_string(s.builder, "n", 1), VALUE_INT, trace + i);
            batch_attribute(s.builder, batch_string(s.builder, "who", 3), VALUE_STRING,
                            batch_string(s.builder, i ? "cell" : "web", i ? 4 : 3));
            batch_event(s.builder, batch_string(s.builder, "retry", 5), EPOCH + trace);
            batch_attribute(s.builder, batch_string(s.builder, "n", 1), VALUE_BOOL, 1);
        }
        struct buffer bytes = spans_encode(&s);
        int error;
        f->batches[i] = batch_decode(&f->arena, bytes.data, bytes.length, 1 << 20, &error);
        assert_non_null(f->batches[i]);
        buffer_fini(&bytes);
    }
#define RUN(of, at)                                                                                \
    {                                                                                              \
        .batch = f->batches[of], .row = (at), .count = 1                                           \
    }
    const struct span_run runs[] = {RUN(1, 0), RUN(0, 0), RUN(0, 1), RUN(1, 1)};
    f->block = block_of_runs(runs, (uint32_t[]){0, 2, 4}, 2);
    assert_non_null(f->block);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    block_close(&f->block);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static void traces_stand_in_tree_order(void **state)
{
    struct fixture *f = *state;
    const uint64_t *ids = block_u64(f->block, BLOCK_SPAN_ID);
    const uint32_t *parents = block_u32(f->block, BLOCK_PARENT);
    assert_int_equal(f->block->rows, 4);
    assert_int_equal(f->block->trace_count, 2);
    assert_int_equal(f->block->traces[1].row, 2);
    assert_int_equal(f->block->traces[1].id.lo, trace_by_hand(1).lo);
    for (uint32_t row = 0; row < 4; row++) {
        assert_int_equal(ids[row], row / 2 * 10 + row % 2 + 1);
        assert_int_equal(parents[row], row % 2 ? row - 1 : BLOCK_NONE);
    }
}

static void strings_and_processes_of_all_batches_are_one_table(void **state)
{
    struct fixture *f = *state;
    const struct block_strings *strings = block_strings(f->block);
    const uint32_t *names = block_u32(f->block, BLOCK_NAME);
    const struct block_processes *processes = block_processes(f->block);
    const uint32_t *process = block_u32(f->block, BLOCK_PROCESS);
    for (uint32_t row = 0; row < 4; row++) {
        const char *name = row % 2 ? "get" : "read", *service = row % 2 ? "cell" : "web";
        const struct batch_process_view *p = &processes->list[process[row]];
        assert_memory_equal(strings->list[names[row]].bytes, name, strlen(name));
        assert_memory_equal(p->service.bytes, service, strlen(service));
        struct batch_str zone = processes->strings[processes->resource->value[p->attribute_first]];
        assert_memory_equal(zone.bytes, row % 2 ? "b" : "a", 1);
    }
}

static void an_attribute_is_gathered_by_row(void **state)
{
    struct fixture *f = *state;
    const struct block_attribute *n = block_attribute(f->block, BLOCK_SPAN, "n", 1);
    const uint32_t *rows = block_attribute_rows(f->block, n);
    assert_int_equal(n->count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(rows[i], i);
        assert_int_equal(n->value[i], i / 2 + i % 2);
    }
    const struct block_attribute *who = block_attribute(f->block, BLOCK_SPAN, "who", 3);
    struct batch_str last = block_strings(f->block)->list[who->value[3]];
    assert_memory_equal(last.bytes, "cell", 4);
    assert_int_equal(block_attribute(f->block, BLOCK_SPAN, "none", 4)->count, 0);
    assert_ptr_equal(block_attribute(f->block, BLOCK_SPAN, "n", 1), n);
}

static void events_hang_on_their_rows(void **state)
{
    struct fixture *f = *state;
    const struct block_events *events = block_events(f->block);
    const struct block_attribute *n = block_attribute(f->block, BLOCK_EVENT, "n", 1);
    assert_int_equal(events->count, 4);
    assert_int_equal(n->count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(events->row[i], i);
        assert_int_equal(events->unix_ns[i], EPOCH + i / 2);
        assert_int_equal(n->type[i], VALUE_BOOL);
        assert_int_equal(block_attribute_rows(f->block, n)[i], i);
        assert_int_equal(block_attribute_items(f->block, n)[i], i);
    }
    assert_int_equal(block_links(f->block)->count, 0);
}

static void count_key(void *context, struct batch_str key)
{
    (void)key;
    ++*(unsigned *)context;
}

static void keys_are_told_by_scope(void **state)
{
    struct fixture *f = *state;
    unsigned spans = 0, events = 0, links = 0;
    assert_true(block_keys(f->block, BLOCK_SPAN, count_key, &spans));
    assert_true(block_keys(f->block, BLOCK_EVENT, count_key, &events));
    assert_true(block_keys(f->block, BLOCK_LINK, count_key, &links));
    assert_int_equal(spans, 4); /* two of each batch */
    assert_int_equal(events, 2);
    assert_int_equal(links, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(traces_stand_in_tree_order),
        TEST(strings_and_processes_of_all_batches_are_one_table),
        TEST(an_attribute_is_gathered_by_row),
        TEST(events_hang_on_their_rows),
        TEST(keys_are_told_by_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "collector/query/tree.h"

#include "tests/unit/collector/spans.h"

struct fixture {
    struct store *store;
    char directory[64];
    struct arena arena;
    struct store_hold hold;
    struct span_run *runs;
    struct tree tree;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->store = spans_store(f->directory, &(struct store_options){.head_bytes = 64 << 20});
    arena_init(&f->arena, 4096);
    *state = f;
    return f->store ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    tree_fini(&f->tree);
    free(f->runs);
    if (f->hold.store)
        store_release(&f->hold);
    arena_fini(&f->arena);
    spans_store_remove(&f->store, f->directory);
    free(f);
    return 0;
}

static struct tree *build(struct fixture *f)
{
    size_t count;
    store_hold(f->store, &f->hold);
    assert_int_equal(store_find(&f->hold, trace_by_hand(0), true, &f->arena, &f->runs, &count), 0);
    assert_int_equal(tree_build(&f->tree, f->runs, count), 0);
    return &f->tree;
}

static uint64_t id_at(const struct tree *t, uint32_t place)
{
    const struct tree_node *n = &t->nodes[place];
    return n->batch->span_id[n->row];
}

static unsigned flags_of(const struct tree *t, uint64_t span_id)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (id_at(t, i) == span_id)
            return t->nodes[i].flags;
    }
    fail_msg("span %llu is not in the tree", (unsigned long long)span_id);
    return 0;
}

static void assert_order(const struct tree *t, const uint64_t *ids, uint32_t count)
{
    assert_int_equal(t->count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(id_at(t, i), ids[i]);
}

static void parents_come_first_and_siblings_by_start(void **state)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s, (struct span_by_hand){web, "b", .id = 3, .parent = 1, .at_ms = 20, .for_ms = 5});
    spans_add(&s, (struct span_by_hand){web, "aa", .id = 4, .parent = 2, .at_ms = 12});
    spans_add(&s, (struct span_by_hand){web, "a", .id = 2, .parent = 1, .at_ms = 10, .for_ms = 5});
    spans_add(&s, (struct span_by_hand){web, "root", .id = 1, .at_ms = 0, .for_ms = 30});
    struct fixture *f = *state;
    spans_insert(&s, f->store);
    struct tree *t = build(f);
    assert_order(t, (uint64_t[]){1, 2, 4, 3}, 4);
    assert_true(tree_complete(t));
    assert_int_equal(t->start_unix_ns, EPOCH);
    assert_int_equal(t->end_unix_ns, EPOCH + 30 * MS);
    assert_int_equal(id_at(t, 0), 1);
}

static void a_missing_parent_makes_an_orphan_at_the_top_level(void **state)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s, (struct span_by_hand){web, "root", .id = 1, .for_ms = 30});
    spans_add(&s, (struct span_by_hand){web, "lost", .id = 5, .parent = 99, .at_ms = 3});
    spans_add(&s, (struct span_by_hand){web, "below", .id = 6, .parent = 5, .at_ms = 4});
    struct fixture *f = *state;
    spans_insert(&s, f->store);
    struct tree *t = build(f);
    assert_order(t, (uint64_t[]){1, 5, 6}, 3);
    assert_int_equal(flags_of(t, 5), TREE_ORPHAN);
    assert_int_equal(flags_of(t, 6), 0);
    assert_false(tree_complete(t));
}

static void two_roots_are_not_complete(void **state)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s, (struct span_by_hand){web, "root", .id = 1});
    spans_add(&s, (struct span_by_hand){web, "second", .id = 2, .at_ms = 1});
    struct fixture *f = *state;
    spans_insert(&s, f->store);
    struct tree *t = build(f);
    assert_int_equal(t->roots, 2);
    assert_false(tree_complete(t));
    assert_int_equal(t->nodes[t->root].batch->span_id[t->nodes[t->root].row], 1);
}

static void a_span_that_came_twice_is_there_once(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        struct spans s;
        spans_begin(&s);
        uint32_t web = spans_process(&s, 1, "web");
        spans_add(&s, (struct span_by_hand){web, "root", .id = 1, .for_ms = 3});
        spans_insert(&s, f->store);
    }
    struct tree *t = build(f);
    assert_int_equal(t->count, 1);
    assert_true(tree_complete(t));
}

static void ended_beats_died_beats_in_flight(void **state)
{
    static const enum span_status came[] = {SPAN_IN_FLIGHT, SPAN_DIED, SPAN_OK, SPAN_DIED};
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        struct spans s;
        spans_begin(&s);
        uint32_t web = spans_process(&s, 1, "web");
        spans_add(&s, (struct span_by_hand){web, "root", .id = 1, .for_ms = 3, .status = came[i]});
        spans_insert(&s, f->store);
    }
    struct tree *t = build(f);
    assert_int_equal(t->count, 1);
    assert_int_equal(t->died, 0);
    assert_int_equal(t->in_flight, 0);
}

static void different_spans_with_one_id_stay_and_the_later_is_marked(void **state)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web"), cell = spans_process(&s, 2, "cell");
    spans_add(&s, (struct span_by_hand){web, "root", .id = 1});
    spans_add(&s, (struct span_by_hand){cell, "server", .id = 2, .parent = 1, .at_ms = 2});
    spans_add(&s, (struct span_by_hand){web, "client", .id = 2, .parent = 1, .at_ms = 1});
    spans_add(&s, (struct span_by_hand){cell, "below", .id = 3, .parent = 2, .at_ms = 3});
    struct fixture *f = *state;
    spans_insert(&s, f->store);
    struct tree *t = build(f);
    assert_order(t, (uint64_t[]){1, 2, 3, 2}, 4);
    assert_int_equal(t->nodes[1].flags, 0);
    assert_int_equal(t->nodes[3].flags, TREE_DUPLICATE);
}

static void parents_that_go_round_are_cut_at_the_earliest(void **state)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s, (struct span_by_hand){web, "tail", .id = 9, .parent = 3, .at_ms = 0});
    spans_add(&s, (struct span_by_hand){web, "c", .id = 3, .parent = 2, .at_ms = 3});
    spans_add(&s, (struct span_by_hand){web, "a", .id = 1, .parent = 3, .at_ms = 1});
    spans_add(&s, (struct span_by_hand){web, "b", .id = 2, .parent = 1, .at_ms = 2});
    spans_add(&s, (struct span_by_hand){web, "self", .id = 7, .parent = 7, .at_ms = 9});
    struct fixture *f = *state;
    spans_insert(&s, f->store);
    struct tree *t = build(f);
    assert_order(t, (uint64_t[]){1, 2, 3, 9, 7}, 5);
    assert_int_equal(flags_of(t, 1), TREE_CYCLE);
    assert_int_equal(flags_of(t, 7), TREE_CYCLE);
    assert_int_equal(t->cycles, 2);
    assert_false(tree_complete(t));
}

static void a_chain_of_a_hundred_thousand_is_walked_without_recursion(void **state)
{
    enum { DEEP = 100000 };
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    for (uint64_t i = DEEP; i-- > 0;)
        spans_add(&s, (struct span_by_hand){web, "deep", .id = i + 1, .parent = i});
    struct fixture *f = *state;
    spans_insert(&s, f->store);
    struct tree *t = build(f);
    assert_int_equal(t->count, DEEP);
    assert_true(tree_complete(t));
    assert_int_equal(id_at(t, DEEP - 1), DEEP);
}

static void ends_beyond_the_end_of_time_do_not_wrap(void **state)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    batch_span_add(s.builder, &(struct batch_span){.process = web,
                                                   .trace_id = trace_by_hand(0),
                                                   .span_id = 1,
                                                   .start_unix_ns = EPOCH,
                                                   .duration_ns = UINT64_MAX});
    struct fixture *f = *state;
    spans_insert(&s, f->store);
    struct tree *t = build(f);
    assert_true(t->end_unix_ns == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(parents_come_first_and_siblings_by_start),
        TEST(a_missing_parent_makes_an_orphan_at_the_top_level),
        TEST(two_roots_are_not_complete),
        TEST(a_span_that_came_twice_is_there_once),
        TEST(ended_beats_died_beats_in_flight),
        TEST(different_spans_with_one_id_stay_and_the_later_is_marked),
        TEST(parents_that_go_round_are_cut_at_the_earliest),
        TEST(a_chain_of_a_hundred_thousand_is_walked_without_recursion),
        TEST(ends_beyond_the_end_of_time_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

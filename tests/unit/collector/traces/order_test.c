// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/model/span.h"

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct order));
    return 0;
}

static int teardown(void **state)
{
    order_fini(*state);
    free(*state);
    return 0;
}

static void assert_rows(const struct order *o, const struct order_span *spans, uint32_t count,
                        const uint64_t *ids, const uint32_t *parents)
{
    assert_int_equal(o->count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(spans[o->span[i]].span_id, ids[i]);
        assert_int_equal(o->parent[i], parents[i]);
    }
}

static void parents_come_first_and_siblings_by_start(void **state)
{
    struct order *o = *state;
    const struct order_span spans[] = {
        {4, 2, 12, 0, 0}, {3, 1, 20, 0, 0}, {2, 1, 10, 0, 0}, {1, 0, 0, 0, 0}};
    assert_int_equal(order_trace(o, spans, 4), 0);
    assert_rows(o, spans, 4, (uint64_t[]){1, 2, 4, 3}, (uint32_t[]){ORDER_NONE, 0, 1, 0});
}

static void the_better_copy_stays(void **state)
{
    struct order *o = *state;
    const struct order_span spans[] = {
        {1, 0, 5, 7, SPAN_IN_FLIGHT}, {1, 0, 5, 7, SPAN_OK}, {1, 0, 5, 7, SPAN_DIED}};
    assert_int_equal(order_trace(o, spans, 3), 0);
    assert_int_equal(o->count, 1);
    assert_int_equal(o->span[0], 1);
}

static void an_equal_id_in_another_process_is_a_duplicate(void **state)
{
    struct order *o = *state;
    const struct order_span spans[] = {{1, 0, 5, 7, 0}, {1, 0, 6, 8, 0}, {2, 1, 7, 7, 0}};
    assert_int_equal(order_trace(o, spans, 3), 0);
    assert_rows(o, spans, 3, (uint64_t[]){1, 2, 1}, (uint32_t[]){ORDER_NONE, 0, ORDER_NONE});
    assert_int_equal(o->flags[2], ORDER_DUPLICATE);
    assert_int_equal(o->span[1], 2);
}

static void circles_are_cut_and_orphans_marked(void **state)
{
    struct order *o = *state;
    const struct order_span spans[] = {
        {1, 2, 5, 0, 0}, {2, 1, 4, 0, 0}, {3, 99, 1, 0, 0}, {4, 4, 9, 0, 0}};
    assert_int_equal(order_trace(o, spans, 4), 0);
    assert_rows(o, spans, 4, (uint64_t[]){3, 2, 1, 4},
                (uint32_t[]){ORDER_NONE, ORDER_NONE, 1, ORDER_NONE});
    assert_int_equal(o->flags[0], ORDER_ORPHAN);
    assert_int_equal(o->flags[1], ORDER_CYCLE);
    assert_int_equal(o->flags[3], ORDER_CYCLE);
}

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* Every row's parent is before it, and what is below a row follows it without a gap. */
static void assert_tree_order(const struct order *o)
{
    for (uint32_t i = 1; i < o->count; i++) {
        if (o->parent[i] == ORDER_NONE)
            continue;
        assert_true(o->parent[i] < i);
        uint32_t at = i - 1; /* the parent is the row before, or one of its ancestors */
        while (at != ORDER_NONE && at != o->parent[i])
            at = o->parent[at];
        assert_int_equal(at, o->parent[i]);
    }
}

static void any_ids_make_a_tree(void **state)
{
    struct order *o = *state;
    uint64_t seed = 1;
    for (int round = 0; round < 3000; round++) {
        struct order_span spans[300];
        uint32_t count = round < 2900 ? (uint32_t)next(&seed) % 12 : 300;
        for (uint32_t i = 0; i < count; i++)
            spans[i] = (struct order_span){1 + next(&seed) % (count + 2), next(&seed) % (count + 3),
                                           next(&seed) % 20, (uint32_t)next(&seed) % 3,
                                           (uint8_t)(next(&seed) % SPAN_STATUSES)};
        assert_int_equal(order_trace(o, spans, count), 0);
        assert_true(o->count <= count);
        assert_tree_order(o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(parents_come_first_and_siblings_by_start),
        TEST(the_better_copy_stays),
        TEST(an_equal_id_in_another_process_is_a_duplicate),
        TEST(circles_are_cut_and_orphans_marked),
        TEST(any_ids_make_a_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/rank.h"

#include <math.h>

#include "tests/unit/collector/query/analysis/trees.h"

static struct grown one_span(const char *name, uint64_t lasts, enum span_status status)
{
    struct plan p = plan_begin(lasts);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, name, .id = 1, .lasts = lasts, .status = status});
    return grow(&p);
}

static double rank(const struct rank *r, const char *name, uint64_t lasts, uint64_t *among)
{
    struct grown g = one_span(name, lasts, SPAN_OK);
    double result = rank_of(r, &g.tree, 0, among);
    fell(&g);
    return result;
}

static void a_span_is_ranked_among_its_operation(void **state)
{
    (void)state;
    struct rank r;
    uint64_t among;
    rank_init(&r, 100);
    assert_true(rank(&r, "get", 50, &among) == -1);
    for (uint64_t i = 1; i <= 1000; i++) {
        struct grown g = one_span(i % 2 ? "get" : "put", 1000 * i, SPAN_OK);
        assert_int_equal(rank_add(&r, &g.tree), 0);
        fell(&g);
    }
    assert_true(fabs(rank(&r, "get", 500000, &among) - 0.5) < 0.01);
    assert_int_equal(among, 500);
    assert_true(rank(&r, "get", 5, &among) == 0);
    assert_true(rank(&r, "get", 9000000, &among) == 1);
    assert_true(rank(&r, "other", 9000000, &among) == -1);
    assert_int_equal(among, 0);
    rank_fini(&r);
}

static void what_has_not_ended_by_itself_is_not_counted(void **state)
{
    (void)state;
    struct rank r;
    uint64_t among;
    rank_init(&r, 100);
    for (enum span_status status = SPAN_UNSET; status <= SPAN_IN_FLIGHT; status++) {
        struct grown g = one_span("get", 7, status);
        assert_int_equal(rank_add(&r, &g.tree), 0);
        fell(&g);
    }
    rank(&r, "get", 7, &among);
    assert_int_equal(among, 3);
    rank_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_span_is_ranked_among_its_operation),
        cmocka_unit_test(what_has_not_ended_by_itself_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

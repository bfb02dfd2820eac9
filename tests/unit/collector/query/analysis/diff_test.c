// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/diff.h"

#include "tests/unit/collector/query/analysis/trees.h"

static void add(struct diff *d, enum diff_side side, struct plan *p)
{
    struct grown g = grow(p);
    struct timeline l;
    struct critical_path path;
    assert_int_equal(timeline_build(&l, &g.tree, NULL), 0);
    assert_int_equal(critical_path_build(&path, &g.tree, &l, TREE_NONE), 0);
    assert_int_equal(diff_add(d, side, &g.tree, &l, &path, g.id), 0);
    critical_path_fini(&path);
    timeline_fini(&l);
    fell(&g);
}

/* A request of 100 + `slow`, of which 20 + `slow` are in redis; and with a retry or not. */
static void add_request(struct diff *d, enum diff_side side, uint64_t trace, uint64_t slow,
                        bool retry)
{
    struct plan p = plan_begin(trace);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p,
              (struct planned){web, "GET /", .id = 1, .lasts = 100 + slow, .kind = SPAN_SERVER});
    plan_span(&p, (struct planned){web, "redis", .id = 2, .parent = 1, .at = 10, .lasts = 20 + slow,
                                   .kind = SPAN_CLIENT});
    if (retry)
        plan_span(&p, (struct planned){web, "retry", .id = 3, .parent = 1, .at = 50 + slow,
                                       .lasts = 5, .status = SPAN_ERROR});
    add(d, side, &p);
}

static const struct diff_row *row(const struct diff *d, const struct diff_row *rows, uint32_t count,
                                  const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (batch_str_is(diff_operation(d, rows[i].key)->name, name))
            return &rows[i];
    }
    fail_msg("no row %s", name);
    return NULL;
}

static void what_changed_most_on_the_critical_path_comes_first(void **state)
{
    (void)state;
    struct diff d;
    uint32_t count;
    diff_init(&d, DIFF_BY_OPERATION, 100);
    for (uint64_t i = 0; i < 10; i++)
        add_request(&d, DIFF_A, i, 0, false);
    for (uint64_t i = 0; i < 5; i++)
        add_request(&d, DIFF_B, 100 + i, i == 3 ? 500 : 0, true);
    struct diff_row *rows = diff_rows(&d, &count);
    assert_int_equal(count, 3);
    assert_true(batch_str_is(diff_operation(&d, rows[0].key)->name, "redis"));
    assert_true(rows[0].critical_change_ns == 100);
    assert_true(rows[0].self_change_ns == 100);
    assert_true(rows[0].spans_change == 0);
    assert_int_equal(rows[0].side[DIFF_A].total_ns, 200);
    assert_int_equal(rows[0].side[DIFF_B].critical_ns, 600);
    assert_int_equal(rows[0].side[DIFF_B].exemplar.lo, 104);
    const struct diff_row *retry = row(&d, rows, count, "retry");
    assert_int_equal(retry->side[DIFF_A].traces, 0);
    assert_int_equal(retry->side[DIFF_B].traces, 5);
    assert_int_equal(retry->side[DIFF_B].errors, 5);
    assert_true(retry->spans_change == 1);
    const struct diff_row *root = row(&d, rows, count, "GET /");
    assert_true(root->critical_change_ns == -5);
    assert_int_equal(d.total_ns[DIFF_B], 1000);
    free(rows);
    diff_fini(&d);
}

static void by_path_the_same_operation_elsewhere_is_another(void **state)
{
    (void)state;
    struct diff d;
    uint32_t count;
    diff_init(&d, DIFF_BY_PATH, 100);
    for (int side = 0; side < 2; side++) {
        struct plan p = plan_begin((uint64_t)side);
        uint32_t web = plan_process(&p, 1, "web", "box1");
        plan_span(&p, (struct planned){web, "root", .id = 1, .lasts = 100});
        plan_span(&p, (struct planned){web, "a", .id = 2, .parent = 1, .at = 10, .lasts = 20});
        plan_span(&p, (struct planned){web, "b", .id = 3, .parent = 1, .at = 50, .lasts = 20});
        plan_span(&p, (struct planned){web, "get", .id = 4, .parent = side ? 3 : 2,
                                       .at = side ? 55 : 15, .lasts = 7});
        plan_span(&p, (struct planned){web, "get", .id = 5, .parent = 1, .at = 90, .lasts = 1});
        add(&d, (enum diff_side)side, &p);
    }
    struct diff_row *rows = diff_rows(&d, &count);
    assert_int_equal(count, 6); /* root, a, b, get three times */
    unsigned gets = 0, only_one_side = 0;
    for (uint32_t i = 0; i < count; i++) {
        gets += batch_str_is(diff_operation(&d, rows[i].key)->name, "get");
        only_one_side += rows[i].side[DIFF_A].spans == 0 || rows[i].side[DIFF_B].spans == 0;
    }
    assert_int_equal(gets, 3);
    assert_int_equal(only_one_side, 2);
    assert_true(rows[0].critical_change_ns == 7 || rows[0].critical_change_ns == -7);
    free(rows);
    diff_fini(&d);
}

static void beyond_the_limit_sums_go_into_one_row(void **state)
{
    (void)state;
    for (enum diff_by by = DIFF_BY_OPERATION; by <= DIFF_BY_PATH; by++) {
        struct diff d;
        uint32_t count;
        diff_init(&d, by, 3);
        struct plan p = plan_begin(0);
        uint32_t web = plan_process(&p, 1, "web", "box1");
        char name[16];
        for (uint64_t i = 0; i < 50; i++) {
            snprintf(name, sizeof name, "op%d", (int)i);
            plan_span(&p, (struct planned){web, name, .id = i + 1, .parent = i > 0, .at = i,
                                           .lasts = i ? 1 : 50});
        }
        add(&d, DIFF_A, &p);
        struct diff_row *rows = diff_rows(&d, &count);
        uint64_t spans = 0, critical = 0;
        assert_int_equal(count, 4);
        for (uint32_t i = 0; i < count; i++) {
            spans += rows[i].side[DIFF_A].spans;
            critical += rows[i].side[DIFF_A].critical_ns;
        }
        assert_int_equal(spans, 50);
        assert_int_equal(critical, 50);
        free(rows);
        diff_fini(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changed_most_on_the_critical_path_comes_first),
        cmocka_unit_test(by_path_the_same_operation_elsewhere_is_another),
        cmocka_unit_test(beyond_the_limit_sums_go_into_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

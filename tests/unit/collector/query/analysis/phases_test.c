// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/phases.h"

#include <math.h>

#include "tests/unit/collector/query/analysis/trees.h"

static void add(struct phases *phases, struct plan *p)
{
    struct grown g = grow(p);
    struct timeline l;
    struct critical_path path;
    assert_int_equal(timeline_build(&l, &g.tree, NULL), 0);
    assert_int_equal(critical_path_build(&path, &g.tree, &l, TREE_NONE), 0);
    assert_int_equal(phases_add(phases, &g.tree, &path, g.id), 0);
    critical_path_fini(&path);
    timeline_fini(&l);
    fell(&g);
}

static const char *name_of(const struct phases *p, const struct phase *row)
{
    static char name[64];
    struct batch_str s = p->operations.list[row->operation].name;
    snprintf(name, sizeof name, "%.*s", (int)s.length, s.bytes);
    return name;
}

static void shares_of_the_critical_path_are_summed_over_traces(void **state)
{
    (void)state;
    struct phases phases;
    uint32_t count;
    phases_init(&phases, 100);
    for (uint64_t i = 0; i < 100; i++) {
        struct plan p = plan_begin(i);
        uint32_t web = plan_process(&p, 1, "web", "box1");
        plan_span(&p, (struct planned){web, "GET /", .id = 1, .lasts = 1000});
        plan_span(&p, (struct planned){web, "redis", .id = 2, .parent = 1, .at = 10, .lasts = 300});
        plan_span(
            &p, (struct planned){web, "redis", .id = 3, .parent = 1, .at = 400, .lasts = 100 + i});
        if (i >= 90) /* a phase of some */
            plan_span(
                &p, (struct planned){web, "retry", .id = 4, .parent = 1, .at = 600, .lasts = 200});
        add(&phases, &p);
    }
    struct phase *rows = phases_rows(&phases, &count);
    assert_int_equal(count, 3);
    assert_string_equal(name_of(&phases, &rows[0]), "GET /");
    assert_string_equal(name_of(&phases, &rows[1]), "redis");
    assert_string_equal(name_of(&phases, &rows[2]), "retry");
    assert_int_equal(rows[1].traces, 100);
    assert_int_equal(rows[1].critical_ns, 40000 + 4950);
    assert_true(fabs(rows[1].share - 0.4495) < 1e-9);
    assert_true(fabs(rows[1].p50_ns - 450) < 6);
    assert_true(rows[1].max_ns == 499);
    assert_int_equal(rows[1].exemplar_count, 3);
    assert_int_equal(rows[1].exemplars[0].lo, 100);
    assert_int_equal(rows[1].exemplars[2].lo, 98);
    assert_true(rows[2].p50_ns == 0); /* nine of ten are without it */
    assert_true(fabs(rows[2].p99_ns - 200) < 3);
    assert_int_equal(rows[2].traces, 10);
    free(rows);
    phases_fini(&phases);
}

static void time_of_nobody_is_a_row_of_its_own(void **state)
{
    (void)state;
    struct phases phases;
    uint32_t count;
    phases_init(&phases, 100);
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    plan_span(&p, (struct planned){web, "a", .id = 1, .parent = 99, .lasts = 10});
    plan_span(&p, (struct planned){web, "b", .id = 2, .parent = 98, .at = 50, .lasts = 10});
    add(&phases, &p);
    struct phase *rows = phases_rows(&phases, &count);
    assert_int_equal(count, 3);
    assert_int_equal(rows[0].operation, PHASES_UNKNOWN);
    assert_int_equal(rows[0].critical_ns, 40);
    free(rows);
    phases_fini(&phases);
}

static void shares_add_up_however_few_operations_are_told_apart(void **state)
{
    (void)state;
    struct phases phases;
    uint32_t count;
    double sum = 0;
    phases_init(&phases, 2);
    struct plan p = plan_begin(0);
    uint32_t web = plan_process(&p, 1, "web", "box1");
    char name[16];
    for (uint64_t i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "op%d", (int)i);
        plan_span(&p, (struct planned){web, name, .id = i + 1, .parent = i > 0, .at = i,
                                       .lasts = i ? 1 : 50});
    }
    add(&phases, &p);
    struct phase *rows = phases_rows(&phases, &count);
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < count; i++)
        sum += rows[i].share;
    assert_true(fabs(sum - 1) < 1e-9);
    assert_int_equal(rows[0].operation, OPERATION_REST);
    free(rows);
    phases_fini(&phases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_of_the_critical_path_are_summed_over_traces),
        cmocka_unit_test(time_of_nobody_is_a_row_of_its_own),
        cmocka_unit_test(shares_add_up_however_few_operations_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The statistics of verdicts: ranks against values worked out by hand, and simulated deploys over
 * many seeds, of which false alarms and misses are counted and printed. */
#include "collector/query/verdict/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collector/query/verdict/mann_whitney.h"
#include "lib/model/exphist.h"

/* ---- ranks --------------------------------------------------------------------------------- */

static void assert_near(double found, double expected, double within)
{
    if (!(fabs(found - expected) <= within))
        fail_msg("%.9g, expected %.9g", found, expected);
}

static void ranks_are_as_by_hand(void **state)
{
    (void)state;
    struct mann_whitney m;
    const double a[] = {3, 4, 2, 6, 2, 5}, b[] = {9, 7, 5, 10, 6, 8};
    assert_int_equal(mann_whitney(a, 6, b, 6, &m), 0);
    assert_near(m.u, 34, 0); /* of 36 pairs; two ties count a half each */
    assert_near(m.delta, 2 * 34.0 / 36 - 1, 1e-12);
    /* n = m = 6, three pairs of equal values: variance 36/12 (13 - 18/132) */
    assert_near(m.p, normal_p(15.5 / sqrt(3 * (13 - 18.0 / 132))), 1e-12);
    mann_whitney(b, 6, a, 6, &m);
    assert_near(m.u, 2, 0);
}

static void what_cannot_differ_does_not(void **state)
{
    (void)state;
    struct mann_whitney m;
    const double same[] = {1, 1, 1, 1};
    assert_int_equal(mann_whitney(same, 4, same, 4, &m), 0);
    assert_true(m.p == 1 && m.delta == 0);
    assert_int_equal(mann_whitney(same, 4, same, 0, &m), 0);
    assert_true(m.p == 1);
}

static void p_is_that_of_the_normal_distribution(void **state)
{
    (void)state;
    assert_near(normal_p(1.959963985), 0.05, 1e-9);
    assert_near(normal_p(-2.575829304), 0.01, 1e-9);
    assert_near(normal_p(0), 1, 0);
}

/* ---- simulated deploys --------------------------------------------------------------------- */

static uint64_t random_state;

static double uniform(void) /* in (0, 1) */
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(random_state >> 12) + 0.5) / 0x1p52;
}

static double gaussian(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* Heavy-tailed: log-normal, and one request in fifty takes ten times as long. */
static double latency(double slower)
{
    return 0.010 * slower * exp(0.5 * gaussian()) * (uniform() < 0.02 ? 10 : 1);
}

enum { INTERVALS = 30, REQUESTS = 400 };

struct side {
    double p50[INTERVALS], p99[INTERVALS], errors[INTERVALS];
    struct exphist all;
    struct histogram requests;
};

/* As series have it: our bucket i is i + 1 there. */
static void as_requests(struct side *s)
{
    const struct exphist_range *r = &s->all.positive;
    int32_t *index = malloc(r->used * sizeof *index);
    double *value = malloc(r->used * sizeof *value);
    for (uint32_t i = 0; i < r->used; i++) {
        index[i] = r->first + (int32_t)i + 1;
        value[i] = (double)r->counts[i];
    }
    s->requests = (struct histogram){.schema = (int8_t)s->all.scale,
                                     .count = (double)s->all.count,
                                     .sum = s->all.sum,
                                     .positive = {r->used, index, value}};
}

/* `load`: how the service is as a whole in each interval, which both versions feel. */
static void simulate(struct side *s, double slower, double error_rate, const double *load)
{
    exphist_init(&s->all, 0);
    for (int i = 0; i < INTERVALS; i++) {
        struct exphist one;
        unsigned failed = 0;
        exphist_init(&one, 0);
        for (int k = 0; k < REQUESTS; k++) {
            exphist_add(&one, latency(slower * load[i]), 1);
            failed += uniform() < error_rate;
        }
        s->p50[i] = exphist_quantile(&one, 0.5);
        s->p99[i] = exphist_quantile(&one, 0.99);
        s->errors[i] = (double)failed / REQUESTS;
        exphist_merge(&s->all, &one);
        exphist_fini(&one);
    }
    as_requests(s);
}

static void forget(struct side *s)
{
    exphist_fini(&s->all);
    free(s->requests.positive.index);
    free(s->requests.positive.value);
}

static enum change judge(enum measure m, struct side *before, struct side *after)
{
    struct arena arena;
    struct comparison c;
    double *values[2] = {before->errors, after->errors};
    if (m == MEASURE_P50 || m == MEASURE_P99) {
        values[0] = m == MEASURE_P50 ? before->p50 : before->p99;
        values[1] = m == MEASURE_P50 ? after->p50 : after->p99;
    }
    struct compare_side a = {values[0], INTERVALS, &before->requests},
                        b = {values[1], INTERVALS, &after->requests};
    arena_init(&arena, 4096);
    assert_int_equal(compare(m, &a, &b, &arena, &c), 0);
    arena_fini(&arena);
    return c.change;
}

struct tally {
    int worse[3], better[3]; /* p50, p99, errors */
};

/* `together`: both versions run over the same time, and feel the same load. */
static struct tally many(int seeds, bool together, double slower, double errors_after)
{
    static const enum measure measures[] = {MEASURE_P50, MEASURE_P99, MEASURE_ERROR_RATE};
    struct tally t = {0};
    for (int seed = 1; seed <= seeds; seed++) {
        struct side before, after;
        double load[INTERVALS];
        random_state = (uint64_t)seed * 7919;
        for (int i = 0; i < INTERVALS; i++)
            load[i] = exp(0.1 * gaussian());
        simulate(&before, 1, 0.01, load);
        for (int i = 0; i < INTERVALS && !together; i++)
            load[i] = exp(0.1 * gaussian());
        simulate(&after, slower, errors_after, load);
        for (int m = 0; m < 3; m++) {
            enum change c = judge(measures[m], &before, &after);
            t.worse[m] += c == CHANGE_WORSE;
            t.better[m] += c == CHANGE_BETTER;
        }
        forget(&before);
        forget(&after);
    }
    return t;
}

static void verdicts_on_simulated_deploys(void **state)
{
    (void)state;
    enum { SEEDS = 200 };
    struct tally none = many(SEEDS, true, 1, 0.01), later = many(SEEDS, false, 1, 0.01);
    struct tally slow = many(SEEDS, true, 1.3, 0.01), slower = many(SEEDS, false, 2, 0.01);
    struct tally fast = many(SEEDS, true, 0.7, 0.01), failing = many(SEEDS, true, 1, 0.03);
    int alarms = 0, alarms_later = 0;
    for (int m = 0; m < 3; m++) {
        alarms += none.worse[m] + none.better[m];
        alarms_later += later.worse[m] + later.better[m];
    }
    print_message("of %d deploys each, 30 intervals of 400 requests:\n", SEEDS);
    print_message("  nothing changed:  %d false alarms in %d verdicts\n", alarms, 3 * SEEDS);
    print_message("  ... before, after: %d false alarms\n", alarms_later);
    print_message("  30 %% slower:     p50 missed %d, p99 missed %d\n", SEEDS - slow.worse[0],
                  SEEDS - slow.worse[1]);
    print_message("  twice as slow:    p50 missed %d, p99 missed %d\n", SEEDS - slower.worse[0],
                  SEEDS - slower.worse[1]);
    print_message("  30 %% faster:     p50 missed %d, p99 missed %d\n", SEEDS - fast.better[0],
                  SEEDS - fast.better[1]);
    print_message("  errors 1 to 3 %%: missed %d\n", SEEDS - failing.worse[2]);
    assert_true(alarms <= 3 * SEEDS / 100 && alarms_later <= 3 * SEEDS * 2 / 100);
    assert_true(slow.worse[0] >= SEEDS * 99 / 100 && slow.worse[1] >= SEEDS * 60 / 100);
    assert_true(slower.worse[0] == SEEDS && slower.worse[1] == SEEDS);
    assert_true(fast.better[0] >= SEEDS * 99 / 100);
    assert_true(failing.worse[2] >= SEEDS * 95 / 100);
    assert_int_equal(slow.better[0] + slow.better[1] + slower.better[0] + slower.better[1], 0);
}

static void too_few_intervals_say_nothing(void **state)
{
    (void)state;
    struct arena arena;
    struct comparison c;
    double few[] = {1, 1, 1, 1, 1, 1, 1}, many_[] = {9, 9, 9, 9, 9, 9, 9, 9, NAN};
    struct compare_side a = {few, 7, NULL}, b = {many_, 9, NULL};
    arena_init(&arena, 4096);
    assert_int_equal(compare(MEASURE_MEMORY, &a, &b, &arena, &c), 0);
    assert_int_equal(c.change, CHANGE_UNKNOWN);
    assert_int_equal(c.after_count, 8);
    assert_true(c.before == 1 && c.after == 9);
    arena_fini(&arena);
}

static void a_change_that_does_not_matter_is_none(void **state)
{
    (void)state;
    struct arena arena;
    struct comparison c;
    double before[20], after[20];
    for (int i = 0; i < 20; i++) {
        before[i] = 1e9 + i;
        after[i] = 1.02e9 + i; /* certain, and 2 % */
    }
    struct compare_side a = {before, 20, NULL}, b = {after, 20, NULL};
    arena_init(&arena, 4096);
    assert_int_equal(compare(MEASURE_MEMORY, &a, &b, &arena, &c), 0);
    assert_int_equal(c.change, CHANGE_NONE);
    assert_true(c.confidence > 0.9999 && c.delta == 1);
    for (int i = 0; i < 20; i++)
        after[i] *= 1.1;
    compare(MEASURE_MEMORY, &a, &b, &arena, &c);
    assert_int_equal(c.change, CHANGE_WORSE);
    compare(MEASURE_RATE, &a, &b, &arena, &c);
    assert_int_equal(c.change, CHANGE_DIFFERENT);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_as_by_hand),
        cmocka_unit_test(what_cannot_differ_does_not),
        cmocka_unit_test(p_is_that_of_the_normal_distribution),
        cmocka_unit_test(verdicts_on_simulated_deploys),
        cmocka_unit_test(too_few_intervals_say_nothing),
        cmocka_unit_test(a_change_that_does_not_matter_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

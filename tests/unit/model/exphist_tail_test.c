// SPDX-License-Identifier: Apache-2.0
/* Histograms of values with a heavy tail, as latencies and sizes are, made in parts of different
 * scales and merged in any order: the quantiles are those of the values, but for a bucket. */
#include "lib/model/exphist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 24, OF_SHARD = 5000, VALUES = SHARDS * OF_SHARD, ORDERS = 4 };

struct distribution {
    const char *name;
    double alpha; /* of a Pareto distribution; 0: a log-normal one */
};

static const struct distribution distributions[] = {
    {"Pareto, alpha 1.1", 1.1}, {"Pareto, alpha 1.5", 1.5}, {"log-normal, sigma 2", 0}};

static uint64_t random_state;

static uint64_t random_64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* In (0, 1]. */
static double random_unit(void)
{
    return ((double)(random_64() >> 11) + 1) * 0x1p-53;
}

static double draw(const struct distribution *d)
{
    if (d->alpha > 0)
        return 0.001 * pow(random_unit(), -1 / d->alpha);
    double radius = sqrt(-2 * log(random_unit()));
    return 0.001 * exp(2 * radius * cos(2 * M_PI * random_unit()));
}

struct fixture {
    double values[VALUES];
    struct exphist shards[SHARDS];
    int32_t least; /* scale of a shard */
};

/* Every shard gets a scale from `scale` to the first one, some from the beginning, some when they
 * have all of their values; one at least has `scale`. */
static void fill(struct fixture *f, const struct distribution *d, int32_t scale)
{
    f->least = EXPHIST_SCALE;
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct exphist *h = &f->shards[i];
        uint64_t scales = (uint64_t)(EXPHIST_SCALE - scale + 1);
        int32_t to = i == 0 ? scale : scale + (int32_t)(random_64() % scales);
        exphist_init(h, 0);
        if (i % 2)
            exphist_downscale(h, to);
        for (uint32_t k = 0; k < OF_SHARD; k++) {
            double value = draw(d);
            f->values[i * OF_SHARD + k] = value;
            assert_int_equal(exphist_add(h, value, 1), 0);
        }
        exphist_downscale(h, to);
        f->least = h->scale < f->least ? h->scale : f->least;
    }
}

static void merge_in_some_order(struct fixture *f, struct exphist *all)
{
    uint32_t order[SHARDS];
    for (uint32_t i = 0; i < SHARDS; i++)
        order[i] = i;
    for (uint32_t i = SHARDS; i-- > 1;) {
        uint32_t other = (uint32_t)(random_64() % (i + 1)), moved = order[i];
        order[i] = order[other];
        order[other] = moved;
    }
    exphist_init(all, 0);
    for (uint32_t i = 0; i < SHARDS; i++)
        assert_int_equal(exphist_merge(all, &f->shards[order[i]]), 0);
}

static int compare(const void *a, const void *b)
{
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The greatest relative error of the quantiles that people ask for. */
static double worst_error(const struct fixture *f, const struct exphist *all)
{
    static const double quantiles[] = {0.5, 0.9, 0.99, 0.999};
    double worst = 0;
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        double exact = f->values[(size_t)ceil(quantiles[i] * VALUES) - 1];
        double error = fabs(exphist_quantile(all, quantiles[i]) / exact - 1);
        worst = error > worst ? error : worst;
    }
    return worst;
}

static void assert_same(const struct exphist *a, const struct exphist *b)
{
    assert_int_equal(a->scale, b->scale);
    assert_int_equal(a->positive.used, b->positive.used);
    assert_int_equal(a->positive.first, b->positive.first);
    assert_memory_equal(a->positive.counts, b->positive.counts,
                        a->positive.used * sizeof *a->positive.counts);
}

static void check(struct fixture *f, const struct distribution *d, int32_t scale)
{
    struct exphist first, all;
    fill(f, d, scale);
    merge_in_some_order(f, &first);
    qsort(f->values, VALUES, sizeof *f->values, compare);
    assert_int_equal(first.scale, f->least);
    assert_int_equal(first.count, VALUES);
    assert_true(first.min == f->values[0] && first.max == f->values[VALUES - 1]);
    double bound = exp2(exp2(-first.scale)) - 1, error = worst_error(f, &first);
    if (error > bound)
        fail_msg("%s at scale %d: %g is beyond %g", d->name, first.scale, error, bound);
    for (int order = 1; order < ORDERS; order++) {
        merge_in_some_order(f, &all);
        assert_same(&first, &all);
        exphist_fini(&all);
    }
    exphist_fini(&first);
    for (uint32_t i = 0; i < SHARDS; i++)
        exphist_fini(&f->shards[i]);
}

static void quantiles_of_merged_shards_are_within_a_bucket(void **state)
{
    (void)state;
    struct fixture *f = malloc(sizeof *f);
    assert_non_null(f);
    for (size_t d = 0; d < sizeof distributions / sizeof *distributions; d++) {
        random_state = 88172645463325252u + d;
        for (int32_t scale = EXPHIST_SCALE; scale >= 0; scale--)
            check(f, &distributions[d], scale);
    }
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_of_merged_shards_are_within_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

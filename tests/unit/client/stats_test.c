// SPDX-License-Identifier: Apache-2.0
/* What a service counts is what a reader takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <math.h>

#include "tests/unit/client/counting.h"

/* ---- counters ---------------------------------------------------------------------------- */

static void a_counter_adds_up_and_only_what_is_new_is_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        weft_counter_add(WEFT_COUNTER("requests_total", "route", "/dashboard"), 2);
    struct tally *t = take("requests_total{route=/dashboard}");
    assert_int_equal(t->type, METRIC_COUNTER);
    assert_int_equal(t->count, 200);
    take("requests_total{route=/dashboard}");
    assert_int_equal(t->visits, 1);
    weft_counter_add(WEFT_COUNTER("requests_total", "route", "/dashboard"), 1);
    take("requests_total{route=/dashboard}");
    assert_int_equal(t->visits, 2);
    assert_int_equal(t->count, 201);
}

static void handles_that_say_the_same_are_one_instrument(void **state)
{
    (void)state;
    uint32_t before = slab_instruments(reader);
    const char *const texts[] = {"same_total", "b", "2", "none", "", "a", "1", NULL};
    struct weft_counter *bound = weft_bind_counter(texts);
    assert_ptr_equal(weft_bind_counter(texts), bound);
    weft_counter_add(bound, 1);
    weft_counter_add(WEFT_COUNTER("same_total", "a", "1", "b", "2"), 10);
    weft_counter_add(WEFT_COUNTER("same_total", "b", "2", "a", "1"), 100);
    assert_int_equal(take("same_total{a=1,b=2}")->count, 111);
    assert_int_equal(slab_instruments(reader), before + 1);
}

static void what_is_no_instrument_is_refused_and_counted(void **state)
{
    (void)state;
    struct weft_losses before, after;
    weft_get_losses(&before);
    char longest[1100];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *const twice[] = {"a_total", "k", "1", "k", "2", NULL};
    const char *const odd[] = {"a_total", "k", NULL};
    const char *const nameless[] = {"", NULL};
    const char *const keyless[] = {"a_total", "", "v", NULL};
    const char *const too_long[] = {"a_total", "k", longest, NULL};
    assert_null(weft_bind_counter(twice));
    assert_null(weft_bind_counter(odd));
    assert_null(weft_bind_gauge(nameless));
    assert_null(weft_bind_histogram(keyless));
    assert_null(weft_bind_counter(too_long));
    assert_null(weft_bind_counter(NULL));
    weft_counter_add(NULL, 1);
    weft_gauge_set(NULL, 1);
    weft_gauge_add(NULL, 1);
    weft_histogram_record(NULL, 1);
    WEFT_TIME_AS(NULL) {}
    weft_get_losses(&after);
    assert_int_equal(after.stats_no_room - before.stats_no_room, 6);
    for (int i = 0; i < 3; i++)
        weft_counter_add(WEFT_COUNTER(""), 1);
    weft_get_losses(&after);
    assert_int_equal(after.stats_no_room - before.stats_no_room, 9);
}

static void errno_stays_as_it_was(void **state)
{
    (void)state;
    errno = ENOTTY;
    weft_counter_add(WEFT_COUNTER("errno_total"), 1);
    weft_gauge_add(WEFT_GAUGE("errno_gauge"), 1);
    weft_histogram_record(WEFT_HISTOGRAM("errno_histogram"), 1);
    weft_describe("errno_total", "", "");
    weft_bind_counter((const char *const[]){"errno_bound", NULL});
    assert_int_equal(errno, ENOTTY);
}

/* ---- gauges ------------------------------------------------------------------------------ */

static void *add_three(void *context)
{
    (void)context;
    weft_gauge_add(WEFT_GAUGE("open_connections"), 3);
    return NULL;
}

static void *set_forty(void *context)
{
    (void)context;
    weft_gauge_set(WEFT_GAUGE("open_connections"), 40);
    return NULL;
}

static void a_gauge_is_what_was_set_last_and_added_since(void **state)
{
    (void)state;
    struct weft_gauge *g = WEFT_GAUGE("open_connections");
    in_another_thread(add_three, NULL);
    weft_gauge_add(g, -1.5);
    assert_true(take("open_connections")->value == 1.5);
    weft_gauge_set(g, 10);
    assert_true(take("open_connections")->value == 10);
    in_another_thread(add_three, NULL);
    weft_gauge_add(g, 1);
    assert_true(take("open_connections")->value == 14);
    assert_true(take("open_connections")->changed == false);
    in_another_thread(set_forty, NULL);
    assert_true(take("open_connections")->value == 40);
    weft_gauge_set(g, 7);
    weft_gauge_set(g, 8);
    assert_true(take("open_connections")->value == 8);
    assert_true(tally_of(tallies, "open_connections")->changed);
    weft_gauge_add(g, 1);
    weft_gauge_set(g, NAN);
    assert_true(isnan(take("open_connections")->value));
}

/* ---- histograms -------------------------------------------------------------------------- */

/* Both at the scale of the coarser one: then they are equal bucket by bucket. */
static void assert_same_values(struct exphist *a, struct exphist *b)
{
    exphist_downscale(a, b->scale);
    exphist_downscale(b, a->scale);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->zeros, b->zeros);
    assert_int_equal(a->not_finite, b->not_finite);
    struct exphist_range *ranges[][2] = {{&a->positive, &b->positive},
                                         {&a->negative, &b->negative}};
    for (int sign = 0; sign < 2; sign++)
        for (int64_t i = -200000; i < 200000; i++) {
            uint64_t counts[2] = {0, 0};
            for (int k = 0; k < 2; k++) {
                const struct exphist_range *r = ranges[sign][k];
                if (i >= r->first && i < (int64_t)r->first + r->used)
                    counts[k] = r->counts[i - r->first];
            }
            assert_int_equal(counts[0], counts[1]);
        }
}

static void a_histogram_has_each_value_in_its_bucket(void **state)
{
    (void)state;
    struct weft_histogram *h = WEFT_HISTOGRAM("latency_ms");
    struct exphist expected;
    exphist_init(&expected, 0);
    uint64_t seed = 1;
    for (int i = 0; i < 5000; i++) {
        double value = random_value(&seed, 9);
        weft_histogram_record(h, value);
        exphist_add(&expected, value, 1);
    }
    const double bounds[] = {1, 2, 0.5, 1024, 1.0905077326652577, 0x1.0163da9fb3335p+0};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        weft_histogram_record(h, bounds[i]);
        exphist_add(&expected, bounds[i], 1);
    }
    struct exphist *found = &take("latency_ms")->histogram;
    assert_int_equal(found->scale, 6);
    assert_same_values(found, &expected);
    assert_true(fabs(found->sum - expected.sum) < 1e-9 * expected.sum);
    assert_true(found->min >= expected.min && found->min <= expected.min * 1.011);
    assert_true(found->max <= expected.max && found->max >= expected.max * 0.989);
    exphist_fini(&expected);
}

static void unusual_values_are_values_too(void **state)
{
    (void)state;
    const double values[] = {0,         -0.0,     -1,      -3.5,        1e-320,   -1e-310,
                             0x1p-1074, DBL_MIN,  DBL_MAX, -DBL_MAX,    INFINITY, -INFINITY,
                             NAN,       0x1p1023, 1e300,   DBL_TRUE_MIN};
    struct exphist expected;
    exphist_init(&expected, 0);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            weft_histogram_record(WEFT_HISTOGRAM("unusual"), values[i]);
            exphist_add(&expected, values[i], 1);
        }
    assert_same_values(&take("unusual")->histogram, &expected);
    assert_true(tally_of(tallies, "unusual")->histogram.min == -DBL_MAX);
    assert_true(tally_of(tallies, "unusual")->histogram.max == DBL_MAX);
    exphist_fini(&expected);
}

static void a_wider_range_costs_resolution_and_no_value(void **state)
{
    (void)state;
    struct weft_histogram *h = WEFT_HISTOGRAM("wide");
    struct exphist expected;
    exphist_init(&expected, 0);
    uint64_t seed = 7;
    for (int octaves = 1; octaves < 1000; octaves += 1 + octaves / 2)
        for (int i = 0; i < 500; i++) {
            double value = random_value(&seed, octaves);
            value = i % 5 ? value : -value;
            weft_histogram_record(h, value);
            exphist_add(&expected, value, 1);
            if (i % 100 == 0)
                take("wide");
        }
    assert_same_values(&take("wide")->histogram, &expected);
    exphist_fini(&expected);
}

/* ---- descriptions ------------------------------------------------------------------------ */

static void descriptions_reach_the_reader_before_or_after(void **state)
{
    (void)state;
    weft_describe("before_bytes", "bytes", "of answers");
    weft_describe("before_bytes", "apples", "the first one counts");
    weft_counter_add(WEFT_COUNTER("before_bytes"), 1);
    weft_counter_add(WEFT_COUNTER("after_total"), 1);
    assert_string_equal(take("before_bytes")->unit, "bytes");
    assert_string_equal(take("before_bytes")->help, "of answers");
    assert_string_equal(take("after_total")->help, "");
    weft_describe("after_total", NULL, "later");
    weft_counter_add(WEFT_COUNTER("after_total"), 1);
    assert_string_equal(take("after_total")->help, "later");
}

/* ---- room; the last test, as it takes all of it ------------------------------------------ */

static void too_many_instruments_are_counted_and_cost_no_others(void **state)
{
    (void)state;
    struct weft_losses before, after;
    struct weft_counter *known = WEFT_COUNTER("known_total");
    weft_counter_add(known, 1);
    weft_get_losses(&before);
    int bound = 0;
    for (int i = 0; i < 400; i++) {
        char value[16];
        snprintf(value, sizeof value, "%d", i);
        struct weft_counter *c =
            weft_bind_counter((const char *const[]){"exploding_total", "id", value, NULL});
        bound += c != NULL;
        weft_counter_add(c, 1);
    }
    weft_get_losses(&after);
    assert_in_range(bound, 200, 299);
    assert_int_equal(after.stats_no_room - before.stats_no_room, 400 - bound);
    weft_counter_add(known, 1);
    assert_int_equal(take("known_total")->count, 2);
    uint64_t sum = 0;
    for (size_t i = 0; i < tallies->count; i++)
        if (strncmp(tallies->all[i].name, "exploding", 9) == 0)
            sum += tallies->all[i].count;
    assert_int_equal(sum, bound);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, forget)
        TEST(a_counter_adds_up_and_only_what_is_new_is_taken),
        TEST(handles_that_say_the_same_are_one_instrument),
        TEST(what_is_no_instrument_is_refused_and_counted),
        TEST(errno_stays_as_it_was),
        TEST(a_gauge_is_what_was_set_last_and_added_since),
        TEST(a_histogram_has_each_value_in_its_bucket),
        TEST(unusual_values_are_values_too),
        TEST(a_wider_range_costs_resolution_and_no_value),
        TEST(descriptions_reach_the_reader_before_or_after),
        TEST(too_many_instruments_are_counted_and_cost_no_others),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}

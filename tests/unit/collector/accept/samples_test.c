// SPDX-License-Identifier: Apache-2.0
/* Every sample of a batch is taken or counted with the reason why not, wherever memory runs out. */
#include "collector/accept/samples.h"

#include "tests/unit/collector/series/stores.h"
#include "tests/unit/failing_memory.h"

enum { SERIES = 5, ROWS = 7 };

struct told {
    struct world world;
    struct buffer bytes;
    struct arena decoded, working;
    const struct batch *batch;
};

static uint32_t put(struct batch_builder *b, const char *string)
{
    return batch_string(b, string, strlen(string));
}

/* Counters, and the last series one of histograms. */
static void build(struct batch_builder *b)
{
    struct exphist h;
    exphist_init(&h, 0);
    exphist_add(&h, 2.5, 3);
    for (uint32_t i = 0; i < SERIES; i++) {
        char value[8];
        bool last = i + 1 == SERIES;
        snprintf(value, sizeof value, "v%u", i);
        uint32_t pair[2] = {put(b, "k"), put(b, value)};
        uint32_t metric =
            batch_metric(b, put(b, last ? "took" : "calls"),
                         last ? METRIC_HISTOGRAM : METRIC_COUNTER, put(b, ""), put(b, ""));
        uint32_t series = batch_series(b, metric, BATCH_NONE, pair, 1);
        for (int64_t row = 0; row < ROWS; row++)
            if (last)
                batch_histogram(b, series, BASE_MS + row * 1000, SAMPLE_HISTOGRAM_DELTA, &h);
            else
                batch_sample(b, series, BASE_MS + row * 1000, SAMPLE_DELTA, 1);
    }
    exphist_fini(&h);
}

static void begin(struct told *t, const struct series_store_options *options)
{
    int error;
    *t = (struct told){0};
    world_init(&t->world, options);
    struct batch_builder *b = batch_builder_create();
    assert_non_null(b);
    build(b);
    assert_int_equal(batch_encode(b, &t->bytes), 0);
    batch_builder_destroy(&b);
    arena_init(&t->decoded, 4096);
    arena_init(&t->working, 64);
    t->batch = batch_decode(&t->decoded, t->bytes.data, t->bytes.length, 16 << 20, &error);
    assert_non_null(t->batch);
    assert_int_equal(t->batch->samples.count, SERIES * ROWS);
}

static void end(struct told *t)
{
    arena_fini(&t->decoded);
    arena_fini(&t->working);
    buffer_fini(&t->bytes);
    world_fini(&t->world);
}

static struct series_stats stats_of(struct told *t)
{
    struct series_stats s;
    series_store_stats(t->world.store, &s);
    return s;
}

static uint64_t all_refused(const struct series_stats *s)
{
    uint64_t sum = 0;
    for (unsigned r = 0; r < SERIES_REFUSALS; r++)
        sum += s->refused[r];
    return sum;
}

static void samples_that_memory_was_out_for_are_counted(void **state)
{
    unsigned failed = 0;
    (void)state;
    for (int64_t n = 1, done = 0; !done; n++) {
        struct told t;
        begin(&t, &(struct series_store_options){.head_bytes = 1 << 20});
        world_begin(&t.world);
        calls_left = n;
        samples_append_batch(t.world.store, t.batch, &t.working);
        done = calls_left > 0;
        calls_left = INT64_MAX;
        series_store_commit(t.world.store);
        struct series_stats s = stats_of(&t);
        if (s.samples + all_refused(&s) != SERIES * ROWS)
            fail_msg("call %lld fails: %llu taken, %llu refused", (long long)n,
                     (unsigned long long)s.samples, (unsigned long long)all_refused(&s));
        assert_int_equal(all_refused(&s), s.refused[SERIES_REFUSED_MEMORY]);
        failed += s.refused[SERIES_REFUSED_MEMORY] > 0;
        end(&t);
    }
    assert_true(failed > 10);
}

static void each_sample_of_a_refused_series_is_counted(void **state)
{
    struct told t;
    (void)state;
    begin(&t, &(struct series_store_options){.head_bytes = 1 << 20, .series_limit = 2});
    world_begin(&t.world);
    samples_append_batch(t.world.store, t.batch, &t.working);
    series_store_commit(t.world.store);
    struct series_stats s = stats_of(&t);
    assert_int_equal(s.samples, 2 * ROWS);
    assert_int_equal(s.refused[SERIES_REFUSED_LIMIT], (SERIES - 2) * ROWS);
    series_store_miss(t.world.store, 9);
    s = stats_of(&t);
    assert_int_equal(s.refused[SERIES_REFUSED_MEMORY], 9);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_that_memory_was_out_for_are_counted),
        cmocka_unit_test(each_sample_of_a_refused_series_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

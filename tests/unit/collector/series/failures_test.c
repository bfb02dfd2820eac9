// SPDX-License-Identifier: Apache-2.0
/* Memory that runs out, at each place where the store asks for some: whatever is refused is refused
 * with a word, and what was taken before is there. Only this thread's calls fail. */
#include "tests/unit/collector/series/stores.h"
#include "tests/unit/failing_memory.h"

/* ---- what is done ------------------------------------------------------------------------ */

static void append_some(struct world *w, int from, int to)
{
    int32_t index[] = {1, 2, 5};
    double count[] = {3, 1, 4};
    struct histogram h = {.schema = 3, .count = 8, .sum = 1, .positive = {3, index, count}};
    if (series_store_begin(w->store, world_position(++w->step)) != 0)
        return;
    for (int i = from; i < to; i++) {
        char name[64];
        int64_t at = BASE_MS + i * 1000;
        snprintf(name, sizeof name, "__name__=v%d id=%d", i % 3, i % 3);
        world_append(w, name, SAMPLE_VALUE, at, i / 3.0, NULL);
        world_append(w, name, SAMPLE_VALUE, at - 3500, i, NULL);
        world_append(w, "__name__=c", SAMPLE_DELTA, at, 1, NULL);
        world_append(w, "__name__=h", SAMPLE_HISTOGRAM_DELTA, at, 0, &h);
        world_append(w, "__name__=g", SAMPLE_HISTOGRAM, at - i % 5 * 2000, 0, &h);
    }
    struct label id = {text("trace_id"), text("7")};
    struct exemplar e = {{&id, 1}, 1, BASE_MS};
    series_store_exemplar(w->store, world_series(w, "__name__=c"), &e);
    struct series_metadata m = {text("c"), text("help"), text("unit"), METRIC_COUNTER};
    series_store_describe(w->store, &m);
    series_store_commit(w->store);
}

/* Every question; -1 where one of them had no memory. */
static int ask_all(struct world *w)
{
    const struct series_source *source = series_store_source(w->store);
    struct matcher m = {MATCH_NOT_EQUAL, text("id"), text("1"), NULL};
    struct series_selection s;
    struct series_strings strings;
    struct series_exemplars *exemplars;
    struct series_metadata *metadata;
    struct series_head_status status;
    struct points p;
    struct arena arena;
    size_t count;
    int error = source->select(source->context, &m, 1, INT64_MIN, INT64_MAX, &s);
    points_init(&p);
    arena_init(&arena, 1024);
    for (size_t i = 0; error == 0 && i < s.count; i++)
        error = source->read(source->context, &s, i, INT64_MIN, INT64_MAX, &p);
    if (s.handle)
        source->close(source->context, &s);
    for (size_t i = 0; i < 2; i++) { /* without a matcher, and with it */
        if (series_store_label_names(w->store, &m, i, INT64_MIN, INT64_MAX, &strings) == 0)
            free(strings.items);
        if (series_store_label_values(w->store, text("id"), &m, i, INT64_MIN, INT64_MAX,
                                      &strings) == 0)
            free(strings.items);
    }
    series_store_exemplars(w->store, &m, 1, INT64_MIN, INT64_MAX, &arena, &exemplars, &count);
    series_store_metadata(w->store, NULL, &arena, &metadata, &count);
    series_store_head_status(w->store, 10, &arena, &status);
    arena_fini(&arena);
    points_fini(&p);
    return error;
}

static const struct series_store_options options = {.head_bytes = 1 << 20, .exemplars = 4};

/* ---- tests ------------------------------------------------------------------------------- */

static void appending_without_memory_refuses_and_goes_on(void **state)
{
    (void)state;
    for (int64_t n = 1, done = 0; !done; n += 1 + n / 40) {
        struct world w;
        struct points p;
        struct series_stats stats;
        points_init(&p);
        world_init(&w, &options);
        append_some(&w, 0, 10);
        calls_left = n;
        append_some(&w, 10, 60);
        done = calls_left > 0;
        calls_left = INT64_MAX;
        series_store_stats(w.store, &stats);
        assert_true(stats.refused[SERIES_REFUSED_LABELS] == 0);
        append_some(&w, 60, 70);
        world_read(&w, "c", INT64_MIN, INT64_MAX, &p);
        assert_in_range(p.count, 21, 71);
        double least =
            stats.refused[SERIES_REFUSED_MEMORY] + stats.refused[SERIES_REFUSED_GONE] ? 20 : 70;
        assert_true(p.value[p.count - 1] >= least && p.value[p.count - 1] <= 70);
        for (size_t i = 1; i < p.count; i++)
            assert_true(p.value[i] >= p.value[i - 1]);
        assert_int_equal(ask_all(&w), 0);
        points_fini(&p);
        world_fini(&w);
    }
}

static void questions_without_memory_say_so(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, &options);
    append_some(&w, 0, 40);
    series_store_seal(w.store);
    world_cut(&w);
    append_some(&w, 40, 60);
    int refused = 0;
    for (int64_t n = 1, done = 0; !done; n++) {
        calls_left = n;
        refused += ask_all(&w) == SERIES_ENOMEM;
        done = calls_left > 0;
        calls_left = INT64_MAX;
    }
    assert_true(refused > 10);
    assert_int_equal(ask_all(&w), 0);
    world_fini(&w);
}

static void a_start_or_a_deletion_without_memory_fails_whole(void **state)
{
    struct world w;
    struct points p;
    char why[300];
    int failed = 0;
    (void)state;
    points_init(&p);
    world_init(&w, &options);
    append_some(&w, 0, 40);
    struct matcher m = {MATCH_EQUAL, text(LABEL_METRIC), text("v1"), NULL};
    for (int64_t n = 1, done = 0; !done; n++) {
        calls_left = n;
        int error = series_store_delete(w.store, &m, 1, BASE_MS, BASE_MS + 1000 * (n + 1));
        done = calls_left > 0;
        calls_left = INT64_MAX;
        assert_int_equal(error, done ? SERIES_OK : SERIES_ENOMEM);
    }
    world_cut(&w);
    for (int64_t n = 1, done = 0; !done; n++) {
        series_store_close(&w.store);
        w.options.directory = w.directory;
        calls_left = n;
        w.store = series_store_open(&w.options, why, sizeof why);
        done = calls_left > 0;
        calls_left = INT64_MAX;
        failed += w.store == NULL;
    }
    assert_true(failed > 10);
    assert_non_null(w.store);
    world_read(&w, "h", INT64_MIN, INT64_MAX, &p);
    assert_int_equal(p.count, 41);
    points_fini(&p);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending_without_memory_refuses_and_goes_on),
        cmocka_unit_test(questions_without_memory_say_so),
        cmocka_unit_test(a_start_or_a_deletion_without_memory_fails_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

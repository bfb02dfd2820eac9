// SPDX-License-Identifier: Apache-2.0
#include "collector/series/chunk/stream.h"

#include "tests/unit/collector/series/samples.h"

struct world {
    struct arena arena;
    struct points told, found;
    struct column scratch;
    struct running_histogram last;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    arena_init(&w->arena, 4096);
    points_init(&w->told);
    points_init(&w->found);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    arena_fini(&w->arena);
    points_fini(&w->told);
    points_fini(&w->found);
    column_fini(&w->scratch);
    running_histogram_fini(&w->last);
    free(w);
    return 0;
}

static void assert_comes_back(struct world *w, const struct stream *s)
{
    uint8_t *bytes = malloc(s->bytes + 1);
    stream_copy(s, bytes);
    points_clear(&w->found);
    assert_int_equal(
        stream_get((enum stream_kind)s->kind, bytes, s->bytes, INT64_MIN, INT64_MAX, &w->found), 0);
    assert_points_same(&w->found, &w->told);
    if (w->told.count > 2) {
        points_clear(&w->found);
        assert_int_equal(stream_get((enum stream_kind)s->kind, bytes, s->bytes, w->told.unix_ms[1],
                                    w->told.unix_ms[w->told.count - 2], &w->found),
                         0);
        assert_int_equal(w->found.count, w->told.count - 2);
    }
    free(bytes);
}

static void floats_come_back(void **state)
{
    struct world *w = *state;
    for (uint64_t seed = 1; seed < 1000; seed++) {
        uint64_t r = seed;
        enum sort_of_values sort = (enum sort_of_values)random_below(&r, SORTS_OF_VALUES);
        bool whole = random_below(&r, 2);
        int64_t unix_ms = (int64_t)random_next(&r) >> (2 + random_below(&r, 40));
        double last = 0;
        struct stream s;
        stream_init(&s, whole ? STREAM_WHOLE : STREAM_FLOATS);
        points_clear(&w->told);
        for (size_t i = 0; i < seed; i++) {
            unix_ms += 1 + (int64_t)random_below(&r, random_below(&r, 9) ? 9 : 1000000000000);
            last = next_value(sort, last, &r);
            if (whole && !stream_is_whole(last))
                last = STALE_VALUE;
            assert_int_equal(stream_add(&s, &w->arena, unix_ms, last), 0);
            points_add(&w->told, unix_ms, last, NULL);
        }
        assert_int_equal(s.count, seed);
        assert_int_equal(s.max_ms, unix_ms);
        assert_comes_back(w, &s);
        if (seed % 100 == 1) {
            stream_rewind(&s);
            points_clear(&w->told);
            assert_comes_back(w, &s);
            stream_add(&s, &w->arena, 5, 6);
            points_add(&w->told, 5, 6, NULL);
            assert_comes_back(w, &s);
        }
        arena_reset(&w->arena);
    }
}

static void histograms_come_back(void **state)
{
    struct world *w = *state;
    struct arena kept;
    arena_init(&kept, 4096);
    for (uint64_t seed = 1; seed < 200; seed++) {
        uint64_t r = seed;
        struct stream s;
        int64_t unix_ms = 1000;
        stream_init(&s, STREAM_HISTOGRAMS);
        points_clear(&w->told);
        for (size_t i = 0; i < seed; i++) {
            struct histogram *h = random_below(&r, 10) ? random_histogram(&kept, &r) : NULL;
            unix_ms += 1 + (int64_t)random_below(&r, 3) * 1000;
            assert_int_equal(stream_add_histogram(&s, &w->arena, unix_ms, &w->last, h, &w->scratch),
                             0);
            points_add(&w->told, unix_ms, h ? h->sum : STALE_VALUE, h);
        }
        assert_comes_back(w, &s);
        arena_reset(&w->arena);
        arena_reset(&kept);
    }
    arena_fini(&kept);
}

/* ---- sums of histograms ------------------------------------------------------------------ */

enum { SPAN = 160 };

static void add_to(double cells[SPAN], const struct histogram_buckets *b, int down)
{
    for (uint32_t i = 0; i < b->count; i++)
        cells[(int)ceil((double)b->index[i] / (1 << down)) + SPAN / 2] += b->value[i];
}

static void assert_cells(const double cells[SPAN], const struct histogram_buckets *b)
{
    double left[SPAN];
    memcpy(left, cells, sizeof left);
    for (uint32_t i = 0; i < b->count; i++) {
        assert_true(i == 0 || b->index[i] > b->index[i - 1]);
        left[b->index[i] + SPAN / 2] -= b->value[i];
    }
    for (int i = 0; i < SPAN; i++)
        assert_true(left[i] == 0);
}

static void coarser(double cells[SPAN])
{
    double half[SPAN] = {0};
    for (int i = 0; i < SPAN; i++)
        half[(int)ceil((i - SPAN / 2) / 2.0) + SPAN / 2] += cells[i];
    memcpy(cells, half, sizeof half);
}

static void deltas_of_several_schemas_add_up(void **state)
{
    struct world *w = *state;
    for (uint64_t seed = 1; seed < 500; seed++) {
        double positive[SPAN] = {0}, negative[SPAN] = {0}, count = 0;
        uint64_t r = seed;
        bool fits;
        int schema = 6;
        running_histogram_fini(&w->last);
        struct histogram empty = {.schema = 6};
        assert_int_equal(running_histogram_set(&w->last, &empty), 0);
        for (int i = 0; i < 20; i++) {
            struct histogram h = {.schema = (int8_t)(6 - (int)random_below(&r, 3))};
            random_buckets(&w->arena, &r, true, &h.positive, &h.count);
            random_buckets(&w->arena, &r, true, &h.negative, &h.count);
            for (; schema > h.schema; schema--) {
                coarser(positive);
                coarser(negative);
            }
            add_to(positive, &h.positive, h.schema - schema);
            add_to(negative, &h.negative, h.schema - schema);
            count += h.count;
            assert_int_equal(running_histogram_add(&w->last, &h, &fits), 0);
            assert_true(fits);
            assert_int_equal(w->last.h.schema, schema);
            assert_true(w->last.h.count == count);
            assert_cells(positive, &w->last.h.positive);
            assert_cells(negative, &w->last.h.negative);
        }
        arena_reset(&w->arena);
    }
    double bounds[] = {1, 2};
    struct histogram custom = {.schema = HISTOGRAM_CUSTOM, .custom_count = 2, .custom = bounds};
    bool fits = true;
    assert_int_equal(running_histogram_add(&w->last, &custom, &fits), 0);
    assert_false(fits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(floats_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(histograms_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(deltas_of_several_schemas_add_up, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "collector/series/chunk/chunk.h"

#include "collector/series/chunk/numbers.h"
#include "collector/series/chunk/values.h"
#include "tests/unit/collector/series/samples.h"

/* ---- columns ----------------------------------------------------------------------------- */

static void assert_numbers(const int64_t *numbers, size_t count, size_t most_bytes)
{
    int64_t again[CHUNK_SAMPLES_MAX];
    struct column bytes = {0};
    chunk_numbers_put(numbers, count, &bytes);
    struct column_reader in = {bytes.bytes, bytes.bytes + bytes.length, false};
    chunk_numbers_get(&in, count, again);
    assert_false(in.bad);
    assert_ptr_equal(in.next, in.end);
    assert_memory_equal(numbers, again, count * sizeof *numbers);
    if (bytes.length > most_bytes)
        fail_msg("%zu numbers take %zu bytes", count, bytes.length);
    column_fini(&bytes);
}

static void numbers_come_back(void **state)
{
    int64_t numbers[CHUNK_SAMPLES_MAX];
    (void)state;
    for (uint64_t seed = 1; seed < 3000; seed++) {
        uint64_t r = seed;
        size_t count = 1 + random_below(&r, seed % 3 ? 20 : CHUNK_SAMPLES_MAX);
        unsigned width = (unsigned)random_below(&r, 64), sort = (unsigned)random_below(&r, 4);
        int64_t last = (int64_t)random_next(&r) >> random_below(&r, 64);
        for (size_t i = 0; i < count; i++) {
            uint64_t noise = random_next(&r) >> width;
            last = sort == 0   ? (int64_t)noise
                   : sort == 1 ? (int64_t)((uint64_t)last + noise)
                   : sort == 2 ? (int64_t)((uint64_t)last - noise)
                   : i % 7     ? last
                               : (int64_t)noise;
            numbers[i] = last;
        }
        assert_numbers(numbers, count, SIZE_MAX);
    }
    const int64_t edges[] = {INT64_MIN, INT64_MAX, 0, -1, INT64_MIN, INT64_MIN, 1, INT64_MAX};
    for (size_t first = 0; first < 8; first++)
        for (size_t count = 1; count <= 8 - first; count++)
            assert_numbers(edges + first, count, SIZE_MAX);
}

static void what_is_foreseen_takes_no_bits(void **state)
{
    int64_t numbers[CHUNK_SAMPLES_MAX];
    uint64_t seed = 7;
    (void)state;
    for (size_t i = 0; i < CHUNK_SAMPLES_MAX; i++)
        numbers[i] = INT64_C(1763760000000) + (int64_t)i * 15000;
    assert_numbers(numbers, CHUNK_SAMPLES_MAX, 12);
    for (size_t i = 0; i < CHUNK_SAMPLES_MAX; i++)
        numbers[i] = 77;
    assert_numbers(numbers, CHUNK_SAMPLES_MAX, 4);
    for (size_t i = 0; i < CHUNK_SAMPLES_MAX; i++) /* jitter of -3 to 3 ms: under 3 bits each */
        numbers[i] = INT64_C(1763760000000) + (int64_t)(i * 15000 + random_below(&seed, 7));
    assert_numbers(numbers, CHUNK_SAMPLES_MAX, CHUNK_SAMPLES_MAX * 4 / 8);
}

static size_t values_bytes(const double *values, size_t count)
{
    double again[CHUNK_SAMPLES_MAX];
    struct column bytes = {0};
    chunk_values_put(values, count, &bytes);
    struct column_reader in = {bytes.bytes, bytes.bytes + bytes.length, false};
    chunk_values_get(&in, count, again);
    assert_false(in.bad);
    assert_ptr_equal(in.next, in.end);
    assert_memory_equal(values, again, count * sizeof *values);
    size_t length = bytes.length;
    column_fini(&bytes);
    return length;
}

static void values_come_back_bit_by_bit(void **state)
{
    double values[CHUNK_SAMPLES_MAX];
    (void)state;
    for (uint64_t seed = 1; seed < 4000; seed++) {
        uint64_t r = seed;
        enum sort_of_values sort = (enum sort_of_values)random_below(&r, SORTS_OF_VALUES);
        size_t count = 1 + random_below(&r, seed % 3 ? 20 : CHUNK_SAMPLES_MAX);
        double last = 0;
        for (size_t i = 0; i < count; i++) {
            if (random_below(&r, 50) == 0)
                sort = (enum sort_of_values)random_below(&r, SORTS_OF_VALUES);
            values[i] = last = next_value(sort, last, &r);
        }
        values_bytes(values, count);
    }
}

static void decimals_are_small(void **state)
{
    double values[CHUNK_SAMPLES_MAX];
    uint64_t seed = 3;
    (void)state;
    for (size_t i = 0; i < CHUNK_SAMPLES_MAX; i++)
        values[i] = 21.5 + (double)random_below(&seed, 16) / 100;
    values[100] = STALE_VALUE;
    assert_in_range(values_bytes(values, CHUNK_SAMPLES_MAX), 1, CHUNK_SAMPLES_MAX * 6 / 8 + 20);
}

/* ---- chunks ------------------------------------------------------------------------------ */

static void put_all(const struct points *p, struct column *bytes, size_t *ends, size_t *chunks)
{
    for (size_t first = 0; first < p->count; ++*chunks) {
        size_t taken = chunk_put(p, first, bytes);
        assert_in_range(taken, 1, CHUNK_SAMPLES_MAX);
        ends[*chunks] = bytes->length;
        first += taken;
    }
    assert_false(bytes->failed);
}

static void get_all(const struct column *bytes, const size_t *ends, size_t chunks, int64_t from_ms,
                    int64_t to_ms, struct points *out)
{
    for (size_t i = 0; i < chunks; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        assert_int_equal(chunk_get(bytes->bytes + begin, ends[i] - begin, from_ms, to_ms, out),
                         CHUNK_OK);
    }
}

static void fill(struct points *p, struct arena *arena, uint64_t seed, size_t count)
{
    int64_t unix_ms = (int64_t)random_next(&seed) >> (1 + random_below(&seed, 40));
    enum sort_of_values sort = (enum sort_of_values)random_below(&seed, SORTS_OF_VALUES);
    bool histograms = random_below(&seed, 2);
    double last = 0;
    for (size_t i = 0; i < count; i++) {
        unix_ms += 1 + (int64_t)random_below(&seed, random_below(&seed, 9) ? 20 : 100000000);
        if (random_below(&seed, 40) == 0)
            histograms = !histograms;
        struct histogram *h = histograms ? random_histogram(arena, &seed) : NULL;
        if (h && random_below(&seed, 10) == 0)
            h = NULL, last = STALE_VALUE;
        else
            last = h ? h->sum : next_value(sort, last, &seed);
        assert_int_equal(points_add(p, unix_ms, last, h), 0);
    }
}

static void samples_come_back_from_chunks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 400; seed++) {
        struct points p, again;
        struct arena arena;
        struct column bytes = {0};
        size_t ends[2000], chunks = 0;
        points_init(&p);
        points_init(&again);
        arena_init(&arena, 4096);
        fill(&p, &arena, seed, 1 + seed * 7 % 1500);
        put_all(&p, &bytes, ends, &chunks);
        get_all(&bytes, ends, chunks, INT64_MIN, INT64_MAX, &again);
        assert_points_same(&again, &p);

        size_t first = p.count / 3, end = p.count - p.count / 4;
        points_clear(&again);
        get_all(&bytes, ends, chunks, p.unix_ms[first], p.unix_ms[end - 1], &again);
        assert_int_equal(again.count, end - first);
        assert_int_equal(again.unix_ms[0], p.unix_ms[first]);
        assert_int_equal(again.unix_ms[again.count - 1], p.unix_ms[end - 1]);
        points_fini(&p);
        points_fini(&again);
        arena_fini(&arena);
        column_fini(&bytes);
    }
}

/* Markers repeat all buckets of what they follow, and a reader takes only so many. */
static void many_markers_behind_a_large_histogram_come_back(void **state)
{
    enum { BUCKETS = 16000, SAMPLES = 1000 };
    static int32_t index[BUCKETS];
    static double value[BUCKETS];
    struct histogram h = {.schema = 8, .count = BUCKETS, .positive = {BUCKETS, index, value}};
    struct points p, again;
    struct column bytes = {0};
    size_t ends[2000], chunks = 0;
    (void)state;
    for (int i = 0; i < BUCKETS; i++) {
        index[i] = i;
        value[i] = 1;
    }
    points_init(&p);
    points_init(&again);
    for (int i = 0; i < SAMPLES; i++)
        assert_int_equal(points_add(&p, i, i ? STALE_VALUE : h.sum, i ? NULL : &h), 0);
    put_all(&p, &bytes, ends, &chunks);
    get_all(&bytes, ends, chunks, INT64_MIN, INT64_MAX, &again);
    assert_points_same(&again, &p);
    points_fini(&p);
    points_fini(&again);
    column_fini(&bytes);
}

static void a_flipped_byte_is_damage(void **state)
{
    struct points p, again;
    struct arena arena;
    struct column bytes = {0};
    (void)state;
    points_init(&p);
    points_init(&again);
    arena_init(&arena, 4096);
    fill(&p, &arena, 5, 60);
    chunk_put(&p, 0, &bytes);
    for (size_t i = 0; i < bytes.length; i++) {
        bytes.bytes[i] ^= 0x10;
        assert_int_equal(chunk_get(bytes.bytes, bytes.length, INT64_MIN, INT64_MAX, &again),
                         CHUNK_EDAMAGED);
        bytes.bytes[i] ^= 0x10;
        assert_int_equal(chunk_get(bytes.bytes, i, INT64_MIN, INT64_MAX, &again), CHUNK_EDAMAGED);
    }
    assert_int_equal(again.count, 0);
    points_fini(&p);
    points_fini(&again);
    arena_fini(&arena);
    column_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(what_is_foreseen_takes_no_bits),
        cmocka_unit_test(values_come_back_bit_by_bit),
        cmocka_unit_test(decimals_are_small),
        cmocka_unit_test(samples_come_back_from_chunks),
        cmocka_unit_test(many_markers_behind_a_large_histogram_come_back),
        cmocka_unit_test(a_flipped_byte_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Columns come back from every encoding, whole and in part, and nothing else comes back from
 * bytes that are no column. */
#include "collector/traces/segment/encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/ring/span_id.h"

enum { COUNT_MAX = 70000 };

static struct encoder *encoder;
static uint64_t rng;

static uint64_t draw(void)
{
    return span_id_mix(++rng);
}

static int make_encoder(void **state)
{
    (void)state;
    encoder = encoder_create();
    return encoder ? 0 : -1;
}

static int free_encoder(void **state)
{
    (void)state;
    encoder_destroy(&encoder);
    return 0;
}

/* Exactly the padding that is asked for is behind the column, so that a sanitizer sees more. */
static uint8_t *padded(const struct column *c)
{
    uint8_t *bytes = calloc(1, c->length + BITS_PADDING);
    assert_non_null(bytes);
    if (c->length)
        memcpy(bytes, c->bytes, c->length);
    return bytes;
}

static void check_range(const uint8_t *bytes, size_t length, const uint64_t *values, size_t total,
                        size_t first, size_t count)
{
    uint64_t *got = malloc((count + 1) * sizeof *got);
    assert_non_null(got);
    assert_int_equal(encoding_get(bytes, length, total, first, count, got), ENCODING_OK);
    for (size_t i = 0; i < count; i++) {
        if (got[i] != values[first + i])
            fail_msg("value %zu of %zu: %llx is not %llx", first + i, total,
                     (unsigned long long)got[i], (unsigned long long)values[first + i]);
    }
    free(got);
}

static void check_column(const struct column *c, const uint64_t *values, size_t count)
{
    assert_false(c->failed);
    uint8_t *bytes = padded(c);
    check_range(bytes, c->length, values, count, 0, count);
    for (int i = 0; i < 6 && count > 0; i++) {
        size_t first = draw() % count;
        check_range(bytes, c->length, values, count, first, draw() % (count - first + 1));
    }
    if (count > 0)
        check_range(bytes, c->length, values, count, count - 1, 1);
    free(bytes);
}

/* By the smallest encoding, and by each that can hold the values. */
static void check_values(const uint64_t *values, size_t count)
{
    struct column best = {0}, each = {0};
    encoding_put(encoder, values, count, &best);
    check_column(&best, values, count);
    for (enum encoding e = 0; e < ENCODINGS; e++) {
        each.length = 0;
        if (encoding_put_as(encoder, e, values, count, &each))
            check_column(&each, values, count);
        else
            assert_int_equal(each.length, 0);
    }
    column_fini(&best);
    column_fini(&each);
}

static const size_t counts[] = {0, 1, 2, 7, 8, 9, 255, 256, 257, 511, 513, 5000};

/* Calls with a list of `count` values made by `make`. */
static void for_counts(uint64_t (*make)(size_t i, size_t count))
{
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        uint64_t *values = malloc((counts[n] + 1) * sizeof *values);
        assert_non_null(values);
        for (size_t i = 0; i < counts[n]; i++)
            values[i] = make(i, counts[n]);
        check_values(values, counts[n]);
        free(values);
    }
}

static uint64_t equal(size_t i, size_t count)
{
    (void)i;
    return count % 2 ? UINT64_MAX : 42;
}

static uint64_t different(size_t i, size_t count)
{
    (void)count;
    return span_id_mix(i + 1);
}

static uint64_t ascending(size_t i, size_t count)
{
    return UINT64_MAX - count * 1000 + i * 1000;
}

static uint64_t descending(size_t i, size_t count)
{
    return (count - i) * 977;
}

static uint64_t edges(size_t i, size_t count)
{
    static const uint64_t values[] = {0,
                                      UINT64_MAX,
                                      1,
                                      UINT64_C(1) << 63,
                                      (UINT64_C(1) << 63) - 1,
                                      UINT32_MAX,
                                      UINT64_C(1) << 32,
                                      UINT64_MAX - 1,
                                      255,
                                      256};
    (void)count;
    return values[i % (sizeof values / sizeof *values)];
}

static uint64_t around_zero(size_t i, size_t count)
{
    (void)count;
    return (uint64_t)((int64_t)(span_id_mix(i + 3) % 200) - 100);
}

static uint64_t nearly_all_equal(size_t i, size_t count)
{
    (void)count;
    return i % 97 == 50 ? span_id_mix(i) : 7;
}

static uint64_t in_runs(size_t i, size_t count)
{
    (void)count;
    return span_id_mix(i / 40 + 1) % 50;
}

static uint64_t few_large(size_t i, size_t count)
{
    (void)count;
    return span_id_mix(span_id_mix(i + 9) % 20 + 1);
}

static uint64_t long_tailed(size_t i, size_t count)
{
    (void)count;
    return span_id_mix(i + 5) >> span_id_mix(i + 6) % 64;
}

static void columns_of_every_shape_come_back(void **state)
{
    (void)state;
    for_counts(equal);
    for_counts(different);
    for_counts(ascending);
    for_counts(descending);
    for_counts(edges);
    for_counts(around_zero);
    for_counts(nearly_all_equal);
    for_counts(in_runs);
    for_counts(few_large);
    for_counts(long_tailed);
}

static void every_width_comes_back(void **state)
{
    (void)state;
    uint64_t values[600];
    for (unsigned width = 0; width <= 64; width++) {
        for (size_t i = 0; i < 600; i++)
            values[i] = draw() & bits_mask(width);
        values[draw() % 600] = bits_mask(width);
        check_values(values, 600);
        for (size_t i = 0; i < 600; i++)
            values[i] = UINT64_MAX - values[i];
        check_values(values, 600);
    }
}

static void random_mixtures_come_back(void **state)
{
    (void)state;
    uint64_t *values = malloc(COUNT_MAX * sizeof *values);
    assert_non_null(values);
    for (int round = 0; round < 60; round++) {
        size_t count = draw() % (round == 0 ? COUNT_MAX : 3000);
        unsigned width = draw() % 65, repeat = 1 + draw() % 30, mode = draw() % 4;
        for (size_t i = 0; i < count; i++) {
            if (i > 0 && draw() % repeat)
                values[i] = mode == 0   ? values[i - 1]
                            : mode == 1 ? values[i - 1] + draw() % 100
                            : mode == 2 ? values[draw() % i]
                                        : values[0];
            else
                values[i] = draw() & bits_mask(width);
        }
        check_values(values, count);
    }
    free(values);
}

/* What it is worth: an encoding that is meant for a kind of column is chosen for it. */
static void assert_encoding(uint64_t (*make)(size_t i, size_t count), enum encoding expected)
{
    enum { COUNT = 20000 };
    struct column c = {0};
    uint64_t *values = malloc(COUNT * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = make(i, COUNT);
    encoding_put(encoder, values, COUNT, &c);
    assert_int_equal(c.bytes[0] & ~ENCODING_ZIGZAG, expected);
    column_fini(&c);
    free(values);
}

static uint64_t skewed(size_t i, size_t count)
{
    (void)count;
    return span_id_mix(i + 1) % 100 < 60 ? 3 : span_id_mix(i + 7) % 16;
}

static uint64_t uniform(size_t i, size_t count)
{
    (void)count;
    return span_id_mix(i + 1) % 1000;
}

static void the_encoding_that_fits_is_chosen(void **state)
{
    (void)state;
    assert_encoding(equal, ENCODING_CONSTANT);
    assert_encoding(uniform, ENCODING_PACKED);
    assert_encoding(different, ENCODING_PACKED);
    assert_encoding(ascending, ENCODING_DELTA);
    assert_encoding(descending, ENCODING_DELTA);
    assert_encoding(in_runs, ENCODING_RUNS);
    assert_encoding(skewed, ENCODING_BYTES);
    assert_encoding(long_tailed, ENCODING_ROUNDED);
    assert_encoding(nearly_all_equal, ENCODING_SPARSE);
    assert_encoding(few_large, ENCODING_DICTIONARY);
}

/* Cut short, with a byte more, and with changed bytes: an error, or numbers, and never a read
 * beyond (which a sanitizer sees). */
static void bytes_that_are_no_column_are_refused(void **state)
{
    (void)state;
    enum { COUNT = 700 };
    uint64_t (*const makers[])(size_t, size_t) = {equal,       different,        ascending,
                                                  around_zero, nearly_all_equal, in_runs,
                                                  few_large,   long_tailed};
    uint64_t values[COUNT], got[COUNT];
    struct column c = {0};
    for (size_t m = 0; m < sizeof makers / sizeof *makers; m++) {
        for (size_t i = 0; i < COUNT; i++)
            values[i] = makers[m](i, COUNT);
        for (enum encoding e = 0; e < ENCODINGS; e++) {
            c.length = 0;
            if (!encoding_put_as(encoder, e, values, COUNT, &c))
                continue;
            for (size_t cut = 0; cut < c.length; cut += 1 + c.length / 60) {
                struct column part = {.bytes = c.bytes, .length = cut};
                uint8_t *bytes = padded(&part);
                assert_int_equal(encoding_get(bytes, cut, COUNT, 0, COUNT, got), ENCODING_EDAMAGED);
                free(bytes);
            }
            for (int i = 0; i < 300; i++) {
                uint8_t *bytes = padded(&c);
                bytes[draw() % (i % 2           ? c.length
                                : c.length < 24 ? c.length
                                                : 24)] = (uint8_t)draw();
                size_t first = draw() % COUNT;
                encoding_get(bytes, c.length, COUNT, first, COUNT - first, got);
                free(bytes);
            }
        }
    }
    uint8_t none[BITS_PADDING] = {0};
    assert_int_equal(encoding_get(none, 0, 1, 0, 1, got), ENCODING_EDAMAGED);
    assert_int_equal(encoding_get(none, 1, 0, 0, 0, got), ENCODING_EDAMAGED);
    assert_int_equal(encoding_get(none, 0, 0, 0, 0, got), ENCODING_OK);
    column_fini(&c);
}

static void columns_within_columns_have_none_within_them(void **state)
{
    (void)state;
    uint64_t got[4];
    /* runs whose numbers would be runs again */
    uint8_t bytes[64] = {ENCODING_RUNS,     2, 8, 0, 0, 0, ENCODING_RUNS, 1, 2, 0, 0, 0, 0, 5,
                         ENCODING_CONSTANT, 1};
    assert_int_equal(encoding_get(bytes, 16, 4, 0, 4, got), ENCODING_EDAMAGED);
}

static void symbols_rise_with_the_numbers(void **state)
{
    (void)state;
    for (unsigned sub = 0; sub <= ENCODING_ROUNDED_BITS_MAX; sub++) {
        unsigned rest;
        for (unsigned symbol = 0; symbol < encoding_symbols(sub); symbol++) {
            uint64_t least = encoding_unround(symbol, sub, &rest);
            assert_int_equal(encoding_round(least, sub), symbol);
            assert_int_equal(encoding_round(least + bits_mask(rest), sub), symbol);
        }
        assert_int_equal(encoding_round(UINT64_MAX, sub), encoding_symbols(sub) - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_of_every_shape_come_back),
        cmocka_unit_test(every_width_comes_back),
        cmocka_unit_test(random_mixtures_come_back),
        cmocka_unit_test(the_encoding_that_fits_is_chosen),
        cmocka_unit_test(bytes_that_are_no_column_are_refused),
        cmocka_unit_test(columns_within_columns_have_none_within_them),
        cmocka_unit_test(symbols_rise_with_the_numbers),
    };
    return cmocka_run_group_tests(tests, make_encoder, free_encoder);
}

// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "lib/codec/batch.h"
#include "weft.pb-c.h"

enum { MAX_BYTES = 16 << 20 };

struct fixture {
    struct batch_builder *builder;
    struct buffer bytes;
    struct arena arena;
    const struct batch *batch;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->builder = batch_builder_create();
    arena_init(&f->arena, 4096);
    *state = f;
    return f->builder ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    batch_builder_destroy(&f->builder);
    buffer_fini(&f->bytes);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static const struct batch_samples *encode_and_decode(struct fixture *f)
{
    int error = 1;
    buffer_clear(&f->bytes);
    assert_int_equal(batch_encode(f->builder, &f->bytes), 0);
    f->batch = batch_decode(&f->arena, f->bytes.data, f->bytes.length, MAX_BYTES, &error);
    assert_int_equal(error, BATCH_OK);
    assert_non_null(f->batch);
    return &f->batch->samples;
}

static uint32_t text(struct fixture *f, const char *s)
{
    return batch_string(f->builder, s, strlen(s));
}

static uint32_t add_series(struct fixture *f, const char *name)
{
    uint32_t metric = batch_metric(f->builder, text(f, name), METRIC_COUNTER, 0, 0);
    return batch_series(f->builder, metric, BATCH_NONE, NULL, 0);
}

static void assert_label(const struct labels *l, const char *name, const char *value)
{
    struct batch_str found = labels_get_text(l, name);
    if (!batch_str_is(found, value))
        fail_msg("%s is \"%.*s\", expected \"%s\"", name, (int)found.length, found.bytes, value);
}

/* ---- what samples are of ----------------------------------------------------------------- */

static void a_series_has_its_metric_the_shared_labels_and_its_own(void **state)
{
    struct fixture *f = *state;
    uint32_t shared[] = {text(f, "host"), text(f, "a1"), text(f, "cell"), text(f, "7")};
    uint32_t own[] = {text(f, "zone"), text(f, "b"), text(f, "code"), text(f, "200")};
    uint32_t metric = batch_metric(f->builder, text(f, "requests_total"), METRIC_COUNTER,
                                   text(f, "requests"), text(f, "What came in."));
    uint32_t set = batch_label_set(f->builder, shared, 2);
    uint32_t series = batch_series(f->builder, metric, set, own, 2);
    batch_sample(f->builder, series, 1700000000123, SAMPLE_DELTA, 5);
    const struct batch_samples *s = encode_and_decode(f);
    assert_int_equal(s->metric_count, 1);
    assert_true(batch_str_is(s->metrics[0].name, "requests_total"));
    assert_true(batch_str_is(s->metrics[0].unit, "requests"));
    assert_true(batch_str_is(s->metrics[0].help, "What came in."));
    assert_int_equal(s->metrics[0].type, METRIC_COUNTER);
    struct label room[LABELS_MAX];
    struct labels l;
    assert_true(batch_series_labels(f->batch, 0, room, &l));
    assert_int_equal(l.count, 5);
    assert_label(&l, "__name__", "requests_total");
    assert_label(&l, "host", "a1");
    assert_label(&l, "cell", "7");
    assert_label(&l, "zone", "b");
    assert_label(&l, "code", "200");
    for (uint32_t i = 1; i < l.count; i++)
        assert_true(batch_str_compare(l.items[i - 1].name, l.items[i].name) < 0);
}

static void a_series_own_label_counts_and_an_empty_one_is_none(void **state)
{
    struct fixture *f = *state;
    uint32_t shared[] = {text(f, "host"), text(f, "a1"), text(f, "cell"), text(f, "7")};
    uint32_t own[] = {text(f, "cell"), 0, text(f, "host"), text(f, "a2")};
    uint32_t metric = batch_metric(f->builder, text(f, "m"), METRIC_GAUGE, 0, 0);
    batch_series(f->builder, metric, batch_label_set(f->builder, shared, 2), own, 2);
    encode_and_decode(f);
    struct label room[LABELS_MAX];
    struct labels l;
    assert_true(batch_series_labels(f->batch, 0, room, &l));
    assert_int_equal(l.count, 2);
    assert_label(&l, "host", "a2");
}

static void a_series_with_too_many_labels_is_told(void **state)
{
    struct fixture *f = *state;
    uint32_t pairs[2 * LABELS_MAX];
    for (uint32_t i = 0; i < LABELS_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "l%u", i);
        pairs[2 * i] = pairs[2 * i + 1] = text(f, name);
    }
    uint32_t metric = batch_metric(f->builder, text(f, "m"), METRIC_GAUGE, 0, 0);
    batch_series(f->builder, metric, BATCH_NONE, pairs, LABELS_MAX);
    batch_series(f->builder, metric, BATCH_NONE, pairs, LABELS_MAX - 1);
    encode_and_decode(f);
    struct label room[LABELS_MAX];
    struct labels l;
    assert_false(batch_series_labels(f->batch, 0, room, &l));
    assert_true(batch_series_labels(f->batch, 1, room, &l));
    assert_int_equal(l.count, LABELS_MAX);
}

/* ---- rows -------------------------------------------------------------------------------- */

static void every_double_comes_back_bit_by_bit(void **state)
{
    struct fixture *f = *state;
    const double values[] = {0,       -0.0,    1,        -1,          0.5,     1e300,   -1e-300,
                             DBL_MAX, DBL_MIN, INFINITY, -INFINITY,   0x1p53,  -0x1p53, 0x1p53 + 2,
                             0x1p63,  -0x1p63, 4e-324,   123456789.0, -0x1p64, NAN};
    size_t n = sizeof values / sizeof *values;
    uint32_t series = add_series(f, "m");
    for (size_t i = 0; i < n; i++)
        batch_sample(f->builder, series, (int64_t)i, SAMPLE_VALUE, values[i]);
    const struct batch_samples *s = encode_and_decode(f);
    assert_int_equal(s->count, n);
    for (size_t i = 0; i < n; i++)
        assert_memory_equal(&s->value[i], &values[i], sizeof values[i]);
}

static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

struct row {
    uint32_t series;
    int64_t unix_ms;
    unsigned kind;
    double value;
};

static struct row draw_row(uint32_t series_count)
{
    static const unsigned kinds[] = {SAMPLE_VALUE, SAMPLE_DELTA, SAMPLE_STALE};
    struct row r = {(uint32_t)draw(series_count), (int64_t)draw(UINT64_C(1) << 62), kinds[draw(3)],
                    (double)(int64_t)draw(1000)};
    if (draw(4) == 0)
        r.unix_ms = -r.unix_ms;
    if (draw(3) == 0)
        r.value = (double)draw(UINT64_MAX) / 1e5;
    return r;
}

static void any_rows_come_back_in_their_order(void **state)
{
    struct fixture *f = *state;
    enum { SERIES = 50, ROWS = 5000 };
    static struct row rows[ROWS];
    random_state = 7;
    for (int i = 0; i < SERIES; i++)
        add_series(f, "m");
    for (int i = 0; i < ROWS; i++) {
        rows[i] = draw_row(SERIES);
        batch_sample(f->builder, rows[i].series, rows[i].unix_ms, rows[i].kind, rows[i].value);
    }
    assert_int_equal(batch_builder_samples(f->builder), ROWS);
    const struct batch_samples *s = encode_and_decode(f);
    assert_int_equal(s->count, ROWS);
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(s->series_of[i], rows[i].series);
        assert_int_equal(s->unix_ms[i], rows[i].unix_ms);
        assert_int_equal(s->kind[i], rows[i].kind);
        if (rows[i].kind != SAMPLE_STALE)
            assert_memory_equal(&s->value[i], &rows[i].value, sizeof(double));
        assert_int_equal(s->histogram[i], BATCH_NONE);
    }
}

static void assert_buckets(const struct batch_samples *s, uint32_t first, uint32_t count,
                           const struct exphist_range *expected)
{
    uint32_t at = first;
    for (uint32_t i = 0; i < expected->used; i++) {
        if (expected->counts[i] == 0)
            continue;
        assert_true(at < first + count);
        assert_int_equal(s->bucket[at], expected->first + (int32_t)i);
        assert_int_equal(s->bucket_count[at], expected->counts[i]);
        at++;
    }
    assert_int_equal(at, first + count);
}

static void histograms_come_back_with_all_their_buckets(void **state)
{
    struct fixture *f = *state;
    enum { HISTOGRAMS = 40 };
    struct exphist all[HISTOGRAMS];
    uint32_t series = add_series(f, "seconds");
    random_state = 11;
    for (int i = 0; i < HISTOGRAMS; i++) {
        exphist_init(&all[i], i % 2 ? 20 : 0);
        for (int k = 0; k < i * 3; k++)
            exphist_add(&all[i], ((double)draw(1000000) - 200000) / 1e3, 1 + draw(5));
        if (i % 7 == 0)
            exphist_add(&all[i], INFINITY, 3);
        batch_histogram(f->builder, series, i, SAMPLE_HISTOGRAM_DELTA, &all[i]);
        batch_sample(f->builder, series, i, SAMPLE_VALUE, i);
    }
    const struct batch_samples *s = encode_and_decode(f);
    assert_int_equal(s->histogram_count, HISTOGRAMS);
    for (uint32_t i = 0; i < HISTOGRAMS; i++) {
        assert_int_equal(s->histogram[2 * i], i);
        assert_int_equal(s->histogram[2 * i + 1], BATCH_NONE);
        const struct batch_histogram_view *h = &s->histograms[i];
        assert_int_equal(h->scale, all[i].scale);
        assert_int_equal(h->zeros, all[i].zeros);
        assert_int_equal(h->not_finite, all[i].not_finite);
        assert_memory_equal(&h->sum, &all[i].sum, sizeof h->sum);
        assert_memory_equal(&h->min, &all[i].min, sizeof h->min);
        assert_memory_equal(&h->max, &all[i].max, sizeof h->max);
        assert_buckets(s, h->first, h->positive, &all[i].positive);
        assert_buckets(s, h->first + h->positive, h->negative, &all[i].negative);
        assert_memory_equal(&s->value[2 * i], &all[i].sum, sizeof(double));
        exphist_fini(&all[i]);
    }
}

static void exemplars_come_back(void **state)
{
    struct fixture *f = *state;
    add_series(f, "a");
    uint32_t series = add_series(f, "b");
    batch_exemplar(f->builder, series, 1700000000123, 0.25, (struct trace_id){1, UINT64_MAX}, 77);
    batch_exemplar(f->builder, series, 1700000000001, 3, (struct trace_id){2, 5}, UINT64_MAX);
    const struct batch_samples *s = encode_and_decode(f);
    assert_int_equal(s->exemplar_count, 2);
    assert_int_equal(s->exemplar_series[0], 1);
    assert_int_equal(s->exemplar_unix_ms[0], 1700000000123);
    assert_int_equal(s->exemplar_unix_ms[1], 1700000000001);
    assert_true(s->exemplar_value[0] == 0.25 && s->exemplar_value[1] == 3);
    assert_int_equal(s->exemplar_trace_hi[0], 1);
    assert_int_equal(s->exemplar_trace_lo[0], UINT64_MAX);
    assert_int_equal(s->exemplar_span_id[0], 77);
    assert_int_equal(s->exemplar_span_id[1], UINT64_MAX);
}

static void a_builder_that_was_reset_begins_anew(void **state)
{
    struct fixture *f = *state;
    batch_sample(f->builder, add_series(f, "old"), 5, SAMPLE_VALUE, 1);
    batch_builder_reset(f->builder);
    batch_sample(f->builder, add_series(f, "new"), 7, SAMPLE_VALUE, 2);
    const struct batch_samples *s = encode_and_decode(f);
    assert_int_equal(s->count, 1);
    assert_int_equal(s->unix_ms[0], 7);
    assert_true(batch_str_is(s->metrics[0].name, "new"));
}

/* ---- what must be refused ---------------------------------------------------------------- */

static int decode_message(struct fixture *f, const Weft__Batch *message)
{
    int error = BATCH_OK;
    size_t length = weft__batch__get_packed_size(message);
    uint8_t *plain = malloc(length);
    weft__batch__pack(message, plain);
    size_t bound = ZSTD_compressBound(length);
    void *compressed = malloc(bound);
    size_t size = ZSTD_compress(compressed, bound, plain, length, 1);
    batch_decode(&f->arena, compressed, size, MAX_BYTES, &error);
    free(compressed);
    free(plain);
    return error;
}

static ProtobufCBinaryData column(const char *bytes, size_t length)
{
    return (ProtobufCBinaryData){length, (uint8_t *)bytes};
}
#define COLUMN(literal) column(literal, sizeof(literal) - 1)

/* A batch with one series and one sample, which is good. */
static Weft__Batch one_sample(void)
{
    Weft__Batch m = WEFT__BATCH__INIT;
    m.format = 2;
    m.metrics = COLUMN("\0\1\0\0");
    m.series = COLUMN("\0\0\0");
    m.sample_count = 1;
    m.sample_series = COLUMN("\0");
    m.sample_time = COLUMN("\2");
    m.sample_kind = COLUMN("\1");
    m.sample_int = COLUMN("\2");
    return m;
}

static void columns_that_contradict_each_other_are_refused(void **state)
{
    struct fixture *f = *state;
    Weft__Batch m = one_sample();
    assert_int_equal(decode_message(f, &m), BATCH_OK);
#define REFUSED(field, literal)                                                                    \
    do {                                                                                           \
        Weft__Batch bad = one_sample();                                                            \
        bad.field = COLUMN(literal);                                                               \
        if (decode_message(f, &bad) != BATCH_ECOLUMNS)                                             \
            fail_msg("%s = %s was taken", #field, #literal);                                       \
    } while (0)
    REFUSED(metrics, "\1\1\0\0");          /* a string that there is not */
    REFUSED(metrics, "\0\10\0\0");         /* a type */
    REFUSED(metrics, "\0\1\0\0\0");        /* more than fours */
    REFUSED(series, "\1\0\0");             /* a metric */
    REFUSED(series, "\0\1\0");             /* a label set */
    REFUSED(series, "\0\0\1\0");           /* half a pair */
    REFUSED(series, "");                   /* the sample's own */
    REFUSED(label_sets, "\2\0\0");         /* two pairs, of which one is there */
    REFUSED(sample_series, "\2");          /* beyond the last series */
    REFUSED(sample_series, "\1");          /* before the first one */
    REFUSED(sample_series, "\0\0");        /* more rows than samples */
    REFUSED(sample_kind, "\12");           /* a kind */
    REFUSED(sample_kind, "\4");            /* a histogram that there is not */
    REFUSED(sample_int, "");               /* no value */
    REFUSED(sample_int, "\2\2");           /* one too many */
    REFUSED(sample_double, "\0");          /* not eight bytes */
    REFUSED(histogram_head, "\0\0\0\0\0"); /* of no row */
    REFUSED(histogram_buckets, "\0\1");    /* of no histogram */
    REFUSED(exemplar_ids, "123456789012345678901234");
}

/* ... and with one histogram instead. */
static Weft__Batch one_histogram(void)
{
    Weft__Batch m = one_sample();
    m.sample_kind = COLUMN("\6");
    m.sample_int = COLUMN("");
    m.histogram_head = COLUMN("\14\0\0\2\0");
    m.histogram_numbers = COLUMN("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    m.histogram_buckets = COLUMN("\1\3\2\4");
    return m;
}

static void histograms_that_are_none_are_refused(void **state)
{
    struct fixture *f = *state;
    Weft__Batch m = one_histogram();
    assert_int_equal(decode_message(f, &m), BATCH_OK);
#define REFUSED_HISTOGRAM(field, literal)                                                          \
    do {                                                                                           \
        Weft__Batch bad = one_histogram();                                                         \
        bad.field = COLUMN(literal);                                                               \
        if (decode_message(f, &bad) != BATCH_ECOLUMNS)                                             \
            fail_msg("%s = %s was taken", #field, #literal);                                       \
    } while (0)
    REFUSED_HISTOGRAM(histogram_head, "\16\0\0\2\0"); /* a scale above 6 */
    REFUSED_HISTOGRAM(histogram_head, "\25\0\0\2\0"); /* below -10 */
    REFUSED_HISTOGRAM(histogram_head, "\14\0\0\3\0"); /* more buckets than there are */
    REFUSED_HISTOGRAM(histogram_head, "\14\0\0\1\0"); /* fewer */
    REFUSED_HISTOGRAM(histogram_head, "\14\0\0\2\1"); /* negative ones that there are not */
    REFUSED_HISTOGRAM(histogram_buckets, "\1\3\0\4"); /* the same bucket twice */
    REFUSED_HISTOGRAM(histogram_buckets, "\1\3\1\4"); /* falling */
    REFUSED_HISTOGRAM(histogram_numbers, "\0\0\0\0\0\0\0\0");
}

static void a_batch_without_samples_stays_readable_for_older_collectors(void **state)
{
    struct fixture *f = *state;
    char plain[4096];
    buffer_clear(&f->bytes);
    assert_int_equal(batch_encode(f->builder, &f->bytes), 0);
    size_t length = ZSTD_decompress(plain, sizeof plain, f->bytes.data, f->bytes.length);
    Weft__Batch *m = weft__batch__unpack(NULL, length, (uint8_t *)plain);
    assert_int_equal(m->format, BATCH_FORMAT_SPANS);
    weft__batch__free_unpacked(m, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_series_has_its_metric_the_shared_labels_and_its_own,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_series_own_label_counts_and_an_empty_one_is_none, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_series_with_too_many_labels_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(every_double_comes_back_bit_by_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(any_rows_come_back_in_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(histograms_come_back_with_all_their_buckets, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(exemplars_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_builder_that_was_reset_begins_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(columns_that_contradict_each_other_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(histograms_that_are_none_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_without_samples_stays_readable_for_older_collectors,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "lib/prom/remote_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "lib/model/metric.h"
#include "tests/unit/prom/message.h"

enum { MAX_BYTES = 1 << 20 };

struct fixture {
    struct arena arena;
    struct buffer request;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena, 4096);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_fini(&f->arena);
    buffer_fini(&f->request);
    free(f);
    return 0;
}

static const struct remote_write *decode(struct fixture *f, int *error)
{
    size_t length;
    void *bytes = compress_message(&f->request, &length);
    const struct remote_write *w = remote_write_decode(&f->arena, bytes, length, MAX_BYTES, error);
    free(bytes);
    assert_int_equal(w == NULL, *error != REMOTE_WRITE_OK);
    return w;
}

static const struct remote_write *decode_well(struct fixture *f)
{
    int error = 1;
    const struct remote_write *w = decode(f, &error);
    if (!w)
        fail_msg("%s", remote_write_error_text(error));
    return w;
}

static void assert_refused(struct fixture *f, int expected)
{
    int error = 0;
    decode(f, &error);
    if (error != expected)
        fail_msg("%s, expected %s", remote_write_error_text(error),
                 remote_write_error_text(expected));
    buffer_clear(&f->request);
}

static void assert_labels(const struct labels *l, const char *const *pairs, uint32_t count)
{
    assert_int_equal(l->count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(batch_str_is(l->items[i].name, pairs[2 * i]));
        assert_true(batch_str_is(l->items[i].value, pairs[2 * i + 1]));
    }
}

/* ---- what comes ---------------------------------------------------------------------------- */

static void series_come_with_their_labels_and_samples(void **state)
{
    struct fixture *f = *state;
    struct buffer series = {0};
    put_label(&series, "__name__", "up");
    put_label(&series, "job", "web");
    put_sample(&series, 1700000000000, 1);
    put_sample(&series, 1700000015000, -0.5);
    put_message(&f->request, 1, &series);
    put_label(&series, "__name__", "down");
    put_sample(&series, -5, INFINITY);
    put_message(&f->request, 1, &series);
    const struct remote_write *w = decode_well(f);
    assert_int_equal(w->series_count, 2);
    assert_int_equal(w->sample_count, 3);
    assert_labels(&w->series[0].labels, (const char *[]){"__name__", "up", "job", "web"}, 2);
    assert_labels(&w->series[1].labels, (const char *[]){"__name__", "down"}, 1);
    assert_int_equal(w->series[1].sample_first, 2);
    assert_int_equal(w->series[1].sample_count, 1);
    assert_int_equal(w->sample_unix_ms[1], 1700000015000);
    assert_int_equal(w->sample_unix_ms[2], -5);
    assert_true(w->sample_value[1] == -0.5 && isinf(w->sample_value[2]));
}

static void labels_are_sorted_and_empty_ones_are_none(void **state)
{
    struct fixture *f = *state;
    struct buffer series = {0};
    put_sample(&series, 7, 1); /* before its labels, which is allowed */
    put_label(&series, "zone", "b");
    put_label(&series, "empty", "");
    put_label(&series, "__name__", "m");
    put_message(&f->request, 1, &series);
    const struct remote_write *w = decode_well(f);
    assert_labels(&w->series[0].labels, (const char *[]){"__name__", "m", "zone", "b"}, 2);
    assert_int_equal(w->series[0].sample_count, 1);
}

static void exemplars_and_metadata_come(void **state)
{
    struct fixture *f = *state;
    struct buffer series = {0}, part = {0};
    put_label(&series, "__name__", "seconds");
    put_label(&part, "trace_id", "0123");
    put_double(&part, 2, 0.25);
    put_number(&part, 3, 99);
    put_message(&series, 3, &part);
    put_message(&f->request, 1, &series);
    put_number(&part, 1, 3);
    put_text(&part, 2, "seconds");
    put_text(&part, 4, "How long.");
    put_text(&part, 5, "seconds");
    put_message(&f->request, 3, &part);
    const struct remote_write *w = decode_well(f);
    assert_int_equal(w->series[0].exemplar_count, 1);
    assert_labels(&w->exemplars[0].labels, (const char *[]){"trace_id", "0123"}, 1);
    assert_int_equal(w->exemplars[0].unix_ms, 99);
    assert_true(w->exemplars[0].value == 0.25);
    assert_int_equal(w->metadata_count, 1);
    assert_int_equal(w->metadata[0].type, METRIC_HISTOGRAM);
    assert_true(batch_str_is(w->metadata[0].metric, "seconds"));
    assert_true(batch_str_is(w->metadata[0].help, "How long."));
    assert_true(batch_str_is(w->metadata[0].unit, "seconds"));
}

/* ---- histograms ---------------------------------------------------------------------------- */

static void put_span(struct buffer *histogram, unsigned field, int32_t offset, uint32_t length)
{
    struct buffer span = {0};
    put_signed(&span, 1, offset);
    put_number(&span, 2, length);
    put_message(histogram, field, &span);
}

static void put_packed_signed(struct buffer *histogram, unsigned field, const int *values, size_t n)
{
    struct buffer packed = {0};
    for (size_t i = 0; i < n; i++)
        put_varint(&packed, ((uint64_t)values[i] << 1) ^ (uint64_t)(values[i] >> 31));
    put_message(histogram, field, &packed);
}

/* A series with this histogram; it is emptied. */
static void put_histogram(struct fixture *f, struct buffer *histogram)
{
    struct buffer series = {0};
    put_label(&series, "__name__", "h");
    put_message(&series, 4, histogram);
    put_message(&f->request, 1, &series);
}

static void a_histogram_of_whole_counts_comes(void **state)
{
    struct fixture *f = *state;
    struct buffer h = {0};
    put_number(&h, 1, 12);
    put_double(&h, 3, 18.4);
    put_signed(&h, 4, -2);
    put_double(&h, 5, 0.001);
    put_number(&h, 6, 2);
    put_span(&h, 8, -1, 1);
    put_packed_signed(&h, 9, (int[]){3}, 1);
    put_span(&h, 11, 2, 2);
    put_span(&h, 11, 3, 1);
    put_packed_signed(&h, 12, (int[]){1, 4, -4}, 3);
    put_number(&h, 14, HISTOGRAM_RESET);
    put_number(&h, 15, 1700000000000);
    put_histogram(f, &h);
    const struct remote_write *w = decode_well(f);
    assert_int_equal(w->series[0].histogram_count, 1);
    assert_int_equal(w->histogram_unix_ms[0], 1700000000000);
    const struct histogram *got = &w->histograms[0];
    assert_int_equal(got->schema, -2);
    assert_int_equal(got->reset, HISTOGRAM_RESET);
    assert_true(got->count == 12 && got->sum == 18.4 && got->zero_count == 2);
    assert_true(got->zero_threshold == 0.001);
    assert_int_equal(got->positive.count, 3);
    const int32_t index[] = {2, 3, 7};
    const double value[] = {1, 5, 1};
    assert_memory_equal(got->positive.index, index, sizeof index);
    assert_memory_equal(got->positive.value, value, sizeof value);
    assert_int_equal(got->negative.count, 1);
    assert_int_equal(got->negative.index[0], -1);
    assert_true(got->negative.value[0] == 3);
}

static void a_histogram_with_custom_buckets_and_floating_counts_comes(void **state)
{
    struct fixture *f = *state;
    struct buffer h = {0};
    put_double(&h, 2, 3.5);
    put_signed(&h, 4, HISTOGRAM_CUSTOM);
    put_span(&h, 11, 0, 3);
    for (int i = 0; i < 3; i++)
        put_double(&h, 13, i + 0.5); /* one by one in place of packed */
    const double bounds[] = {0.1, 1};
    put_bytes(&h, 16, bounds, sizeof bounds);
    put_histogram(f, &h);
    const struct histogram *got = &decode_well(f)->histograms[0];
    assert_true(histogram_is_custom(got));
    assert_int_equal(got->custom_count, 2);
    assert_true(got->custom[0] == 0.1 && got->custom[1] == 1);
    assert_int_equal(got->positive.count, 3);
    assert_true(got->positive.value[2] == 2.5 && got->positive.index[2] == 2);
}

static void histograms_that_contradict_themselves_are_refused(void **state)
{
    struct fixture *f = *state;
    struct buffer h = {0};
    put_signed(&h, 4, 9); /* a schema that there is not */
    put_histogram(f, &h);
    assert_refused(f, REMOTE_WRITE_EHISTOGRAM);
    put_span(&h, 11, 0, 2); /* two buckets, one count */
    put_packed_signed(&h, 12, (int[]){1}, 1);
    put_histogram(f, &h);
    assert_refused(f, REMOTE_WRITE_EHISTOGRAM);
    put_span(&h, 11, 0, 1); /* one bucket, two counts */
    put_packed_signed(&h, 12, (int[]){1, 1}, 2);
    put_histogram(f, &h);
    assert_refused(f, REMOTE_WRITE_EHISTOGRAM);
    put_span(&h, 11, 5, 1); /* spans that overlap */
    put_span(&h, 11, -1, 1);
    put_packed_signed(&h, 12, (int[]){1, 1}, 2);
    put_histogram(f, &h);
    assert_refused(f, REMOTE_WRITE_EHISTOGRAM);
    put_span(&h, 11, INT32_MAX, 2); /* beyond the last index */
    put_packed_signed(&h, 12, (int[]){1, 1}, 2);
    put_histogram(f, &h);
    assert_refused(f, REMOTE_WRITE_EHISTOGRAM);
    put_signed(&h, 4, HISTOGRAM_CUSTOM); /* a bucket beyond +Inf */
    put_span(&h, 11, 1, 1);
    put_packed_signed(&h, 12, (int[]){1}, 1);
    put_histogram(f, &h);
    assert_refused(f, REMOTE_WRITE_EHISTOGRAM);
    put_signed(&h, 4, HISTOGRAM_CUSTOM); /* bounds that fall */
    put_bytes(&h, 16, (double[]){1, 1}, 16);
    put_histogram(f, &h);
    assert_refused(f, REMOTE_WRITE_EHISTOGRAM);
}

/* ---- what must be refused ------------------------------------------------------------------ */

static void series_that_nobody_could_ask_for_are_refused(void **state)
{
    struct fixture *f = *state;
    struct buffer series = {0};
    put_sample(&series, 1, 1); /* no label */
    put_message(&f->request, 1, &series);
    assert_refused(f, REMOTE_WRITE_ELABELS);
    put_label(&series, "a", "1"); /* one twice */
    put_label(&series, "b", "1");
    put_label(&series, "a", "2");
    put_message(&f->request, 1, &series);
    assert_refused(f, REMOTE_WRITE_ELABELS);
    put_label(&series, "", "nameless");
    put_message(&f->request, 1, &series);
    assert_refused(f, REMOTE_WRITE_ELABELS);
    for (int i = 0; i <= LABELS_MAX; i++)
        put_label(&series, (char[]){(char)('a' + i / 26), (char)('a' + i % 26), 0}, "x");
    put_message(&f->request, 1, &series);
    assert_refused(f, REMOTE_WRITE_ELABELS);
}

static void bytes_that_are_no_message_are_refused(void **state)
{
    struct fixture *f = *state;
    int error = 0;
    assert_null(remote_write_decode(&f->arena, "no snappy", 9, MAX_BYTES, &error));
    assert_int_equal(error, REMOTE_WRITE_ESNAPPY);
    static char zeros[MAX_BYTES + 1];
    buffer_append(&f->request, zeros, sizeof zeros); /* larger than allowed */
    assert_refused(f, REMOTE_WRITE_ESNAPPY);
    buffer_append(&f->request, "\x0a\x7f", 2); /* a series that goes beyond the end */
    assert_refused(f, REMOTE_WRITE_EMESSAGE);
    buffer_append(&f->request, "\x0a\x02\x0a\x05", 4); /* a label likewise */
    assert_refused(f, REMOTE_WRITE_EMESSAGE);
    buffer_append(&f->request, "\x0f", 1); /* a wire type that there is not */
    assert_refused(f, REMOTE_WRITE_EMESSAGE);
}

static void any_truncated_request_costs_an_error_at_most(void **state)
{
    struct fixture *f = *state;
    struct buffer h = {0}, whole = {0};
    put_span(&h, 11, 0, 2);
    put_packed_signed(&h, 12, (int[]){1, 1}, 2);
    put_histogram(f, &h);
    buffer_append(&whole, f->request.data, f->request.length);
    for (size_t length = 0; length < whole.length; length++) {
        int error;
        buffer_clear(&f->request);
        buffer_append(&f->request, whole.data, length);
        decode(f, &error);
    }
    buffer_fini(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(series_come_with_their_labels_and_samples, setup, teardown),
        cmocka_unit_test_setup_teardown(labels_are_sorted_and_empty_ones_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(exemplars_and_metadata_come, setup, teardown),
        cmocka_unit_test_setup_teardown(a_histogram_of_whole_counts_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_histogram_with_custom_buckets_and_floating_counts_comes,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(histograms_that_contradict_themselves_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(series_that_nobody_could_ask_for_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_message_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(any_truncated_request_costs_an_error_at_most, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

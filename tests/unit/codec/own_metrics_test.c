// SPDX-License-Identifier: Apache-2.0
/* One list, two places: what is promised of the text and of the rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "lib/codec/own_metrics.h"

enum { MAX_BYTES = 1 << 20, AT_MS = 1763800000 };

static void list(struct own_metrics *m)
{
    const struct own_label first[] = {{"reason", "a \"b\"\\\n"}, {"service", ""}};
    const struct own_label second[] = {{"reason", "full"}, {"service", "web"}};
    const struct own_label le[] = {{"le", "+Inf"}};
    own_gauge(m, "weft_x_bytes", "How much.", 1.5);
    own_family(m, "weft_x_lost_total", METRIC_COUNTER, "What was lost.");
    own_value(m, first, 2, 3);
    own_value(m, second, 2, 9007199254740991);
    own_family(m, "weft_x_seconds", METRIC_HISTOGRAM, "How long.");
    own_part(m, "_bucket", le, 1, 4);
    own_part(m, "_sum", NULL, 0, 0.25);
    own_part(m, "_count", NULL, 0, 4);
}

static void as_text_it_is_what_prometheus_reads(void **state)
{
    struct buffer text = {0};
    struct own_metrics m = own_to_text(&text);
    (void)state;
    list(&m);
    assert_string_equal(buffer_cstring(&text),
                        "# HELP weft_x_bytes How much.\n"
                        "# TYPE weft_x_bytes gauge\n"
                        "weft_x_bytes 1.5\n"
                        "# HELP weft_x_lost_total What was lost.\n"
                        "# TYPE weft_x_lost_total counter\n"
                        "weft_x_lost_total{reason=\"a \\\"b\\\"\\\\\\n\",service=\"\"} 3\n"
                        "weft_x_lost_total{reason=\"full\",service=\"web\"} 9007199254740991\n"
                        "# HELP weft_x_seconds How long.\n"
                        "# TYPE weft_x_seconds histogram\n"
                        "weft_x_seconds_bucket{le=\"+Inf\"} 4\n"
                        "weft_x_seconds_sum 0.25\n"
                        "weft_x_seconds_count 4\n");
    buffer_fini(&text);
}

/* "name{label=value,…} value" of a row. */
static void print_row(const struct batch *b, uint32_t row, char *out, size_t size)
{
    struct label room[LABELS_MAX];
    struct labels labels;
    assert_true(batch_series_labels(b, b->samples.series_of[row], room, &labels));
    int length = 0;
    for (uint32_t i = 0; i < labels.count; i++)
        length +=
            snprintf(out + length, size - (size_t)length, "%.*s=%.*s,", (int)room[i].name.length,
                     room[i].name.bytes, (int)room[i].value.length, room[i].value.bytes);
    snprintf(out + length, size - (size_t)length, " %.17g", b->samples.value[row]);
}

static void as_rows_it_has_the_same_names_labels_and_values_and_whose_they_are(void **state)
{
    static const char *const expected[] = {
        "__name__=weft_x_bytes,host=box, 1.5",
        "__name__=weft_x_lost_total,host=box,reason=a \"b\"\\\n, 3",
        "__name__=weft_x_lost_total,host=box,reason=full,service=web, 9007199254740991",
        "__name__=weft_x_seconds_bucket,host=box,le=+Inf, 4",
        "__name__=weft_x_seconds_sum,host=box, 0.25",
        "__name__=weft_x_seconds_count,host=box, 4",
    };
    const struct own_label host = {"host", "box"};
    struct batch_builder *builder = batch_builder_create();
    struct buffer bytes = {0};
    struct arena arena;
    int error;
    (void)state;
    arena_init(&arena, 4096);
    struct own_metrics m = own_to_rows(builder, AT_MS, &host, 1);
    list(&m);
    assert_int_equal(batch_encode(builder, &bytes), 0);
    const struct batch *b = batch_decode(&arena, bytes.data, bytes.length, MAX_BYTES, &error);
    assert_non_null(b);
    assert_int_equal(b->samples.count, sizeof expected / sizeof *expected);
    for (uint32_t i = 0; i < b->samples.count; i++) {
        char row[256];
        print_row(b, i, row, sizeof row);
        assert_string_equal(row, expected[i]);
        assert_int_equal(b->samples.unix_ms[i], AT_MS);
        assert_int_equal(b->samples.kind[i], SAMPLE_VALUE);
    }
    assert_int_equal(b->samples.metrics[0].type, METRIC_GAUGE);
    assert_int_equal(b->samples.metrics[1].type, METRIC_COUNTER);
    assert_int_equal(b->samples.metric_count, 5);
    batch_builder_destroy(&builder);
    buffer_fini(&bytes);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_text_it_is_what_prometheus_reads),
        cmocka_unit_test(as_rows_it_has_the_same_names_labels_and_values_and_whose_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

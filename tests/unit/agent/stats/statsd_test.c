// SPDX-License-Identifier: Apache-2.0
/* Lines, and what becomes of them in the table; over a real socket in tests/e2e. */
#include "agent/stats/statsd.h"

#include <math.h>

#include "agent/stats/statsd_line.h"
#include "tests/unit/agent/stats/rows.h"

struct fixture {
    struct rows rows;
    uv_loop_t loop;
    struct statsd *statsd;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[256] = "";
    rows_begin(&f->rows, 100);
    uv_loop_init(&f->loop);
    f->statsd = statsd_create(&f->loop, "127.0.0.1:0", f->rows.table, why, sizeof why);
    if (!f->statsd)
        fail_msg("%s", why);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    statsd_stop(f->statsd);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    statsd_destroy(&f->statsd);
    rows_end(&f->rows);
    free(f);
    return 0;
}

static void packet(struct fixture *f, const char *text)
{
    statsd_packet(f->statsd, text, strlen(text));
}

static void round_ends(struct fixture *f)
{
    statsd_round(f->statsd);
    rows_round(&f->rows);
}

static void counters_count_and_sampled_ones_count_more(void **state)
{
    struct fixture *f = *state;
    packet(f, "hits:1|c\nhits:2|c\nrare:3|c|@0.1\r\n");
    round_ends(f);
    assert_row(&f->rows, "hits{host=box}", SAMPLE_DELTA, 3);
    assert_row(&f->rows, "rare{host=box}", SAMPLE_DELTA, 30);
}

static void gauges_are_set_and_moved(void **state)
{
    struct fixture *f = *state;
    packet(f, "depth:10|g");
    packet(f, "depth:+4|g\ndepth:-1.5|g");
    round_ends(f);
    assert_row(&f->rows, "depth{host=box}", SAMPLE_VALUE, 12.5);
    packet(f, "depth:3|g");
    round_ends(f);
    assert_row(&f->rows, "depth{host=box}", SAMPLE_VALUE, 3);
    round_ends(f);
    assert_row(&f->rows, "depth{host=box}", SAMPLE_VALUE, 3);
}

static void timers_are_histograms(void **state)
{
    struct fixture *f = *state;
    packet(f, "took:320|ms|@0.5\ntook:10:20:30|h");
    round_ends(f);
    assert_row(&f->rows, "took{host=box}", SAMPLE_HISTOGRAM_DELTA, 700);
}

static void sets_count_what_is_different(void **state)
{
    struct fixture *f = *state;
    packet(f, "users:ann|s\nusers:bob|s\nusers:ann|s\nusers:a:b|c|s");
    round_ends(f);
    assert_row(&f->rows, "users{host=box}", SAMPLE_VALUE, 2);
}

static void tags_are_labels_sorted_and_the_later_of_two_counts(void **state)
{
    struct fixture *f = *state;
    packet(f, "hits:1|c|#zone:b,app:web,debug,zone:c");
    round_ends(f);
    assert_row(&f->rows, "hits{app=web,debug=true,host=box,zone=c}", SAMPLE_DELTA, 1);
}

static void what_is_no_line_is_counted(void **state)
{
    struct fixture *f = *state;
    packet(f, "hits\n:1|c\nhits:|c\nhits:x|c\nhits:1|q\nhits:1\nhits:1|c|@0\nhits:1|c|@2\n"
              "hits:nan|g\nhits:-1|c\n\nhits:1e999|g");
    round_ends(f);
    assert_row(&f->rows, "weft_agent_statsd_bad_lines_total{host=box}", SAMPLE_DELTA, 11);
    assert_row(&f->rows, "weft_agent_statsd_packets_total{host=box}", SAMPLE_DELTA, 1);
}

static void unknown_parts_of_a_line_are_passed_over(void **state)
{
    struct fixture *f = *state;
    packet(f, "hits:1|c|c:83c0a99c|T1656581400|#a:b");
    round_ends(f);
    assert_row(&f->rows, "hits{a=b,host=box}", SAMPLE_DELTA, 1);
}

static void an_address_that_is_not_loopback_is_refused(void **state)
{
    struct fixture *f = *state;
    char why[256];
    assert_null(statsd_create(&f->loop, "0.0.0.0:0", f->rows.table, why, sizeof why));
    assert_non_null(strstr(why, "expected a loopback address"));
    assert_null(statsd_create(&f->loop, "localhost", f->rows.table, why, sizeof why));
}

static void a_port_that_is_taken_is_told(void **state)
{
    struct fixture *f = *state;
    char address[32], why[256] = "";
    snprintf(address, sizeof address, "127.0.0.1:%u", statsd_port(f->statsd));
    assert_null(statsd_create(&f->loop, address, f->rows.table, why, sizeof why));
    assert_non_null(strstr(why, "address already in use"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counters_count_and_sampled_ones_count_more, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(gauges_are_set_and_moved, setup, teardown),
        cmocka_unit_test_setup_teardown(timers_are_histograms, setup, teardown),
        cmocka_unit_test_setup_teardown(sets_count_what_is_different, setup, teardown),
        cmocka_unit_test_setup_teardown(tags_are_labels_sorted_and_the_later_of_two_counts, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_no_line_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_parts_of_a_line_are_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_that_is_not_loopback_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_port_that_is_taken_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* A series' file: its levels, gaps, what is told twice, and reading back over the levels. */
#include "tests/unit/collector/archive/directory.h"

#include <math.h>
#include <rrd.h>

#include "collector/archive/round.h"

struct fixture {
    char directory[64], path[96], why[300];
    int64_t last_s;
    struct points points;
};

static void begin(struct fixture *f)
{
    directory_make(f->directory);
    snprintf(f->path, sizeof f->path, "%s/one.rrd", f->directory);
    points_init(&f->points);
    assert_int_equal(round_create(f->path, BASE_S, f->why, sizeof f->why), 0);
    f->last_s = round_last_s(f->path);
    assert_int_equal(f->last_s, BASE_S);
}

static void end(struct fixture *f)
{
    points_fini(&f->points);
    directory_remove(f->directory);
}

static void write_one(struct fixture *f, int64_t at_s, double value)
{
    struct round_sample s = {BASE_S + at_s, value};
    if (round_write(f->path, &s, 1, &f->last_s, f->why, sizeof f->why) != 0)
        fail_msg("%s", f->why);
}

static void read_all(struct fixture *f, int64_t from_s, int64_t to_s)
{
    points_clear(&f->points);
    assert_int_equal(round_read(f->path, f->last_s, (BASE_S + from_s) * 1000,
                                (BASE_S + to_s) * 1000, &f->points),
                     0);
    for (size_t i = 1; i < f->points.count; i++)
        assert_true(f->points.unix_ms[i] > f->points.unix_ms[i - 1]);
}

static void assert_point(const struct fixture *f, size_t i, int64_t at_s, double value)
{
    assert_int_equal(f->points.unix_ms[i], (BASE_S + at_s) * 1000);
    assert_true(fabs(f->points.value[i] - value) < 1e-9);
}

static void a_file_has_four_levels_with_averages_and_extremes(void **state)
{
    (void)state;
    struct fixture f;
    unsigned averages = 0, least = 0, greatest = 0;
    begin(&f);
    rrd_info_t *info = rrd_info_r(f.path);
    for (rrd_info_t *i = info; i; i = i->next) {
        if (!strstr(i->key, "].cf"))
            continue;
        averages += strcmp(i->value.u_str, "AVERAGE") == 0;
        least += strcmp(i->value.u_str, "MIN") == 0;
        greatest += strcmp(i->value.u_str, "MAX") == 0;
    }
    rrd_info_free(info);
    assert_int_equal(averages, 4);
    assert_int_equal(least, 3);
    assert_int_equal(greatest, 3);
    end(&f);
}

static void samples_are_read_as_they_were_written_and_gaps_stay_gaps(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    write_one(&f, 10, 1);
    write_one(&f, 20, 2.5);
    write_one(&f, 50, 4); /* 30 and 40 are missing */
    write_one(&f, 60, NAN);
    write_one(&f, 70, -1);
    read_all(&f, 0, 100);
    assert_int_equal(f.points.count, 4);
    assert_point(&f, 0, 10, 1);
    assert_point(&f, 1, 20, 2.5);
    assert_point(&f, 2, 50, 4);
    assert_point(&f, 3, 70, -1);
    read_all(&f, 20, 50);
    assert_int_equal(f.points.count, 2);
    end(&f);
}

static void what_was_written_is_not_written_again(void **state)
{
    (void)state;
    struct fixture f;
    struct round_sample again[] = {
        {BASE_S + 10, 7}, {BASE_S + 20, 8}, {BASE_S + 30, 9}, {BASE_S + 40, 10}};
    begin(&f);
    write_one(&f, 10, 1);
    write_one(&f, 20, 2);
    assert_int_equal(round_write(f.path, again, 4, &f.last_s, f.why, sizeof f.why), 0);
    /* As after a crash between a file and the index: what is in the file is left alone. */
    f.last_s = BASE_S;
    assert_int_equal(round_write(f.path, again, 4, &f.last_s, f.why, sizeof f.why), 0);
    read_all(&f, 0, 100);
    assert_int_equal(f.points.count, 4);
    assert_point(&f, 0, 10, 1);
    assert_point(&f, 1, 20, 2);
    assert_point(&f, 2, 30, 9);
    assert_point(&f, 3, 40, 10);
    end(&f);
}

static void a_file_that_is_there_is_kept(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    write_one(&f, 10, 5);
    assert_int_equal(round_create(f.path, BASE_S, f.why, sizeof f.why), 0);
    assert_int_equal(round_last_s(f.path), BASE_S + 10);
    assert_int_equal(round_create("/nowhere/at/all.rrd", BASE_S, f.why, sizeof f.why), -1);
    assert_non_null(strstr(f.why, "/nowhere/at/all.rrd"));
    end(&f);
}

/* A straight line over ten days: every level has to lie on it. */
static void old_samples_come_from_coarser_levels_without_holes(void **state)
{
    (void)state;
    enum { DAYS = 10, COUNT = DAYS * 8640 };
    struct fixture f;
    begin(&f);
    struct round_sample *list = calloc(COUNT, sizeof *list);
    for (int64_t i = 0; i < COUNT; i++)
        list[i] = (struct round_sample){BASE_S + (i + 1) * 10, (double)(i + 1) * 10};
    assert_int_equal(round_write(f.path, list, COUNT, &f.last_s, f.why, sizeof f.why), 0);
    free(list);
    read_all(&f, 0, DAYS * 86400);
    int64_t before_ms = BASE_S * 1000, widest_ms = 0;
    size_t fine = 0;
    for (size_t i = 0; i < f.points.count; i++) {
        int64_t gap_ms = f.points.unix_ms[i] - before_ms;
        double at_s = (double)(f.points.unix_ms[i] - BASE_S * 1000) / 1000;
        widest_ms = gap_ms > widest_ms ? gap_ms : widest_ms;
        fine += gap_ms == 10000;
        assert_true(fabs(f.points.value[i] - at_s) <= 600);
        before_ms = f.points.unix_ms[i];
    }
    assert_in_range(fine, 8640 - 10, 8640 + 10);
    assert_in_range(widest_ms, 60000, 240000); /* below PromQL's look-back everywhere */
    assert_int_equal(before_ms, (BASE_S + DAYS * 86400) * 1000);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_four_levels_with_averages_and_extremes),
        cmocka_unit_test(samples_are_read_as_they_were_written_and_gaps_stay_gaps),
        cmocka_unit_test(what_was_written_is_not_written_again),
        cmocka_unit_test(a_file_that_is_there_is_kept),
        cmocka_unit_test(old_samples_come_from_coarser_levels_without_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

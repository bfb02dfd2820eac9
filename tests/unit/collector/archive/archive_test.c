// SPDX-License-Identifier: Apache-2.0
/* Rounds of the archive on series in memory: what is written, how it goes on after a restart, what
 * is refused, and how store and archive read as one. */
#include "tests/unit/collector/archive/directory.h"

#include <math.h>
#include <pthread.h>
#include <sys/stat.h>

#include "collector/archive/archive.h"
#include "collector/query/promql/promql.h"
#include "tests/promqltest/memory_source.h"

static const char plan_text[] = "archive:\n"
                                "- expr: load\n"
                                "- record: load:sum\n"
                                "  expr: sum(load)\n";

struct fixture {
    char directory[64], why[300];
    struct memory_source memory;
    int64_t oldest_ms, now_s;
    uint32_t files_most;
    struct archive *archive;
};

static int64_t on_oldest(void *context)
{
    return ((struct fixture *)context)->oldest_ms;
}

static struct archive_plan *plan_of(struct fixture *f, const char *text)
{
    struct archive_plan *plan = archive_plan_read("p", text, strlen(text), f->why, sizeof f->why);
    assert_non_null(plan);
    return plan;
}

static void open_archive(struct fixture *f)
{
    struct archive_options options = {.directory = f->directory,
                                      .files_most = f->files_most,
                                      .source = &f->memory.source,
                                      .oldest_ms = on_oldest,
                                      .now_s = f->now_s,
                                      .context = f};
    f->archive = archive_open(&options, plan_of(f, plan_text), f->why, sizeof f->why);
    if (!f->archive)
        fail_msg("%s", f->why);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.oldest_ms = BASE_S * 1000, .files_most = 10};
    directory_make(f->directory);
    memory_source_init(&f->memory);
    open_archive(f);
}

static void end(struct fixture *f)
{
    archive_destroy(&f->archive);
    memory_source_fini(&f->memory);
    directory_remove(f->directory);
}

/* load{host=…} = value at each ten seconds of [from, to]. */
static void add_load(struct fixture *f, const char *host, int64_t from_s, int64_t to_s,
                     double value)
{
    struct label items[] = {{{"__name__", 8}, {"load", 4}},
                            {{"host", 4}, {host, (uint32_t)strlen(host)}}};
    struct labels labels = {items, 2};
    for (int64_t at = from_s; at <= to_s; at += 10)
        memory_source_add(&f->memory, &labels, (BASE_S + at) * 1000, value, NULL, 0);
}

/* The query's only series, at each ten seconds; NaN where it has none. */
static void ask(const struct series_source *source, const char *text, int64_t from_s, size_t count,
                double *value)
{
    struct arena arena;
    struct promql_query *query;
    struct language_error error;
    struct promql_result r;
    struct promql_options options = {.start_ms = (BASE_S + from_s) * 1000,
                                     .end_ms = (BASE_S + from_s + (int64_t)(count - 1) * 10) * 1000,
                                     .step_ms = 10000,
                                     .lookback_ms = 10000};
    arena_init(&arena, 4096);
    assert_int_equal(promql_parse(&arena, text, strlen(text), &query, &error), LANGUAGE_SOUND);
    assert_int_equal(promql_evaluate(query, source, &options, &r), PROMQL_OK);
    assert_in_range(r.series_count, 0, 1);
    for (size_t i = 0; i < count; i++)
        value[i] = NAN;
    for (size_t i = 0; r.series_count > 0 && i < r.series[0].count; i++)
        value[(r.series[0].unix_ms[i] - options.start_ms) / 10000] = r.series[0].value[i];
    promql_result_fini(&r);
    arena_fini(&arena);
}

static void assert_value(struct fixture *f, const char *query, int64_t at_s, double expected)
{
    double value;
    ask(archive_source(f->archive), query, at_s, 1, &value);
    if (isnan(expected) ? !isnan(value) : !(fabs(value - expected) < 1e-9))
        fail_msg("%s at %lld is %g, should be %g", query, (long long)at_s, value, expected);
}

static uint64_t samples_written(struct fixture *f)
{
    struct archive_stats stats;
    archive_read_stats(f->archive, &stats);
    return stats.samples;
}

/* The store's samples before that time are gone. */
static void age_store(struct fixture *f, int64_t from_s, int64_t to_s, double a, double b)
{
    memory_source_clear(&f->memory);
    f->oldest_ms = (BASE_S + from_s) * 1000;
    add_load(f, "a", from_s, to_s, a);
    add_load(f, "b", from_s, to_s, b);
}

static void what_has_aged_out_of_the_store_comes_from_the_archive(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_load(&f, "a", 0, 600, 3);
    add_load(&f, "b", 0, 600, 4);
    assert_int_equal(archive_round(f.archive, BASE_S + 630), 0);
    age_store(&f, 400, 600, 30, 40); /* other values, so that it shows where they come from */
    assert_value(&f, "load{host=\"a\"}", 390, 3);
    assert_value(&f, "load{host=\"a\"}", 400, 30);
    assert_value(&f, "load{host=\"b\"}", 0, 4);
    assert_value(&f, "sum(load)", 200, 7);
    assert_value(&f, "sum(load)", 500, 70);
    assert_value(&f, "sum_over_time(load{host=\"a\"}[40s])", 410, 3 + 3 + 30 + 30);
    assert_value(&f, "load{host=\"c\"}", 200, NAN);
    /* Where the store reaches, what it does not have was not. */
    memory_source_clear(&f.memory);
    add_load(&f, "a", 500, 600, 30);
    assert_value(&f, "count_over_time(load{host=\"a\"}[200s])", 480, 11);
    end(&f);
}

static void a_series_with_a_name_of_its_own_is_asked_by_it(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_load(&f, "a", 0, 600, 3);
    add_load(&f, "b", 0, 300, 4);
    assert_int_equal(archive_round(f.archive, BASE_S + 630), 0);
    assert_value(&f, "load:sum", 200, 7);
    assert_value(&f, "load:sum", 600, 3);
    end(&f);
}

static void assert_strings(struct fixture *f, const char *label, int64_t from_s,
                           const char *expected)
{
    struct series_strings list;
    char text[200] = "";
    struct batch_str name = {label, (uint32_t)strlen(label)};
    assert_int_equal(archive_label_strings(f->archive, name, NULL, 0, (BASE_S + from_s) * 1000,
                                           (BASE_S + 600) * 1000, &list),
                     SERIES_OK);
    for (size_t i = 0; i < list.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s ",
                 (int)list.items[i].length, list.items[i].bytes);
    free(list.items);
    assert_string_equal(text, expected);
}

/* What the store has told already where it reaches. */
static void names_and_values_of_what_only_the_archive_has_are_listed(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_load(&f, "b", 0, 600, 3);
    add_load(&f, "a", 0, 600, 4);
    assert_int_equal(archive_round(f.archive, BASE_S + 630), 0);
    assert_strings(&f, "__name__", 0, "load:sum ");
    age_store(&f, 400, 600, 30, 40);
    assert_strings(&f, "__name__", 0, "load load:sum ");
    assert_strings(&f, "host", 0, "a b ");
    assert_strings(&f, "host", 400, "");
    assert_strings(&f, "", 0, "__name__ host ");
    assert_strings(&f, "__name__", 601, "");
    end(&f);
}

static void where_both_have_samples_the_store_is_right(void **state)
{
    (void)state;
    struct fixture f;
    struct label item = {{"__name__", 8}, {"load:sum", 8}};
    struct labels labels = {&item, 1};
    begin(&f);
    add_load(&f, "a", 0, 600, 3);
    assert_int_equal(archive_round(f.archive, BASE_S + 630), 0);
    for (int64_t at = 300; at <= 600; at += 10) /* as by a recording rule of that name */
        memory_source_add(&f.memory, &labels, (BASE_S + at) * 1000, 50, NULL, 0);
    assert_value(&f, "load:sum", 290, 3);
    assert_value(&f, "load:sum", 300, 50);
    assert_value(&f, "sum_over_time(load:sum[40s])", 310, 3 + 3 + 50 + 50);
    end(&f);
}

static void a_restart_goes_on_where_it_was_and_catches_up(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_load(&f, "a", 0, 300, 1);
    assert_int_equal(archive_round(f.archive, BASE_S + 330), 0);
    assert_int_equal(samples_written(&f), 2 * 31);
    assert_int_equal(archive_round(f.archive, BASE_S + 330), 0);
    assert_int_equal(samples_written(&f), 2 * 31);
    archive_destroy(&f.archive);
    add_load(&f, "a", 310, 9000, 2); /* more than one evaluation takes */
    open_archive(&f);
    assert_int_equal(archive_round(f.archive, BASE_S + 9030), 0);
    assert_int_equal(samples_written(&f), 2 * (900 - 30));
    memory_source_clear(&f.memory);
    f.oldest_ms = (BASE_S + 9001) * 1000;
    assert_value(&f, "load", 300, 1);
    assert_value(&f, "load", 310, 2);
    assert_value(&f, "load", 9000, 2);
    end(&f);
}

static void moments_whose_samples_may_still_come_are_waited_for(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_load(&f, "a", 0, 100, 1);
    assert_int_equal(archive_round(f.archive, BASE_S + 100), 0);
    assert_int_equal(samples_written(&f), 2 * 8); /* up to 70 */
    end(&f);
}

static void other_rules_take_over_and_what_was_kept_stays(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_load(&f, "a", 0, 300, 3);
    assert_int_equal(archive_round(f.archive, BASE_S + 330), 0);
    archive_replace(f.archive, plan_of(&f, "archive:\n- expr: up\n")); /* nobody sees this one */
    archive_replace(f.archive, plan_of(&f, "archive:\n- expr: load\n"
                                           "- record: load:most\n  expr: max(load)\n"));
    add_load(&f, "a", 310, 600, 4);
    assert_int_equal(archive_round(f.archive, BASE_S + 630), 0);
    assert_value(&f, "load:sum", 300, 3);
    assert_value(&f, "load:sum", 400, NAN);
    assert_value(&f, "load:most", 0, 3); /* from the store's oldest sample on */
    assert_value(&f, "load:most", 600, 4);
    assert_int_equal(samples_written(&f), 31 + 61 + 61);
    end(&f);
}

static void files_are_bounded(void **state)
{
    (void)state;
    struct fixture f;
    struct archive_stats stats;
    begin(&f);
    archive_destroy(&f.archive);
    f.files_most = 2;
    open_archive(&f);
    add_load(&f, "a", 0, 100, 1);
    add_load(&f, "b", 0, 100, 1);
    add_load(&f, "c", 0, 100, 1);
    assert_int_equal(archive_round(f.archive, BASE_S + 130), 0);
    archive_read_stats(f.archive, &stats);
    assert_int_equal(stats.files, 2);
    assert_int_equal(stats.refused, 2);
    assert_int_equal(directory_count(f.directory, ".rrd"), 2);
    end(&f);
}

static void a_file_that_cannot_be_written_is_tried_again(void **state)
{
    (void)state;
    struct fixture f;
    struct archive_stats stats;
    char blocked[128];
    begin(&f);
    add_load(&f, "a", 0, 100, 1);
    assert_int_equal(archive_round(f.archive, BASE_S + 60), 0);
    /* A directory where the file was cannot be written by anybody, root included. */
    DIR *d = opendir(f.directory);
    struct dirent *e;
    while ((e = readdir(d)) != NULL && !strstr(e->d_name, ".rrd"))
        continue;
    snprintf(blocked, sizeof blocked, "%s/%.50s", f.directory, e->d_name);
    closedir(d);
    char aside[160];
    snprintf(aside, sizeof aside, "%s.aside", blocked);
    assert_int_equal(rename(blocked, aside), 0);
    assert_int_equal(mkdir(blocked, 0700), 0);
    assert_int_equal(archive_round(f.archive, BASE_S + 130), -1);
    archive_read_stats(f.archive, &stats);
    assert_true(stats.is_failing && stats.failures == 1);
    assert_int_equal(rmdir(blocked), 0);
    assert_int_equal(rename(aside, blocked), 0);
    assert_int_equal(archive_round(f.archive, BASE_S + 130), 0);
    assert_int_equal(samples_written(&f), 2 * 11);
    archive_read_stats(f.archive, &stats);
    assert_false(stats.is_failing);
    end(&f);
}

static int empty_file(const char *directory, const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return truncate(path, 100);
}

static void a_damaged_file_is_set_aside_and_begun_anew(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_load(&f, "a", 0, 200, 1);
    assert_int_equal(archive_round(f.archive, BASE_S + 130), 0);
    archive_destroy(&f.archive);
    DIR *d = opendir(f.directory);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strstr(e->d_name, ".rrd"))
            assert_int_equal(empty_file(f.directory, e->d_name), 0);
    closedir(d);
    open_archive(&f);
    assert_int_equal(archive_round(f.archive, BASE_S + 230), 0);
    assert_int_equal(samples_written(&f), 2 * 10);
    assert_int_equal(directory_count(f.directory, ".rrd"), 2);
    assert_int_equal(directory_count(f.directory, ".damaged"), 2);
    end(&f);
}

static void series_without_a_row_left_go_with_their_files(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_load(&f, "a", 0, 200, 1);
    assert_int_equal(archive_round(f.archive, BASE_S + 130), 0);
    archive_destroy(&f.archive);
    f.now_s = BASE_S + 100 + INT64_C(43800) * 3600; /* to the second: a row of it is left */
    open_archive(&f);
    assert_strings(&f, "__name__", 0, "load:sum ");
    archive_destroy(&f.archive);
    f.now_s += 1;
    open_archive(&f);
    assert_strings(&f, "__name__", 0, "");
    assert_int_equal(directory_count(f.directory, ".rrd"), 0);
    assert_int_equal(archive_round(f.archive, BASE_S + 230), 0); /* as if they had never been */
    assert_int_equal(directory_count(f.directory, ".rrd"), 2);
    end(&f);
}

/* An operator may make room. */
static void a_file_that_was_removed_is_forgotten_at_the_start(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_load(&f, "a", 0, 200, 1);
    assert_int_equal(archive_round(f.archive, BASE_S + 130), 0);
    archive_destroy(&f.archive);
    DIR *d = opendir(f.directory);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strstr(e->d_name, ".rrd"))
            assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
    closedir(d);
    for (int i = 0; i < 2; i++) {
        open_archive(&f);
        assert_strings(&f, "__name__", 0, "");
        archive_destroy(&f.archive);
    }
    open_archive(&f);
    end(&f);
}

struct reader {
    struct fixture *f;
    atomic_bool stop;
};

/* Whatever the others do: what has been written is as it was. */
static void *read_on(void *context)
{
    struct reader *r = context;
    while (!atomic_load(&r->stop)) {
        double value[40];
        struct series_strings names;
        struct archive_stats stats;
        struct batch_str none = {"", 0};
        ask(archive_source(r->f->archive), "load:sum", 0, 40, value);
        for (size_t i = 0; i < 40; i++)
            if (!isnan(value[i]) && value[i] != (double)(i / 10 + 1))
                abort();
        if (archive_label_strings(r->f->archive, none, NULL, 0, 0, INT64_MAX, &names) != SERIES_OK)
            abort();
        free(names.items);
        archive_read_stats(r->f->archive, &stats);
        if (stats.is_failing)
            abort();
    }
    return NULL;
}

/* New series come, rules are replaced. */
static void questions_are_answered_while_it_writes(void **state)
{
    (void)state;
    static const char *const hosts[] = {"a", "b", "c", "d", "e", "f"};
    enum { READERS = 2 };
    struct fixture f;
    pthread_t threads[READERS];
    begin(&f);
    for (int i = 0; i < 6; i++)
        add_load(&f, hosts[i], i * 100, 2000, 1);
    struct reader r = {.f = &f};
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &r), 0);
    for (int64_t now = 40; now <= 2030; now += 30) {
        if (now % 300 == 40)
            archive_replace(f.archive, plan_of(&f, plan_text));
        assert_int_equal(archive_round(f.archive, BASE_S + now), 0);
    }
    atomic_store(&r.stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_aged_out_of_the_store_comes_from_the_archive),
        cmocka_unit_test(a_series_with_a_name_of_its_own_is_asked_by_it),
        cmocka_unit_test(names_and_values_of_what_only_the_archive_has_are_listed),
        cmocka_unit_test(where_both_have_samples_the_store_is_right),
        cmocka_unit_test(a_restart_goes_on_where_it_was_and_catches_up),
        cmocka_unit_test(moments_whose_samples_may_still_come_are_waited_for),
        cmocka_unit_test(other_rules_take_over_and_what_was_kept_stays),
        cmocka_unit_test(files_are_bounded),
        cmocka_unit_test(a_file_that_cannot_be_written_is_tried_again),
        cmocka_unit_test(a_damaged_file_is_set_aside_and_begun_anew),
        cmocka_unit_test(series_without_a_row_left_go_with_their_files),
        cmocka_unit_test(a_file_that_was_removed_is_forgotten_at_the_start),
        cmocka_unit_test(questions_are_answered_while_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

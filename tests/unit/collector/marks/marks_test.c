// SPDX-License-Identifier: Apache-2.0
#include "collector/marks/marks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/marks/observe.h"
#include "lib/base/clock.h"
#include "tests/unit/directory.h"

#define MINUTE UINT64_C(60000000000)
#define HOUR   (60 * MINUTE)
#define EPOCH  epoch

/* Two days ago: deaths of longer ago are forgotten. */
static uint64_t epoch;

struct fixture {
    char directory[64];
    struct marks *marks;
    struct arena arena;
    struct mark *list; /* what find found */
    uint32_t count;
    bool more;
};

static void open_marks(struct fixture *f)
{
    char why[256] = "";
    f->marks = marks_open(f->directory, 0, why, sizeof why);
    if (!f->marks)
        fail_msg("%s", why);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    epoch = clock_unix_ns() - 48 * HOUR;
    strcpy(f->directory, "/tmp/weft-marks-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    arena_init(&f->arena, 4096);
    open_marks(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    marks_close(&f->marks);
    arena_fini(&f->arena);
    assert_int_equal(directory_remove(f->directory), 0);
    free(f);
    return 0;
}

static void find(struct fixture *f, int kind, const char *service, uint64_t from, uint64_t to,
                 uint32_t limit)
{
    struct marks_filter filter = {from, to, kind, service, limit};
    assert_int_equal(marks_find(f->marks, &filter, &f->arena, &f->list, &f->count, &f->more), 0);
}

static void find_deploys(struct fixture *f)
{
    find(f, MARK_DEPLOY, NULL, 0, UINT64_MAX, 100);
}

static void run(struct fixture *f, const char *version, const char *host, uint64_t at)
{
    assert_int_equal(marks_process(f->marks, "cell", version, "c1", host, at), 0);
}

static void add_note(struct fixture *f, const char *title, uint64_t from, uint64_t to)
{
    uint64_t id = 0;
    struct mark note = {.kind = MARK_NOTE,
                        .from_unix_ns = from,
                        .to_unix_ns = to,
                        .title = title,
                        .text = "why",
                        .count = 1};
    assert_int_equal(marks_add(f->marks, &note, &id), 0);
    assert_true(id > 0);
}

/* ---- storing ------------------------------------------------------------------------------- */

static void a_mark_is_found_where_it_touches_the_time(void **state)
{
    struct fixture *f = *state;
    add_note(f, "a", EPOCH, EPOCH + HOUR);
    add_note(f, "b", EPOCH + 2 * HOUR, EPOCH + 2 * HOUR);
    find(f, -1, NULL, EPOCH + 30 * MINUTE, EPOCH + 40 * MINUTE, 10);
    assert_int_equal(f->count, 1);
    assert_string_equal(f->list[0].title, "a");
    assert_string_equal(f->list[0].text, "why");
    find(f, -1, NULL, 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 2);
    assert_string_equal(f->list[0].title, "b"); /* newest first */
    find(f, -1, NULL, 0, UINT64_MAX, 1);
    assert_int_equal(f->count, 1);
    assert_true(f->more);
    find(f, MARK_DEPLOY, NULL, 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 0);
    find(f, -1, "cell", 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 2); /* of no service: everybody's */
}

static void marks_are_there_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct mark mark;
    add_note(f, "kept", EPOCH, EPOCH);
    marks_close(&f->marks);
    open_marks(f);
    assert_int_equal(marks_get(f->marks, 1, &f->arena, &mark), 1);
    assert_string_equal(mark.title, "kept");
    assert_true(mark.from_unix_ns == EPOCH);
    assert_int_equal(marks_get(f->marks, 2, &f->arena, &mark), 0);
}

/* ---- deploys ------------------------------------------------------------------------------- */

static void the_first_version_is_no_deploy(void **state)
{
    struct fixture *f = *state;
    run(f, "1.0", "a", EPOCH);
    run(f, "1.0", "b", EPOCH + MINUTE);
    find_deploys(f);
    assert_int_equal(f->count, 0);
}

static void a_new_version_is_one_deploy_from_its_first_to_its_last_host(void **state)
{
    struct fixture *f = *state;
    run(f, "1.0", "a", EPOCH);
    run(f, "1.0", "b", EPOCH);
    run(f, "1.1", "a", EPOCH + HOUR);
    run(f, "1.1", "a", EPOCH + HOUR + MINUTE); /* restarted */
    run(f, "1.1", "b", EPOCH + HOUR + 5 * MINUTE);
    find_deploys(f);
    assert_int_equal(f->count, 1);
    const struct mark *d = &f->list[0];
    assert_string_equal(d->service, "cell");
    assert_string_equal(d->version, "1.1");
    assert_string_equal(d->previous, "1.0");
    assert_string_equal(d->cell, "c1");
    assert_int_equal(d->count, 2);
    assert_true(d->from_unix_ns == EPOCH + HOUR);
    assert_true(d->to_unix_ns == EPOCH + HOUR + 5 * MINUTE);
}

static void a_deploy_knows_its_first_and_its_last_host(void **state)
{
    struct fixture *f = *state;
    struct mark_hosts hosts;
    for (const char *host = "dcba"; *host; host++)
        run(f, "1.0", (char[]){*host, 0}, EPOCH);
    run(f, "1.1", "b", EPOCH + HOUR + MINUTE);
    run(f, "1.1", "d", EPOCH + HOUR);
    run(f, "1.1", "a", EPOCH + HOUR + 5 * MINUTE);
    run(f, "1.1", "c", EPOCH + HOUR + 2 * MINUTE);
    find_deploys(f);
    assert_int_equal(f->list[0].count, 4);
    assert_int_equal(marks_hosts(f->marks, f->list[0].id, &f->arena, &hosts), 1);
    assert_string_equal(hosts.first, "d");
    assert_string_equal(hosts.last, "a");
    assert_int_equal(marks_hosts(f->marks, 999, &f->arena, &hosts), 0);
}

static void going_back_is_a_deploy_too(void **state)
{
    struct fixture *f = *state;
    run(f, "1.0", "a", EPOCH);
    run(f, "1.1", "a", EPOCH + HOUR);
    run(f, "1.0", "a", EPOCH + 2 * HOUR);
    find_deploys(f);
    assert_int_equal(f->count, 2);
    assert_string_equal(f->list[0].version, "1.0");
    assert_string_equal(f->list[0].previous, "1.1");
}

static void going_back_at_once_is_a_deploy_of_its_own(void **state)
{
    struct fixture *f = *state;
    run(f, "1.0", "a", EPOCH);
    run(f, "1.1", "a", EPOCH + 10 * MINUTE);
    run(f, "1.2", "a", EPOCH + 20 * MINUTE);
    run(f, "1.1", "a", EPOCH + 30 * MINUTE);
    find_deploys(f);
    assert_int_equal(f->count, 3);
    assert_string_equal(f->list[0].version, "1.1");
    assert_string_equal(f->list[0].previous, "1.2");
    assert_true(f->list[2].to_unix_ns == EPOCH + 10 * MINUTE);
}

static void what_is_told_days_later_does_not_widen_a_deploy(void **state)
{
    struct fixture *f = *state;
    run(f, "1.0", "a", EPOCH - 48 * HOUR);
    run(f, "1.0", "b", EPOCH - 48 * HOUR);
    run(f, "1.1", "a", EPOCH);
    run(f, "1.1", "b", EPOCH - 24 * HOUR); /* its agent was away until now */
    find_deploys(f);
    assert_int_equal(f->count, 2);
    assert_true(f->list[0].from_unix_ns == EPOCH);
    assert_true(f->list[1].from_unix_ns == EPOCH - 24 * HOUR);
}

static void the_same_version_a_day_later_is_another_deploy(void **state)
{
    struct fixture *f = *state;
    run(f, "1.0", "a", EPOCH);
    run(f, "1.0", "b", EPOCH);
    run(f, "1.1", "a", EPOCH + HOUR);
    run(f, "1.1", "b", EPOCH + 24 * HOUR);
    find_deploys(f);
    assert_int_equal(f->count, 2);
}

static void a_new_host_is_a_deploy_if_its_version_is_new(void **state)
{
    struct fixture *f = *state;
    run(f, "1.0", "a", EPOCH);
    run(f, "1.1", "canary", EPOCH + HOUR);
    run(f, "1.0", "b", EPOCH + 2 * HOUR); /* more of the old one */
    find_deploys(f);
    assert_int_equal(f->count, 2); /* 1.0 comes to a place where 1.1 runs: told as it is */
    assert_string_equal(f->list[1].version, "1.1");
}

static void what_is_told_late_changes_nothing(void **state)
{
    struct fixture *f = *state;
    run(f, "1.0", "a", EPOCH);
    run(f, "1.1", "a", EPOCH + HOUR);
    run(f, "1.0", "a", EPOCH); /* read back from the ledger */
    find_deploys(f);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->list[0].count, 1);
}

/* ---- deaths -------------------------------------------------------------------------------- */

static void deaths_that_follow_each_other_are_one_mark(void **state)
{
    struct fixture *f = *state;
    uint8_t process[16] = {1};
    for (int i = 0; i < 5; i++) {
        process[1] = (uint8_t)i;
        for (int again = 0; again < 2; again++)
            assert_int_equal(marks_death(f->marks, process, "cell", "1.0", "c1", "a",
                                         EPOCH + (uint64_t)i * MINUTE / 2, ""),
                             0);
    }
    process[1] = 99;
    marks_death(f->marks, process, "cell", "1.0", "c1", "a", EPOCH + HOUR, "");
    find(f, MARK_DEATH, "cell", 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 2);
    assert_int_equal(f->list[1].count, 5);
    assert_true(f->list[1].to_unix_ns == EPOCH + 2 * MINUTE);
}

static void a_death_is_explained_once_whoever_is_first(void **state)
{
    struct fixture *f = *state;
    const uint8_t a[16] = {1}, b[16] = {2}, c[16] = {3};
    for (int again = 0; again < 2; again++) {
        marks_death(f->marks, a, "cell", "1.0", "c1", "a", EPOCH, "");
        marks_death(f->marks, a, "cell", "1.0", "c1", "a", EPOCH, "was killed by SIGKILL");
        marks_death(f->marks, b, "cell", "1.0", "c1", "a", EPOCH, "was killed by SIGSEGV");
        marks_death(f->marks, c, "cell", "1.0", "c1", "a", EPOCH, "was killed by SIGKILL");
    }
    find(f, -1, "cell", 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->list[0].count, 3);
    assert_string_equal(f->list[0].text, "was killed by SIGKILL; was killed by SIGSEGV");
}

/* ---- moments ------------------------------------------------------------------------------- */

static void moment(struct fixture *f, uint8_t process, enum process_moment what, const char *title,
                   const char *cell, uint64_t at)
{
    const uint8_t uuid[16] = {process};
    struct mark mark = {.kind = MARK_PROCESS,
                        .from_unix_ns = at,
                        .to_unix_ns = at,
                        .title = title,
                        .text = "why",
                        .service = "cell",
                        .version = "1.0",
                        .previous = "",
                        .cell = cell,
                        .count = 1};
    assert_int_equal(marks_moment(f->marks, uuid, what, &mark), 0);
}

static void each_moment_of_a_process_is_marked_once(void **state)
{
    struct fixture *f = *state;
    for (int again = 0; again < 3; again++) {
        moment(f, 1, MOMENT_STARTED, "cell started on a", "c1", EPOCH);
        moment(f, 1, MOMENT_READY, "cell is ready on a", "c1", EPOCH + 1);
        moment(f, 1, MOMENT_ENDED, "cell exited on a", "c1", EPOCH + 2);
        moment(f, 1, MOMENT_ENDED, "cell ended on a", "c1", EPOCH + 3); /* the first one counts */
        moment(f, 2, MOMENT_STARTED, "cell started on a", "c2", EPOCH);
    }
    find(f, MARK_PROCESS, "cell", 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(f->list[i].count, 1);
}

static void the_same_moments_within_a_minute_are_one_mark(void **state)
{
    struct fixture *f = *state;
    for (uint8_t i = 0; i < 5; i++)
        moment(f, i, MOMENT_STARTED, "cell started on a", "c1", EPOCH + i * (MINUTE - 1));
    moment(f, 9, MOMENT_STARTED, "cell started on a", "c1", EPOCH + HOUR);
    find(f, MARK_PROCESS, "cell", 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 2);
    assert_int_equal(f->list[1].count, 5);
    assert_true(f->list[1].to_unix_ns == EPOCH + 4 * (MINUTE - 1));
}

/* Agents tell of what they find each time that they start, and clocks are set meanwhile. */
static void a_start_of_long_ago_is_one_mark_whenever_it_is_told(void **state)
{
    struct fixture *f = *state;
    uint64_t at = clock_unix_ns() - 30 * 24 * HOUR;
    for (uint8_t i = 0; i < 5; i++) /* as if it had been forgotten who it was */
        moment(f, i, MOMENT_STARTED, "cell started on a", "c1", at + i * (MINUTE / 60));
    find(f, MARK_PROCESS, "cell", 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->list[0].count, 1);
}

static void an_end_of_who_is_known_dead_explains_the_death(void **state)
{
    struct fixture *f = *state;
    const uint8_t process[16] = {1};
    marks_death(f->marks, process, "cell", "1.0", "c1", "a", EPOCH, "");
    moment(f, 1, MOMENT_ENDED, "cell exited on a", "c1", EPOCH + 1);
    find(f, -1, "cell", 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->list[0].kind, MARK_DEATH);
    assert_string_equal(f->list[0].text, "why");
}

/* ---- observing ----------------------------------------------------------------------------- */

static struct batch_process_view process_view(uint8_t number, const char *version)
{
    struct batch_process_view p = {.uuid = {number},
                                   .service = {"cell", 4},
                                   .version = {version, (uint32_t)strlen(version)},
                                   .cell = {"c1", 2},
                                   .host = {"a", 1},
                                   .start_unix_ns = EPOCH + number * HOUR};
    return p;
}

static void see(struct observer *o, struct batch_process_view *p)
{
    struct batch b = {.processes = p, .process_count = 1};
    for (int again = 0; again < 2; again++)
        observer_see(o, &b, (struct journal_position){1, 100});
}

static void watched_processes_tell_their_moments(void **state)
{
    struct fixture *f = *state;
    struct observer *o = marks_observer_create(f->marks, NULL);
    struct batch_process_view p = process_view(1, ""), records = process_view(2, "");
    p.watched = PROCESS_RUN;
    see(o, &p);
    see(o, &records); /* it is not watched: nothing is told of its start */
    p.ready_unix_ns = p.start_unix_ns + 5;
    p.ready = (struct batch_str){"listens on port 80", 18};
    see(o, &p);
    p.state = PROCESS_EXITED;
    p.state_unix_ns = p.start_unix_ns + HOUR;
    p.ending = (struct batch_str){"exited with 3", 13};
    see(o, &p);
    observer_destroy(&o);
    find(f, -1, NULL, 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 3);
    assert_string_equal(f->list[0].title, "cell exited with 3 on a");
    assert_string_equal(f->list[1].title, "cell is ready on a");
    assert_string_equal(f->list[1].text, "listens on port 80");
    assert_string_equal(f->list[2].title, "cell started on a");
    assert_string_equal(f->list[2].cell, "c1");
}

static void batches_make_marks(void **state)
{
    struct fixture *f = *state;
    struct observer *o = marks_observer_create(f->marks, NULL);
    assert_non_null(o);
    struct batch_process_view list[] = {process_view(1, "1.0"), process_view(2, "1.1")};
    struct batch b = {.processes = list, .process_count = 2};
    for (int i = 0; i < 3; i++)
        observer_see(o, &b, (struct journal_position){1, 100});
    list[0].state = PROCESS_DIED;
    list[0].state_unix_ns = EPOCH + 3 * HOUR;
    observer_see(o, &b, (struct journal_position){1, 100});
    observer_see(o, &b, (struct journal_position){1, 100});
    observer_destroy(&o);
    find(f, -1, NULL, 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 2);
    assert_int_equal(f->list[0].kind, MARK_DEATH);
    assert_int_equal(f->list[0].count, 1);
    assert_int_equal(f->list[1].kind, MARK_DEPLOY);
    assert_string_equal(f->list[1].version, "1.1");
}

static struct batch_mark_view told(const char *text, uint64_t unix_ns)
{
    return (struct batch_mark_view){.kind = BATCH_MARK_NOTIFICATION,
                                    .severity = BATCH_MARK_FAILURE,
                                    .unix_ns = unix_ns,
                                    .title = {"df", 2},
                                    .text = {text, (uint32_t)strlen(text)},
                                    .host = {"box7", 4}};
}

static void what_is_told_twice_is_one_mark(void **state)
{
    struct fixture *f = *state;
    struct batch_mark_view list[] = {told("full", EPOCH), told("full", EPOCH),
                                     told("fuller", EPOCH), told("full", EPOCH + 1),
                                     told("unknown", EPOCH)};
    list[4].kind = 77;
    struct batch b = {.marks = list, .mark_count = 5};
    for (int i = 0; i < 2; i++) {
        struct observer *o = marks_observer_create(f->marks, NULL);
        assert_non_null(o);
        observer_see(o, &b, (struct journal_position){1, 100});
        observer_destroy(&o);
    }
    find(f, MARK_NOTIFICATION, NULL, 0, UINT64_MAX, 10);
    assert_int_equal(f->count, 3);
    assert_true(f->list[0].from_unix_ns == EPOCH + 1);
    assert_string_equal(f->list[0].title, "df on box7");
    assert_string_equal(f->list[0].text, "failure: full");
    assert_string_equal(f->list[1].text, "failure: fuller");
}

static void a_mark_goes_on_until_it_is_ended(void **state)
{
    struct fixture *f = *state;
    uint64_t id = 0;
    struct mark mark = {.kind = MARK_ALERT,
                        .from_unix_ns = EPOCH,
                        .to_unix_ns = EPOCH,
                        .title = "Slow",
                        .count = 1};
    assert_int_equal(marks_add(f->marks, &mark, &id), 0);
    assert_int_equal(marks_end(f->marks, id, EPOCH + MINUTE), 0);
    find(f, MARK_ALERT, NULL, EPOCH + MINUTE, UINT64_MAX, 10);
    assert_int_equal(f->count, 1);
    assert_true(f->list[0].to_unix_ns == EPOCH + MINUTE);
    assert_int_equal(f->list[0].count, 1);
    assert_int_equal(marks_end(f->marks, id, EPOCH - MINUTE), 0);
    find(f, MARK_ALERT, NULL, 0, UINT64_MAX, 10);
    assert_true(f->list[0].to_unix_ns == EPOCH);
    assert_int_equal(marks_end(f->marks, id + 1, EPOCH), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_mark_is_found_where_it_touches_the_time, setup, teardown),
        cmocka_unit_test_setup_teardown(marks_are_there_after_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_version_is_no_deploy, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_version_is_one_deploy_from_its_first_to_its_last_host,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_deploy_knows_its_first_and_its_last_host, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(going_back_is_a_deploy_too, setup, teardown),
        cmocka_unit_test_setup_teardown(going_back_at_once_is_a_deploy_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_told_days_later_does_not_widen_a_deploy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_same_version_a_day_later_is_another_deploy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_new_host_is_a_deploy_if_its_version_is_new, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_told_late_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(deaths_that_follow_each_other_are_one_mark, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_death_is_explained_once_whoever_is_first, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(each_moment_of_a_process_is_marked_once, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_moments_within_a_minute_are_one_mark, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_start_of_long_ago_is_one_mark_whenever_it_is_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_end_of_who_is_known_dead_explains_the_death, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(watched_processes_tell_their_moments, setup, teardown),
        cmocka_unit_test_setup_teardown(batches_make_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_told_twice_is_one_mark, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mark_goes_on_until_it_is_ended, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* An alert is one mark from when it fires to when it is over, also over a restart, and is sent when
 * it changes and each minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "collector/rules/tell.h"
#include "tests/unit/directory.h"

enum { MINUTE_MS = 60000 };
#define BEGIN_MS INT64_C(1700000000000)
#define TEXT(t)  ((struct batch_str){t, (uint32_t)strlen(t)})

static char directory[40];
static struct teller teller;
static const struct rule rule = {.is_alert = true, .name = "Slow", .expr = "a > 1"};
static struct label items[3];
static struct labels labels = {items, 3}, annotations;

static int setup(void **state)
{
    char why[300] = "";
    (void)state;
    items[0] = (struct label){TEXT("alertname"), TEXT("Slow")};
    items[1] = (struct label){TEXT("cell"), TEXT("c1")};
    items[2] = (struct label){TEXT("service"), TEXT("web")};
    strcpy(directory, "/tmp/weft-tell-XXXXXX");
    assert_non_null(mkdtemp(directory));
    teller = (struct teller){.marks = marks_open(directory, 0, why, sizeof why),
                             .notifier = notifier_create(NULL, why, sizeof why),
                             .url = "http://a:1",
                             .resume_ms = 60 * MINUTE_MS,
                             .started_ms = BEGIN_MS};
    assert_non_null(teller.marks);
    assert_non_null(teller.notifier);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    marks_close(&teller.marks);
    notifier_destroy(&teller.notifier);
    assert_int_equal(directory_remove(directory), 0);
    return 0;
}

static void tell(struct alert *a, int minute)
{
    teller_tell(&teller, &rule, MINUTE_MS, a, BEGIN_MS + (int64_t)minute * MINUTE_MS);
}

/* The number of marks; the newest one's time in minutes. */
static uint32_t marks_are(int *from, int *to)
{
    struct arena arena;
    struct mark *list;
    uint32_t count;
    bool more;
    struct marks_filter filter = {.to_unix_ns = UINT64_MAX, .kind = MARK_ALERT, .limit = 10};
    arena_init(&arena, 4096);
    assert_int_equal(marks_find(teller.marks, &filter, &arena, &list, &count, &more), 0);
    if (count > 0) {
        assert_string_equal(list[0].title, "Slow");
        assert_string_equal(list[0].service, "web");
        assert_string_equal(list[0].cell, "c1");
        *from = (int)(((int64_t)(list[0].from_unix_ns / 1000000) - BEGIN_MS) / MINUTE_MS);
        *to = (int)(((int64_t)(list[0].to_unix_ns / 1000000) - BEGIN_MS) / MINUTE_MS);
    }
    arena_fini(&arena);
    return count;
}

static struct alert firing(int minute)
{
    return (struct alert){.labels = &labels,
                          .annotations = &annotations,
                          .state = ALERT_FIRING,
                          .fired_ms = BEGIN_MS + (int64_t)minute * MINUTE_MS};
}

static void resolve(struct alert *a, int minute)
{
    a->state = ALERT_INACTIVE;
    a->resolved_ms = BEGIN_MS + (int64_t)minute * MINUTE_MS;
    tell(a, minute);
}

static void an_alert_is_one_mark(void **state)
{
    struct alert a = firing(10);
    int from = 0, to = 0;
    (void)state;
    a.state = ALERT_PENDING;
    tell(&a, 9);
    assert_int_equal(marks_are(&from, &to), 0);
    a.state = ALERT_FIRING;
    tell(&a, 10);
    assert_int_equal(marks_are(&from, &to), 1);
    assert_int_equal(to, 10);
    tell(&a, 12);
    assert_int_equal(marks_are(&from, &to), 1);
    assert_int_equal(to, 12);
    resolve(&a, 13);
    tell(&a, 14);
    assert_int_equal(marks_are(&from, &to), 1);
    assert_int_equal(from, 10);
    assert_int_equal(to, 13);
    struct alert again = firing(20);
    tell(&again, 20);
    assert_int_equal(marks_are(&from, &to), 2);
}

static void a_restart_goes_on_with_the_mark(void **state)
{
    struct alert before = firing(10), after = firing(21);
    int from = 0, to = 0;
    (void)state;
    tell(&before, 10);
    teller.started_ms = BEGIN_MS + 20 * MINUTE_MS;
    tell(&after, 21);
    resolve(&after, 22);
    assert_int_equal(marks_are(&from, &to), 1);
    assert_int_equal(from, 10);
    assert_int_equal(to, 22);
    struct alert late = firing(30); /* long after the start: another one */
    tell(&late, 30);
    assert_int_equal(marks_are(&from, &to), 2);
}

/* Somebody else holds the database: two calls wait for it in vain. */
static void a_mark_that_could_not_be_written_is_written_later(void **state)
{
    struct alert a = firing(10), gone = firing(10);
    char path[60];
    sqlite3 *other;
    int from = 0, to = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/marks.db", directory);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    tell(&a, 10);
    tell(&gone, 10);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(marks_are(&from, &to), 0);
    tell(&a, 11);
    assert_int_equal(marks_are(&from, &to), 1);
    assert_int_equal(from, 10);
    assert_int_equal(to, 11);
    teller.started_ms = BEGIN_MS - 60 * MINUTE_MS; /* no mark of before is looked for */
    resolve(&gone, 12);
    assert_int_equal(marks_are(&from, &to), 2);
    assert_int_equal(from, 10);
    assert_int_equal(to, 12);
    tell(&gone, 13);
    assert_int_equal(marks_are(&from, &to), 2);
}

static void messages_go_out_when_it_changes_and_each_minute(void **state)
{
    struct alert a = firing(10);
    const int64_t second_ms = 1000, at = BEGIN_MS + 10 * MINUTE_MS;
    (void)state;
    a.state = ALERT_PENDING;
    tell(&a, 9);
    assert_int_equal(a.sent_ms, 0);
    a.state = ALERT_FIRING;
    tell(&a, 10);
    assert_true(a.sent_ms == at);
    teller_tell(&teller, &rule, MINUTE_MS, &a, at + 59 * second_ms);
    assert_true(a.sent_ms == at);
    tell(&a, 11);
    assert_true(a.sent_ms == at + MINUTE_MS);
    a.state = ALERT_INACTIVE;
    a.resolved_ms = at + MINUTE_MS + second_ms;
    teller_tell(&teller, &rule, MINUTE_MS, &a, a.resolved_ms);
    assert_true(a.sent_ms == a.resolved_ms);
}

static void times_are_as_json_has_them(void **state)
{
    char text[40];
    (void)state;
    rule_print_time(1700000000123, text);
    assert_string_equal(text, "2023-11-14T22:13:20.123Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_alert_is_one_mark, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_goes_on_with_the_mark, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mark_that_could_not_be_written_is_written_later, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(messages_go_out_when_it_changes_and_each_minute, setup,
                                        teardown),
        cmocka_unit_test(times_are_as_json_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Groups at moments that the tests choose, over series in memory: what rules record there is what
 * the next rules see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/promql/print.h"
#include "collector/rules/evaluate.h"
#include "tests/promqltest/memory_source.h"

enum { MINUTE_MS = 60000 };
#define TEXT(t) ((struct batch_str){t, (uint32_t)strlen(t)})

static struct memory_source memory;
static struct rule_set *set;
static struct group_state group;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct evaluation evaluation;
static struct buffer written; /* of the last evaluation */
static bool write_fails;
static unsigned told;

static int on_write(void *context, const struct rule_sample *list, size_t count, int64_t unix_ms,
                    char *why, size_t why_size)
{
    (void)context;
    if (write_fails) {
        snprintf(why, why_size, "no disk");
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = SAMPLE_STALE_BITS;
        double value = list[i].value;
        promql_print_labels(&written, &list[i].labels);
        if (list[i].is_stale)
            memcpy(&value, &bits, sizeof value);
        if (list[i].is_stale)
            buffer_text(&written, " ends\n");
        else
            buffer_printf(&written, " %g\n", value);
        memory_source_add(&memory, &list[i].labels, unix_ms, value, NULL, 0);
    }
    return 0;
}

static void on_tell(void *context, const struct group_state *g, const struct rule *rule,
                    struct alert *a, int64_t unix_ms)
{
    (void)context, (void)g, (void)rule, (void)a, (void)unix_ms;
    told++;
}

static void begin(const char *rules)
{
    char text[2000], why[400] = "";
    snprintf(text, sizeof text, "groups:\n- name: g\n%s", rules);
    set = rule_set_create();
    if (rule_set_read(set, "f.yml", text, strlen(text), why, sizeof why) != 0)
        fail_msg("%s", why);
    assert_int_equal(group_state_init(&group, &set->groups[0]), 0);
}

static void end(void)
{
    group_state_fini(&group);
    rule_set_destroy(&set);
}

static int setup(void **state)
{
    (void)state;
    memory_source_init(&memory);
    write_fails = false;
    told = 0;
    evaluation = (struct evaluation){.source = &memory.source,
                                     .lock = &lock,
                                     .write = on_write,
                                     .tell = on_tell,
                                     .grace_ms = 0,
                                     .outage_ms = 3600000};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    end();
    memory_source_fini(&memory);
    buffer_fini(&written);
    return 0;
}

static void put(const char *metric, const char *job, int minute, double value)
{
    const struct label l[] = {{TEXT(LABEL_METRIC), TEXT(metric)}, {TEXT("job"), TEXT(job)}};
    memory_source_add(&memory, &(struct labels){l, 2}, (int64_t)minute * MINUTE_MS, value, NULL, 0);
}

static void put_end(const char *metric, const char *job, int minute)
{
    uint64_t bits = SAMPLE_STALE_BITS;
    double value;
    memcpy(&value, &bits, sizeof value);
    put(metric, job, minute, value);
}

static const char *evaluate(int minute)
{
    buffer_clear(&written);
    group_evaluate(&group, (int64_t)minute * MINUTE_MS, &evaluation);
    return buffer_cstring(&written);
}

static void rules_record_and_see_what_those_before_recorded(void **state)
{
    (void)state;
    begin("  labels: {team: a}\n"
          "  rules:\n"
          "  - {record: twice, expr: up * 2, labels: {job: ''}}\n"
          "  - {record: again, expr: twice + 1}\n"
          "  - {record: constant, expr: '3'}\n");
    put("up", "web", 10, 4);
    assert_string_equal(evaluate(10), "{__name__=\"twice\", team=\"a\"} 8\n"
                                      "{__name__=\"again\", team=\"a\"} 9\n"
                                      "{__name__=\"constant\", team=\"a\"} 3\n");
    assert_int_equal(group.rules[0].health, RULE_GOOD);
    assert_int_equal(group.last_ms, 10 * MINUTE_MS);
}

static void series_that_are_gone_end_once(void **state)
{
    (void)state;
    begin("  rules:\n  - {record: r, expr: up}\n");
    put("up", "a", 10, 1);
    put("up", "b", 10, 1);
    put("up", "c", 10, 1);
    evaluate(10);
    put_end("up", "a", 11);
    put_end("up", "c", 11);
    assert_string_equal(evaluate(11), "{__name__=\"r\", job=\"b\"} 1\n"
                                      "{__name__=\"r\", job=\"a\"} ends\n"
                                      "{__name__=\"r\", job=\"c\"} ends\n");
    assert_string_equal(evaluate(12), "{__name__=\"r\", job=\"b\"} 1\n");
    buffer_clear(&written);
    rule_end_series(&group.rules[0], 13 * MINUTE_MS, &evaluation);
    assert_string_equal(buffer_cstring(&written), "{__name__=\"r\", job=\"b\"} ends\n");
}

static void what_fails_is_said_and_ends_nothing(void **state)
{
    (void)state;
    begin("  limit: 2\n"
          "  rules:\n"
          "  - {record: r, expr: up, labels: {job: same}}\n"
          "  - {record: q, expr: up}\n"
          "  - {record: s, expr: up}\n");
    put("up", "a", 10, 1);
    put("up", "b", 10, 1);
    evaluate(10);
    assert_int_equal(group.rules[0].health, RULE_BAD);
    assert_non_null(strstr(group.rules[0].error, "same labels"));
    assert_int_equal(group.rules[1].health, RULE_GOOD);
    put("up", "c", 11, 1);
    assert_string_equal(evaluate(11), "");
    assert_non_null(strstr(group.rules[1].error, "3 series, and the group's limit is 2"));
    put_end("up", "c", 12);
    write_fails = true;
    evaluate(12);
    assert_string_equal(group.rules[1].error, "no disk");
    write_fails = false;
    evaluate(13);
    assert_int_equal(group.rules[1].health, RULE_GOOD);
    assert_string_equal(group.rules[1].error, "");
}

static void histograms_are_an_error(void **state)
{
    struct histogram h = {.count = 1, .sum = 2, .zero_count = 1};
    const struct label l[] = {{TEXT(LABEL_METRIC), TEXT("h")}};
    (void)state;
    begin("  rules:\n  - {record: r, expr: h}\n");
    memory_source_add(&memory, &(struct labels){l, 1}, 10 * MINUTE_MS, 2, &h, 0);
    evaluate(10);
    assert_non_null(strstr(group.rules[0].error, "histogram"));
}

static const char alerting[] = "  rules:\n"
                               "  - alert: Down\n"
                               "    expr: up == 0\n"
                               "    for: 2m\n"
                               "    labels: {level: '{{ $labels.job }}!'}\n"
                               "    annotations: {says: 'it is {{ $value }}'}\n";

static struct alert *only_alert(void)
{
    assert_int_equal(group.rules[0].alerts.count, 1);
    return alerts_next(&group.rules[0].alerts, NULL);
}

static void an_alert_is_pending_then_fires_then_is_over(void **state)
{
    (void)state;
    begin(alerting);
    put("up", "web", 10, 0);
    assert_string_equal(evaluate(10), ""); /* not before it is known what was before */
    struct alert *a = only_alert();
    assert_int_equal(a->state, ALERT_PENDING);
    assert_true(batch_str_is(labels_get_text(a->labels, "alertname"), "Down"));
    assert_true(batch_str_is(labels_get_text(a->labels, "level"), "web!"));
    assert_true(batch_str_is(labels_get_text(a->annotations, "says"), "it is 0"));
    assert_string_equal(
        evaluate(11),
        "{__name__=\"ALERTS\", alertname=\"Down\", alertstate=\"pending\", job=\"web\", "
        "level=\"web!\"} 1\n"
        "{__name__=\"ALERTS_FOR_STATE\", alertname=\"Down\", job=\"web\", level=\"web!\"} 600\n");
    assert_string_equal(
        evaluate(12),
        "{__name__=\"ALERTS\", alertname=\"Down\", alertstate=\"firing\", job=\"web\", "
        "level=\"web!\"} 1\n"
        "{__name__=\"ALERTS_FOR_STATE\", alertname=\"Down\", job=\"web\", level=\"web!\"} 600\n"
        "{__name__=\"ALERTS\", alertname=\"Down\", alertstate=\"pending\", job=\"web\", "
        "level=\"web!\"} ends\n");
    assert_int_equal(a->fired_ms, 12 * MINUTE_MS);
    put("up", "web", 13, 1);
    evaluate(13);
    assert_int_equal(a->state, ALERT_INACTIVE);
    assert_int_equal(a->resolved_ms, 13 * MINUTE_MS);
    assert_int_equal(alerts_state(&group.rules[0].alerts), ALERT_INACTIVE);
    put("up", "web", 28, 1);
    evaluate(28);
    assert_int_equal(group.rules[0].alerts.count, 1);
    put("up", "web", 29, 1);
    evaluate(29);
    assert_int_equal(group.rules[0].alerts.count, 0);
    assert_true(told > 0);
}

static void a_pending_alert_that_is_over_is_forgotten(void **state)
{
    (void)state;
    begin(alerting);
    put("up", "web", 10, 0);
    evaluate(10);
    put("up", "web", 11, 1);
    evaluate(11);
    assert_int_equal(group.rules[0].alerts.count, 0);
    put("up", "web", 12, 0);
    evaluate(12);
    assert_int_equal(only_alert()->active_ms, 12 * MINUTE_MS);
}

static void an_alert_may_fire_on_for_a_while(void **state)
{
    (void)state;
    begin("  rules:\n  - {alert: Down, expr: up == 0, keep_firing_for: 2m}\n");
    put("up", "web", 10, 0);
    evaluate(10);
    assert_int_equal(only_alert()->state, ALERT_FIRING);
    put("up", "web", 11, 1);
    evaluate(11);
    assert_int_equal(only_alert()->state, ALERT_FIRING);
    assert_int_equal(only_alert()->keep_since_ms, 11 * MINUTE_MS);
    put("up", "web", 12, 0);
    evaluate(12);
    assert_int_equal(only_alert()->keep_since_ms, 0);
    put("up", "web", 13, 1);
    evaluate(13);
    evaluate(14);
    assert_int_equal(only_alert()->state, ALERT_FIRING);
    evaluate(15);
    assert_int_equal(only_alert()->state, ALERT_INACTIVE);
}

/* Another state of the same rules, as after a restart. */
static void restart(void)
{
    group_state_fini(&group);
    assert_int_equal(group_state_init(&group, &set->groups[0]), 0);
}

static void a_restart_goes_on_with_pending_time(void **state)
{
    (void)state;
    begin("  rules:\n  - {alert: Down, expr: up == 0, for: 5m}\n");
    put("up", "web", 10, 0);
    evaluate(10);
    evaluate(11);
    put("up", "web", 13, 0);
    evaluate(13);
    restart();
    put("up", "web", 20, 0);
    evaluate(20);
    assert_int_equal(only_alert()->active_ms, 20 * MINUTE_MS);
    evaluate(21); /* 3 minutes before, and 8 in which nobody looked */
    assert_int_equal(only_alert()->active_ms, 18 * MINUTE_MS);
    put("up", "web", 22, 0);
    evaluate(22);
    assert_int_equal(only_alert()->state, ALERT_PENDING);
    evaluate(23);
    assert_int_equal(only_alert()->state, ALERT_FIRING);
    restart();
    evaluate(24);
    evaluate(25);
    assert_int_equal(only_alert()->state, ALERT_FIRING);
    assert_int_equal(only_alert()->active_ms, 18 * MINUTE_MS);
}

static void after_a_restart_the_grace_is_waited(void **state)
{
    struct rule rule = {.for_ms = 20 * MINUTE_MS};
    (void)state;
    begin("  rules: []\n");
    /* Pending since minute 10, told last in minute 25, now 30; 5 minutes are left, 10 the grace. */
    assert_int_equal(
        alert_restored_active_ms(&rule, 25 * MINUTE_MS, 600, 30 * MINUTE_MS, 10 * MINUTE_MS),
        20 * MINUTE_MS);
    assert_int_equal(alert_restored_active_ms(&rule, 25 * MINUTE_MS, 600, 30 * MINUTE_MS, 0),
                     15 * MINUTE_MS);
    assert_int_equal(
        alert_restored_active_ms(&rule, 31 * MINUTE_MS, 600, 40 * MINUTE_MS, 10 * MINUTE_MS),
        10 * MINUTE_MS);
}

static void groups_are_due_at_their_interval(void **state)
{
    (void)state;
    begin("  interval: 15s\n  rules: []\n");
    int64_t due = group_due_ms(group.group, 1000000007);
    assert_true(due > 1000000007 && due <= 1000015007);
    assert_int_equal(group_due_ms(group.group, due), due + 15000);
    assert_int_equal(group_due_ms(group.group, due - 1), due);
}

static void batches_hold_what_was_recorded(void **state)
{
    const struct label l[] = {{TEXT(LABEL_METRIC), TEXT("r")}, {TEXT("job"), TEXT("a")}};
    const struct rule_sample list[] = {{.labels = {l, 2}, .value = 7},
                                       {.labels = {l, 1}, .is_stale = true}};
    struct buffer out = {0};
    (void)state;
    begin("  rules: []\n");
    assert_int_equal(rule_samples_encode(list, 2, 1000, &out), 0);
    assert_true(out.length > 0);
    buffer_fini(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rules_record_and_see_what_those_before_recorded),
        TEST(series_that_are_gone_end_once),
        TEST(what_fails_is_said_and_ends_nothing),
        TEST(histograms_are_an_error),
        TEST(an_alert_is_pending_then_fires_then_is_over),
        TEST(a_pending_alert_that_is_over_is_forgotten),
        TEST(an_alert_may_fire_on_for_a_while),
        TEST(a_restart_goes_on_with_pending_time),
        TEST(after_a_restart_the_grace_is_waited),
        TEST(groups_are_due_at_their_interval),
        TEST(batches_hold_what_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

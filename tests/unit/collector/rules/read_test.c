// SPDX-License-Identifier: Apache-2.0
/* Files of rules: what is read of them, and each thing that is wrong with one, by its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/rules/rule.h"
#include "tests/unit/directory.h"

static const char sound[] = "groups:\n"
                            "  - name: web\n"
                            "    interval: 15s\n"
                            "    query_offset: 500ms\n"
                            "    limit: 100\n"
                            "    labels: {team: core, tier: one}\n"
                            "    rules:\n"
                            "      - record: job:requests:rate5m\n"
                            "        expr: sum by (job) (rate(requests[5m]))\n"
                            "        labels: {tier: two}\n"
                            "      - alert: Slow\n"
                            "        expr: |\n"
                            "          job:requests:rate5m < 1\n"
                            "        for: 1m30s\n"
                            "        keep_firing_for: 5m\n"
                            "        labels:\n"
                            "          severity: '{{ $labels.job }}-page'\n"
                            "        annotations:\n"
                            "          summary: \"{{ $labels.job }} at {{ $value | humanize }}\"\n"
                            "  - name: empty\n";

static void everything_of_a_file_is_read(void **state)
{
    char why[400] = "";
    struct rule_set *set = rule_set_create();
    (void)state;
    if (rule_set_read(set, "a.yml", sound, strlen(sound), why, sizeof why) != 0)
        fail_msg("%s", why);
    assert_int_equal(set->group_count, 2);
    const struct rule_group *g = &set->groups[0];
    assert_string_equal(g->name, "web");
    assert_string_equal(g->file, "a.yml");
    assert_int_equal(g->interval_ms, 15000);
    assert_int_equal(g->offset_ms, 500);
    assert_int_equal(g->limit, 100);
    assert_int_equal(g->rule_count, 2);
    const struct rule *record = &g->rules[0], *alert = &g->rules[1];
    assert_false(record->is_alert);
    assert_string_equal(record->name, "job:requests:rate5m");
    assert_int_equal(record->label_count, 2);
    assert_true(batch_str_is(record->labels[1].value, "two"));
    assert_true(alert->is_alert);
    assert_int_equal(alert->for_ms, 90000);
    assert_int_equal(alert->keep_firing_ms, 300000);
    assert_int_equal(alert->label_count, 3);
    assert_int_equal(alert->annotation_count, 1);
    assert_int_equal(set->groups[1].interval_ms, RULES_INTERVAL_MS);
    assert_int_equal(set->groups[1].rule_count, 0);
    rule_set_destroy(&set);
}

#define RULE(text) "groups:\n- name: g\n  rules:\n  - " text "\n"

static const struct {
    const char *text, *says;
} wrong[] = {
    {"groups: [", "f.yml:2: found did not find"},
    {"a: 1\n", "f.yml:1: found unknown key \"a\", expected one of groups"},
    {"- a\n", "f.yml:1: found a list, expected one of groups"},
    {"groups: []\n---\ngroups: []\n", "found a second document, expected one"},
    {"groups: {a: b}\n", "f.yml:1: found a mapping as groups, expected a list"},
    {"groups:\n- interval: 1m\n", "f.yml:2: found a group without name"},
    {"groups:\n- name: g\n  intervall: 1m\n", "f.yml:3: found unknown key \"intervall\""},
    {"groups:\n- name: g\n  name: h\n", "f.yml:3: found \"name\" again, expected it once"},
    {"groups:\n- name: g\n- name: g\n", "f.yml:3: found group \"g\" again in this file"},
    {"groups:\n- name: ''\n", "f.yml:2: found an empty name"},
    {"groups:\n- name: g\n  interval: soon\n",
     "f.yml:3: found \"soon\" as interval, expected a duration such as 1m30s"},
    {"groups:\n- name: g\n  interval: 1m1h\n", "\"1m1h\" as interval"},
    {"groups:\n- name: g\n  limit: -1\n", "f.yml:3: found \"-1\" as limit"},
    {"groups:\n- name: g\n  labels: [a]\n", "f.yml:3: found a list as labels"},
    {"groups:\n- name: g\n  rules: {a: b}\n", "f.yml:3: found a mapping as rules"},
    {RULE("expr: up"), "f.yml:4: found neither, expected one of \"record\" and \"alert\""},
    {RULE("{record: a, alert: b, expr: up}"), "f.yml:4: found both"},
    {RULE("record: a"), "f.yml:4: found a rule without expr"},
    {RULE("{record: a, expr: up, for: 1m}"), "found \"for\" of a recording rule"},
    {RULE("{record: a, expr: up, annotations: {a: b}}"), "\"annotations\" of a recording rule"},
    {RULE("{record: 'a{b=\"c\"}', expr: up}"), "expected a metric's name without braces"},
    {RULE("record: a\n    expr: |\n      sum(\n"), "f.yml:5: expr, line 2, column 1: "},
    {RULE("record: a\n    expr: up[5m]"), "f.yml:5: found an expr that is a range vector"},
    {RULE("{alert: a, expr: '1'}"), "an expr that is a scalar, expected an instant vector"},
    {RULE("{alert: a, expr: '\"x\"'}"), "an expr that is a string"},
    {RULE("{alert: a, expr: up, for: -1m}"), "found \"-1m\" as for"},
    {RULE("{alert: a, expr: up, labels: {__name__: b}}"), "f.yml:4: found label \"__name__\""},
    {RULE("{alert: a, expr: up, labels: {'': b}}"), "f.yml:4: found a bad name of label"},
    {RULE("{alert: a, expr: up, labels: {b: [c]}}"), "f.yml:4: found a list as label"},
    {RULE("{alert: a, expr: up, labels: {b: c, b: d}}"), "f.yml:4: found label \"b\" again"},
    {RULE("alert: a\n    expr: up\n    annotations:\n      b: '{{ $foo }}'"),
     "f.yml:7: annotation \"b\": found in a template \"$foo \""},
};

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char why[800] = "nothing";
        struct rule_set *set = rule_set_create();
        int result =
            rule_set_read(set, "f.yml", wrong[i].text, strlen(wrong[i].text), why, sizeof why);
        if (result == 0 || !strstr(why, wrong[i].says))
            fail_msg("%s\nsaid: %s\nnot: %s", wrong[i].text, why, wrong[i].says);
        rule_set_destroy(&set);
    }
}

static void nothing_is_a_file_without_rules(void **state)
{
    static const char *const texts[] = {"", "# words\n", "groups:\n", "groups: []\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char why[400] = "";
        struct rule_set *set = rule_set_create();
        if (rule_set_read(set, "f.yml", texts[i], strlen(texts[i]), why, sizeof why) != 0)
            fail_msg("%s: %s", texts[i], why);
        assert_int_equal(set->group_count, 0);
        rule_set_destroy(&set);
    }
}

static void durations_are_prometheus(void **state)
{
    int64_t ms = -1;
    (void)state;
    assert_true(rule_parse_duration("0", &ms) && ms == 0);
    assert_true(rule_parse_duration("1h30m", &ms) && ms == 5400000);
    assert_true(rule_parse_duration("1y2w3d", &ms) && ms == 33004800000);
    assert_true(rule_parse_duration("1m5ms", &ms) && ms == 60005);
    static const char *const none[] = {"", "5", "1.5s", "s", "1s1m", "1s1s", "5us", "99999999999y"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(rule_parse_duration(none[i], &ms));
}

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void files_and_directories_are_loaded(void **state)
{
    char directory[] = "/tmp/weft-rules-XXXXXX", paths[200], why[400] = "";
    (void)state;
    assert_non_null(mkdtemp(directory));
    write_file(directory, "b.yml", "groups:\n- name: second\n");
    write_file(directory, "a.yaml", "groups:\n- name: first\n");
    write_file(directory, "a.txt", "no rules");
    struct rule_set *set = rule_set_load(directory, why, sizeof why);
    assert_non_null(set);
    assert_int_equal(set->group_count, 2);
    assert_string_equal(set->groups[0].name, "first");
    rule_set_destroy(&set);
    snprintf(paths, sizeof paths, " %s/b.yml , %s/nothing.yml", directory, directory);
    assert_null(rule_set_load(paths, why, sizeof why));
    assert_non_null(strstr(why, "nothing.yml: No such file"));
    set = rule_set_load(NULL, why, sizeof why);
    assert_int_equal(set->group_count, 0);
    rule_set_destroy(&set);
    assert_int_equal(directory_remove(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_of_a_file_is_read),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(nothing_is_a_file_without_rules),
        cmocka_unit_test(durations_are_prometheus),
        cmocka_unit_test(files_and_directories_are_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

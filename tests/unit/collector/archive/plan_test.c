// SPDX-License-Identifier: Apache-2.0
/* The archive's rules: what is read, and each thing that is wrong, by its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "collector/archive/plan.h"

static struct archive_plan *plan_of(const char *text, char *why, size_t why_size)
{
    return archive_plan_read("a.yml", text, strlen(text), why, why_size);
}

static void rules_are_read(void **state)
{
    (void)state;
    char why[400] = "";
    struct archive_plan *p = plan_of("archive:\n"
                                     "- record: a:rate\n"
                                     "  expr: sum(rate(a[1m]))\n"
                                     "- expr: up{job=\"x\"}\n",
                                     why, sizeof why);
    assert_string_equal(why, "");
    assert_int_equal(p->count, 2);
    assert_string_equal(p->rules[0].record, "a:rate");
    assert_string_equal(p->rules[0].key, "a:rate");
    assert_null(p->rules[1].record);
    assert_string_equal(p->rules[1].key, "up{job=\"x\"}");
    archive_plan_destroy(&p);
}

static void the_rules_built_in_are_sound(void **state)
{
    (void)state;
    char why[400] = "";
    struct archive_plan *p = archive_plan_load("default", why, sizeof why);
    assert_string_equal(why, "");
    assert_in_range(p->count, 10, 30);
    archive_plan_destroy(&p);
}

static void what_is_wrong_is_said_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"archive: 7\n", "a.yml:1: found a single value as archive, expected a list"},
        {"archive:\n- record: a\n", "a.yml:2: found a rule without expr, expected \"expr\""},
        {"archive:\n- expr: up\n- expr: up\n", "a.yml:3: found \"up\" again, expected it once"},
        {"archive:\n- expr: 7\n",
         "a.yml:2: found an expr that is a scalar, expected an instant vector"},
        {"archive:\n- record: 'a{b'\n  expr: up\n",
         "a.yml:2: found \"a{b\" as record, expected a metric's name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[400] = "";
        assert_null(plan_of(cases[i].text, why, sizeof why));
        assert_string_equal(why, cases[i].why);
    }
    char why[400] = "";
    assert_null(plan_of("archive:\n- expr: sum(\n", why, sizeof why));
    assert_int_equal(strncmp(why, "a.yml:2: expr, line 1, column ", 30), 0);
    assert_null(plan_of("archive:\n- expr: up\n  every: 5s\n", why, sizeof why));
    assert_non_null(strstr(why, "every"));
    assert_null(archive_plan_load("/nowhere.yml", why, sizeof why));
    assert_non_null(strstr(why, "/nowhere.yml: No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(the_rules_built_in_are_sound),
        cmocka_unit_test(what_is_wrong_is_said_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

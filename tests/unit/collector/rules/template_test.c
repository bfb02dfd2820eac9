// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "collector/rules/template.h"

#define TEXT(t) ((struct batch_str){t, (uint32_t)strlen(t)})

static void expands(const char *text, double value, const char *expected)
{
    struct arena arena;
    char why[300] = "";
    const struct label items[] = {{TEXT("job"), TEXT("web")}, {TEXT("zone"), TEXT("a \"b\"")}};
    struct buffer out = {0};
    arena_init(&arena, 1024);
    struct template *t = template_parse(&arena, text, why, sizeof why);
    if (!t)
        fail_msg("%s: %s", text, why);
    template_expand(t, &(struct labels){items, 2}, value, &out);
    assert_string_equal(buffer_cstring(&out), expected);
    buffer_fini(&out);
    arena_fini(&arena);
}

static void places_hold_labels_and_values(void **state)
{
    (void)state;
    expands("", 1, "");
    expands("plain } text", 1, "plain } text");
    expands("{{ $labels.job }}/{{$labels.zone}}", 1, "web/a \"b\"");
    expands("[{{ .Labels.absent }}] {{ .Value }}", 2.5, "[] 2.5");
    expands("{{ $value }}", 1234567, "1.234567e+06");
    expands("{{ $value }}", 0.1, "0.1");
    expands("{{ $value }}", 100000, "100000");
    expands("{{ $value }}", -INFINITY, "-Inf");
    expands("{{ $value | printf \"%.2f%% of\" }}", 99.126, "99.13% of");
    expands("{{ printf \"%.1e\" $value }}", 12345, "1.2e+04");
    expands("{{ printf \"<%s>\" $labels.job }}", 1, "<web>");
    expands("{{ $value | humanize | printf \"about %s\" }}", 12345, "about 12.35k");
    expands("{{ printf \"%v\" $value }}", 3, "3");
}

static void numbers_read_well(void **state)
{
    (void)state;
    expands("{{ humanize $value }}", 0, "0");
    expands("{{ humanize $value }}", 1234567, "1.235M");
    expands("{{ humanize $value }}", 0.00012, "120u");
    expands("{{ humanize $value }}", NAN, "NaN");
    expands("{{ humanizePercentage $value }}", 0.1234, "12.34%");
    expands("{{ humanizeDuration $value }}", 0, "0s");
    expands("{{ humanizeDuration $value }}", 0.0123, "12.3ms");
    expands("{{ humanizeDuration $value }}", 59.5, "59.5s");
    expands("{{ humanizeDuration $value }}", 61, "1m 1s");
    expands("{{ humanizeDuration $value }}", -3661, "-1h 1m 1s");
    expands("{{ humanizeDuration $value }}", 90061, "1d 1h 1m 1s");
}

static void all_else_is_an_error(void **state)
{
    static const char *const list[] = {
        "{{",
        "{{ }}",
        "{{ $value",
        "{{ $labels }}",
        "{{ $labels. }}",
        "{{ $labels.1a }}",
        "{{ $externalLabels.x }}",
        "{{ query \"up\" }}",
        "{{ if true }}",
        "{{ $value | }}",
        "{{ $value | title }}",
        "{{ $value $value }}",
        "{{ humanize }}",
        "{{ printf $value }}",
        "{{ printf \"%d\" $value }}",
        "{{ printf \"%f %f\" $value }}",
        "{{ printf \"none\" $value }}",
        "{{ printf \"%.999f\" $value }}",
        "{{ printf \"%s\" $value }}",
        "{{ humanize $labels.job }}",
        "{{ $value | humanize | humanize }}",
        "{{ $values }}",
        "{{- $value }}",
        "{{ $value | humanize | printf \"%s\" | printf \"%s\" | printf \"%s\" | printf \"%s\" }}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct arena arena;
        char why[300] = "";
        arena_init(&arena, 1024);
        if (template_parse(&arena, list[i], why, sizeof why))
            fail_msg("%s is taken", list[i]);
        assert_non_null(strstr(why, "expected"));
        arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_hold_labels_and_values),
        cmocka_unit_test(numbers_read_well),
        cmocka_unit_test(all_else_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

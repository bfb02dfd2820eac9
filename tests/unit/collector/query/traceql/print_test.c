// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector/query/traceql/parse.h"
#include "collector/query/traceql/print.h"

/* Each is told as the second; NULL: as it is. */
static const struct {
    const char *query, *canonical;
} texts[] = {
    {"{}", "{ }"},
    {"{span.a=1&&span.b=\"x\"}", "{ span.a = 1 && span.b = \"x\" }"},
    {"{ span:name = \"a\" }", "{ name = \"a\" }"},
    {"{ trace:rootService = \"a\" }", "{ rootServiceName = \"a\" }"},
    {"{ childCount = 0 }", "{ span:childCount = 0 }"},
    {"{ parent.childCount = 0 && parent.\"name\" = 1 && parent.x = 1 }",
     "{ parent.childCount = 0 && parent.\"name\" = 1 && parent.\"x\" = 1 }"},
    {"{ parent.span.x = 1 && parent.resource.y }", NULL},
    {"{ nil = .a && nil != .b }", "{ .a = nil && .b != nil }"},
    {"{ (.a || .b) && .c }", "{ .a || .b && .c }"},
    {"{ .a || (.b && .c) }", NULL},
    {"{ ((.a = 1)) = true }", "{ .a = 1 = true }"},
    {"{ .a = (1 = 1) }", NULL},
    {"{ .a = -1 && .b = -(2) }", "{ .a = -1 && .b = -2 }"},
    {"{ (-2) ^ 2 = 4 && -2 ^ 2 = -4 }", "{ (-2) ^ 2 = 4 && -2 ^ 2 = -4 }"},
    {"{ 2 ^ 3 ^ 2 = 1 && (2 ^ 3) ^ 2 = 1 }", NULL},
    {"{ .a - (.b - .c) = (.d + .e) * .f }", NULL},
    {"{ -.a + .b = -(.a + .b) && -(-.a) = 1 }", NULL},
    {"{ !.a && !(.a && .b) && !!.c }", NULL},
    {"{ (!.a) = true && !(.a = true) }", "{ !.a = true && !(.a = true) }"},
    {"{ .a = minInt && .a = -maxInt && .a > -minInt }",
     "{ .a = minInt && .a = -9223372036854775807 && .a > -minInt }"},
    {"{ .a = 1.0 && .b = 1e300 && .c = .1 && .d = 5e-324 && .e = -0. }",
     "{ .a = 1.0 && .b = 1e+300 && .c = 0.1 && .d = 4.94065645841247e-324 && .e = -0.0 }"},
    {"{ duration > 90s && duration < 1.5ms && duration = 0ms && duration > -1h1ns }",
     "{ duration > 1m30s && duration < 1ms500us && duration = 0s && duration > -1h1ns }"},
    {"{ .a = `\\d \"` && .b = \"\\t\\xff\xc3\xa4\\xc3\" }",
     "{ .a = \"\\\\d \\\"\" && .b = \"\\x09\\xff\xc3\xa4\\xc3\" }"},
    {"{ .\"5\" = 1 && span.\"a b\" = 1 && span.a.\"b\" = 1 && span.\"a\\\\\\\"\" = 1 }",
     "{ .\"5\" = 1 && span.\"a b\" = 1 && span.a.b = 1 && span.\"a\\\\\\\"\" = 1 }"},
    {"{ status = in_flight || kind = unspecified }", NULL},
    {"{ } && { } || { }", NULL},
    {"{ } && ({ } || { })", NULL},
    {"({ } > { }) > { }", "{ } > { } > { }"},
    {"{ } > ({ } && { }) !~ { } &<< { }", NULL},
    {"({ } | count() > 1) >> { }", NULL},
    {"(count() > 1)", NULL},
    {"({ })", "{ }"},
    {"{ }|by(.a)|coalesce()|select(.a,name)", "{ } | by(.a) | coalesce() | select(.a, name)"},
    {"count()-(1-2)*-3^2>max(duration)", "count() - (1 - 2) * -3 ^ 2 > max(duration)"},
    {"({ } | count()) * 2 > (1)", "({ } | count()) * 2 > 1"},
    {"{} | rate()by(name,.x)with(exemplars=3,sample=true)",
     "{ } | rate() by (name, .x) with (exemplars = 3, sample = true)"},
    {"({} | rate())", "{ } | rate()"},
    {"({} | rate()) > 5", "{ } | rate() > 5"},
    {"({} | rate() | topk(5)) > 5 | bottomk(2)", "{ } | rate() | topk(5) > 5 | bottomk(2)"},
    {"({} | rate()) / (({} | rate()) - ({} | rate() > 1))",
     "({ } | rate()) / (({ } | rate()) - ({ } | rate() > 1))"},
    {"(({} | rate()) / ({} | rate()) > 1) * ({} | rate())",
     "(({ } | rate()) / ({ } | rate()) > 1) * ({ } | rate())"},
    {"{} | quantile_over_time(duration, .99, 1) by (.a)",
     "{ } | quantile_over_time(duration, 0.99, 1.0) by (.a)"},
    {"{} | compare({status=error},10)", "{ } | compare({ status = error }, 10)"},
    {"{} | compare({}, 1, 2, 3)", "{ } | compare({ }, 1, 2, 3)"},
    {"{} | compare({.a})", "{ } | compare({ .a })"},
};

static char *printed(const char *text)
{
    struct arena arena;
    struct traceql_query *query;
    struct language_error e;
    struct buffer out = {0};
    arena_init(&arena, 4096);
    if (traceql_parse(&arena, text, strlen(text), &query, &e) != LANGUAGE_SOUND)
        fail_msg("%s\ncolumn %u: %s", text, e.column, e.message);
    traceql_print(&out, query);
    char *copy = strdup(buffer_cstring(&out));
    buffer_fini(&out);
    arena_fini(&arena);
    return copy;
}

static void the_text_is_canonical_and_reads_back_as_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *once = printed(texts[i].query);
        char *twice = printed(once);
        assert_string_equal(once, texts[i].canonical ? texts[i].canonical : texts[i].query);
        assert_string_equal(twice, once);
        free(once);
        free(twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_canonical_and_reads_back_as_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

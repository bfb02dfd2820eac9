// SPDX-License-Identifier: Apache-2.0
#include "collector/series/pattern.h"

#include "tests/unit/collector/series/stores.h"

static void assert_finite(const char *regex, const char *expected)
{
    struct pattern p;
    char all[256] = "";
    size_t length = 0;
    assert_int_equal(pattern_init(&p, text(regex)), 0);
    if (!p.is_finite)
        fail_msg("%s is finite", regex);
    for (uint32_t i = 0; i < p.count; i++)
        length += (size_t)snprintf(all + length, sizeof all - length, "[%.*s]",
                                   (int)p.values[i].length, p.values[i].bytes);
    assert_string_equal(all, expected);
    pattern_fini(&p);
}

static void assert_prefix(const char *regex, const char *expected)
{
    struct pattern p;
    assert_int_equal(pattern_init(&p, text(regex)), 0);
    if (p.is_finite || !batch_str_is(p.prefix, expected))
        fail_msg("%s begins with %s, not with %.*s", regex, expected, (int)p.prefix.length,
                 p.prefix.bytes);
    pattern_fini(&p);
}

static void alternatives_of_plain_text_are_values(void **state)
{
    (void)state;
    assert_finite("a", "[a]");
    assert_finite("", "[]");
    assert_finite("a|bc|", "[a][bc][]");
    assert_finite("(a|b)", "[a][b]");
    assert_finite("(?:10\\.0\\.0\\.1|x-y)", "[10.0.0.1][x-y]");
    assert_finite("é|ü", "[é][ü]");
}

static void others_may_have_a_beginning(void **state)
{
    (void)state;
    assert_prefix("prod-.*", "prod-");
    assert_prefix("a\\.b.+", "a.b");
    assert_prefix("ab?", "a");
    assert_prefix("ab*c", "a");
    assert_prefix("é+", "");
    assert_prefix("a{2}", "");
    assert_prefix("a.*|b", "");
    assert_prefix("(a)(b)", "");
    assert_prefix("(a|b)c", "");
    assert_prefix("(?i)abc", "");
    assert_prefix("(?i:abc)", "");
    assert_prefix("a\\d", "a");
    assert_prefix("a\\_b", "a");
    assert_prefix(".*", "");
    assert_prefix("^a", "");
    assert_prefix("[ab]", "");
    assert_prefix("(a\\)", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alternatives_of_plain_text_are_values),
        cmocka_unit_test(others_may_have_a_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

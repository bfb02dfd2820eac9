// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/number.h"

static void numbers_are_their_bits(void **state)
{
    (void)state;
    static const double numbers[] = {0, -0.0, 1.5, -DBL_MAX, DBL_TRUE_MIN, INFINITY};
    assert_true(number_bits(1) == UINT64_C(0x3ff0000000000000));
    assert_true(number_bits(-0.0) == UINT64_C(1) << 63);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_true(number_bits(number_of_bits(number_bits(numbers[i]))) ==
                    number_bits(numbers[i]));
    assert_true(isnan(number_of_bits(UINT64_C(0x7ff0000000000002))));
}

static void text_is_short_where_it_can_be(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},       {-0.0, "-0"},    {0.1, "0.1"},
        {-2.5, "-2.5"}, {1e21, "1e+21"}, {0.1 + 0.2, "0.30000000000000004"},
    };
    char text[NUMBER_TEXT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        number_text(cases[i].number, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void text_reads_back_as_the_same(void **state)
{
    (void)state;
    char text[NUMBER_TEXT_MAX];
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        double number = number_of_bits(seed ^ seed >> 29);
        if (!isfinite(number))
            continue;
        number_text(number, text);
        assert_true(number_bits(strtod(text, NULL)) == number_bits(number));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_their_bits),
        cmocka_unit_test(text_is_short_where_it_can_be),
        cmocka_unit_test(text_reads_back_as_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

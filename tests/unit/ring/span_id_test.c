// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/ring/span_id.h"

static void unmix_undoes_mix(void **state)
{
    (void)state;
    const uint64_t edges[] = {0, 1, 2, UINT64_MAX, UINT64_MAX - 1, 1ull << 63, 0x0123456789abcdef};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        assert_true(span_id_unmix(span_id_mix(edges[i])) == edges[i]);
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 100000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        assert_true(span_id_unmix(span_id_mix(x)) == x);
        assert_true(span_id_mix(span_id_unmix(x)) == x);
    }
}

static void only_zero_maps_to_zero(void **state)
{
    (void)state;
    assert_true(span_id_mix(0) == 0);
    assert_true(span_id_unmix(0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmix_undoes_mix),
        cmocka_unit_test(only_zero_maps_to_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

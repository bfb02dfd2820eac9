// SPDX-License-Identifier: Apache-2.0
/* What people are told to do about losses: docs/operations.md has a row for every reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "lib/model/loss.h"

static void every_reason_of_a_loss_has_a_row(void **state)
{
    static char page[1 << 17];
    (void)state;
    FILE *file = fopen(OPERATIONS_PAGE, "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    for (unsigned reason = 0; reason < LOSS_REASONS; reason++) {
        char row[96];
        if (loss_reason_name(reason)[0] == '?')
            continue;
        snprintf(row, sizeof row, "\n| `%s` | %s | ", loss_reason_name(reason),
                 loss_reason_place(reason));
        if (!strstr(page, row))
            fail_msg("docs/operations.md: expected a row%s", row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_reason_of_a_loss_has_a_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

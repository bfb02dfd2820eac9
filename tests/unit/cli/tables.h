// SPDX-License-Identifier: Apache-2.0
/* Tables for the tests of `weft top`. */
#ifndef WEFT_TESTS_UNIT_CLI_TABLES_H
#define WEFT_TESTS_UNIT_CLI_TABLES_H

#include <string.h>

#include "cli/top_rows.h"

static inline struct top_row *table_key(struct top_table *t, const char *key, double calls,
                                        double bytes_per_s)
{
    struct top_row *row = top_table_add(t);
    top_set_text(t, row, top_view_info(t->view)->columns[0].name, key, strlen(key));
    top_set_number(t, row, "calls", calls);
    top_set_number(t, row, "bytes_per_s", bytes_per_s);
    return row;
}

#endif

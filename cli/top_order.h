// SPDX-License-Identifier: Apache-2.0
/* Which rows of a table are shown, and in which order. */
#ifndef WEFT_CLI_TOP_ORDER_H
#define WEFT_CLI_TOP_ORDER_H

#include "cli/top_rows.h"

struct top_order {
    int column;
    bool reversed;      /* the least number first, texts from Z to A */
    const char *filter; /* rows in a text of which this stands; "" : all */
};

/* The numbers of these rows, into `out` (of table->count). What is not known comes last either
 * way; what is equal goes by its name. How many. */
size_t top_order(const struct top_table *table, const struct top_order *order, uint32_t *out);

#endif

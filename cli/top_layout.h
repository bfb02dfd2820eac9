// SPDX-License-Identifier: Apache-2.0
/* Tables as lines of text: which columns there is room for, numbers with units, what stands above a
 * table. Nothing here knows of a terminal. */
#ifndef WEFT_CLI_TOP_LAYOUT_H
#define WEFT_CLI_TOP_LAYOUT_H

#include "cli/top_order.h"
#include "lib/base/buffer.h"

#define TOP_WIDE SIZE_MAX /* a width that is none: everything in full */

/* Which columns stand where; one line for the titles and each row. */
struct top_layout {
    const struct top_table *table;
    const struct top_order *order;
    int columns[TOP_COLUMNS], count;
    size_t widths[TOP_COLUMNS];
};

/* For the rows that are to be seen. The name and the column that sorts always find room, the others
 * from the left; names get at least a third of the width, or what the longest takes. */
void top_layout(struct top_layout *l, const struct top_table *table, const struct top_order *order,
                const uint32_t *rows, size_t count, size_t width);
/* Appends a line without its end, never wider than `width` was. */
void top_layout_titles(const struct top_layout *l, struct buffer *out);
void top_layout_row(const struct top_layout *l, const struct top_row *row, struct buffer *out);

/* "1.24 ms", "31.0 %", "12.4k"; "-" where it is not known. */
void top_number(struct buffer *out, enum top_unit unit, double value);

/* What stands above a table, as sentences: its totals with how wrong a count may be; the hottest
 * key (nothing where none is known); what was dropped. */
void top_totals_line(const struct top_table *t, struct buffer *out);
void top_hottest_line(const struct top_table *t, struct buffer *out);
/* True: something was. */
bool top_dropped_line(const struct top_table *t, struct buffer *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/* Tables on standard output, once: for people, as CSV (RFC 4180) and as JSON. The columns of the
 * latter two are those of top_rows.c and stay what they are; new ones come behind them. Texts are
 * whole in both; what could drive a terminal is escaped, as \uHHHH. */
#ifndef WEFT_CLI_TOP_PRINT_H
#define WEFT_CLI_TOP_PRINT_H

#include "cli/top_layout.h"

/* One table: a line of totals, the titles, `count` rows. */
void top_print_table(struct buffer *out, const struct top_table *t, const struct top_order *order,
                     const uint32_t *rows, size_t count, size_t width);
/* A line of names, then one for each row. A cell that is not known is empty. */
void top_print_csv(struct buffer *out, const struct top_table *t, const uint32_t *rows,
                   size_t count);
/* One object; what is not known is not in it. `source`: where it comes from. */
void top_print_json(struct buffer *out, const struct top_table *t, const struct top_order *order,
                    const uint32_t *rows, size_t count, const char *source);

#endif

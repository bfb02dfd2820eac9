// SPDX-License-Identifier: Apache-2.0
#include "cli/top_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_wanted(const struct top_row *row, const char *filter)
{
    if (!*filter)
        return true;
    for (int i = 0; i < TOP_COLUMNS; i++)
        if (row->texts[i] && strstr(row->texts[i], filter))
            return true;
    return false;
}

struct comparison {
    const struct top_table *table;
    const struct top_order *order;
};

static int by_text(const struct top_row *a, const struct top_row *b, int column)
{
    return strcmp(a->texts[column] ? a->texts[column] : "",
                  b->texts[column] ? b->texts[column] : "");
}

static int by_number(double a, double b, bool reversed)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    int result = (a > b) - (a < b); /* the largest first */
    return reversed ? result : -result;
}

static int compare(const void *x, const void *y, void *context)
{
    const struct comparison *c = context;
    const struct top_row *a = &c->table->rows[*(const uint32_t *)x],
                         *b = &c->table->rows[*(const uint32_t *)y];
    int column = c->order->column, result;
    if (top_view_info(c->table->view)->columns[column].unit == TOP_TEXT)
        result = c->order->reversed ? by_text(b, a, column) : by_text(a, b, column);
    else
        result = by_number(a->numbers[column], b->numbers[column], c->order->reversed);
    if (result == 0)
        result = by_text(a, b, 0);
    return result ? result : (a > b) - (a < b);
}

size_t top_order(const struct top_table *table, const struct top_order *order, uint32_t *out)
{
    struct comparison c = {table, order};
    size_t count = 0;
    for (uint32_t i = 0; i < table->count; i++)
        if (is_wanted(&table->rows[i], order->filter))
            out[count++] = i;
    qsort_r(out, count, sizeof *out, compare, &c);
    return count;
}

// SPDX-License-Identifier: Apache-2.0
/* The sort functions. Only an instant query has an order; a range query is sorted by labels. */
#include <stdlib.h>

#include "collector/query/promql/engine/labelset.h"
#include "collector/query/promql/engine/nodes.h"

struct order {
    const struct promql_expr *e;
    bool by_label, falling;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Runs of digits count as numbers: "a9" before "a10". */
static int compare_naturally(struct batch_str a, struct batch_str b)
{
    uint32_t i = 0, j = 0;
    while (i < a.length && j < b.length) {
        uint32_t from = i, other = j;
        bool number = is_digit(a.bytes[i]);
        while (i < a.length && is_digit(a.bytes[i]) == number)
            i++;
        bool other_number = is_digit(b.bytes[j]);
        while (j < b.length && is_digit(b.bytes[j]) == other_number)
            j++;
        struct batch_str x = {a.bytes + from, i - from}, y = {b.bytes + other, j - other};
        if (number && other_number) {
            while (x.length > 1 && *x.bytes == '0')
                x.bytes++, x.length--;
            while (y.length > 1 && *y.bytes == '0')
                y.bytes++, y.length--;
            if (x.length != y.length)
                return x.length < y.length ? -1 : 1;
        }
        int order = batch_str_compare(x, y);
        if (order)
            return order;
    }
    return (i < a.length) - (j < b.length);
}

static int compare_labels(const struct order *o, const struct labels *a, const struct labels *b)
{
    for (uint32_t i = 1; i < o->e->arg_count; i++) {
        struct batch_str name = text_of(o->e->args[i]);
        struct batch_str x = labels_get(a, name), y = labels_get(b, name);
        if (batch_str_equal(x, y))
            continue;
        int order = compare_naturally(x, y);
        return order ? order : batch_str_compare(x, y);
    }
    return labels_compare(a, b);
}

/* NaN goes last in both directions. */
static int compare_columns(const void *a, const void *b, void *arg)
{
    const struct order *o = arg;
    const struct column *x = *(struct column *const *)a, *y = *(struct column *const *)b;
    if (o->by_label) {
        int order = compare_labels(o, &x->labels, &y->labels);
        return o->falling ? -order : order;
    }
    double p = x->value[0], q = y->value[0];
    if (isnan(p) || isnan(q))
        return isnan(p) - isnan(q);
    int order = (p > q) - (p < q);
    return o->falling ? -order : order;
}

OPENS(sort_open)
{
    enum promql_function_id id = e->function->id;
    struct order o = {
        .e = e,
        .by_label = id == PROMQL_FN_SORT_BY_LABEL || id == PROMQL_FN_SORT_BY_LABEL_DESC,
        .falling = id == PROMQL_FN_SORT_DESC || id == PROMQL_FN_SORT_BY_LABEL_DESC,
    };
    struct column_list l = stream_collect(ev, stream_open(ev, e->args[0], grid));
    size_t kept = 0;
    for (size_t i = 0; i < l.count; i++) {
        struct column *c = l.list[i];
        for (size_t j = 0; c->histogram && !o.by_label && j < c->count; j++)
            if (c->histogram[j])
                c->value[j] = absent();
        if (!o.by_label)
            c->histogram = NULL;
        if (!column_is_empty(c))
            l.list[kept++] = c;
    }
    l.count = kept;
    if (grid->count == 1)
        qsort_r((void *)l.list, l.count, sizeof(struct column *), compare_columns, &o);
    return stream_of_list(ev, e, grid, l);
}

// SPDX-License-Identifier: Apache-2.0
/* The aggregations quantile and count_values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/query/promql/engine/annotations.h"
#include "collector/query/promql/engine/grouping.h"
#include "collector/query/promql/engine/nodes.h"
#include "collector/query/promql/engine/quantile.h"
#include "collector/query/promql/print.h"

/* ---- quantile ---------------------------------------------------------------------------- */

struct list {
    uint32_t count, capacity;
    double *values;
};

static void list_add(struct evaluation *ev, struct list *l, double value)
{
    if (l->count == l->capacity) {
        uint32_t capacity = l->capacity ? l->capacity * 2 : 8;
        double *grown = evaluation_alloc(ev, capacity * sizeof *grown);
        if (l->count)
            memcpy(grown, l->values, l->count * sizeof *grown);
        l->values = grown;
        l->capacity = capacity;
    }
    l->values[l->count++] = value;
}

struct quantiles {
    struct stream stream;
    const double *q;
    struct grouping groups; /* states: lists, one for each step */
    uint32_t next;
};

static void add_column(struct evaluation *ev, struct quantiles *q, const struct column *c)
{
    bool added;
    if (column_is_empty(c))
        return;
    const struct promql_expr *e = q->stream.expr;
    uint32_t group = grouping_add(ev, &q->groups, e, &c->labels, &added);
    if (added)
        q->groups.states[group] = evaluation_calloc(ev, c->count, sizeof(struct list));
    q->groups.drop_name[group] |= c->drop_name;
    struct list *lists = q->groups.states[group];
    size_t taken = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (!is_present(c->value[i]))
            continue;
        if (column_histogram(c, i)) {
            annotate_ignored_in_aggregation(ev, e->args[0]->place, "quantile");
            continue;
        }
        list_add(ev, &lists[i], c->value[i]);
        taken++;
    }
    evaluation_hold(ev, taken);
}

static bool next_quantile(struct evaluation *ev, struct stream *s, struct column *out)
{
    struct quantiles *q = (struct quantiles *)s;
    (void)ev;
    if (q->next == q->groups.index.count)
        return false;
    uint32_t group = q->next++;
    struct list *lists = q->groups.states[group];
    out->labels = q->groups.index.keys[group];
    out->drop_name = q->groups.drop_name[group];
    for (size_t i = 0; i < out->count; i++)
        out->value[i] =
            lists[i].count ? quantile_of(lists[i].values, lists[i].count, q->q[i]) : absent();
    return true;
}

OPENS(quantile_open)
{
    struct quantiles *q = evaluation_calloc(ev, 1, sizeof *q);
    q->stream = (struct stream){next_quantile, e, *grid};
    q->q = scalar_values(ev, e->args[1], grid);
    for (size_t i = 0; i < grid->count; i++)
        annotate_quantile(ev, e->args[1]->place, q->q[i]);
    struct stream *of = stream_open(ev, e->args[0], grid);
    struct column *c = column_create(ev, grid->count, true);
    while (stream_next(ev, of, c))
        add_column(ev, q, c);
    return &q->stream;
}

/* ---- count_values ------------------------------------------------------------------------ */

struct counts {
    const struct promql_expr *e;
    struct batch_str label;
    size_t steps;
    struct labels_index index;
    struct column_list results; /* in the index's order */
};

/* Without an exponent, in the fewest digits that read back as the same. */
static void print_plain(struct buffer *out, double value)
{
    if (!isfinite(value)) {
        promql_print_number(out, value);
        return;
    }
    char text[400];
    for (int digits = 0; digits < 340; digits++) {
        snprintf(text, sizeof text, "%.*f", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buffer_text(out, text);
}

static void count(struct evaluation *ev, struct counts *n, const struct column *c, size_t i,
                  struct buffer *text)
{
    bool added;
    struct labelset s;
    buffer_clear(text);
    if (column_histogram(c, i))
        histogram_print(text, c->histogram[i]);
    else
        print_plain(text, c->value[i]);
    labelset_begin(&s, &c->labels);
    if (n->e->aggregation.without) {
        labelset_drop(&s, &n->e->aggregation.names);
        labelset_drop_one(&s, str_of(LABEL_METRIC));
    } else {
        labelset_keep(&s, &n->e->aggregation.names);
    }
    char *bytes = arena_copy(ev->arena, text->data, text->length);
    labelset_set(ev, &s, n->label,
                 (struct batch_str){evaluation_need(ev, bytes), (uint32_t)text->length});
    struct labels key = labelset_view(&s);
    uint32_t at = labels_index_add(ev, &n->index, &key, &added);
    if (added) {
        struct column *result = column_create(ev, n->steps, false);
        column_clear(result);
        result->labels = n->index.keys[at];
        column_list_add(ev, &n->results, result);
    }
    double *value = &n->results.list[at]->value[i];
    *value = is_present(*value) ? *value + 1 : 1;
}

OPENS(count_values_open)
{
    struct counts n = {.e = e, .label = text_of(e->args[1]), .steps = grid->count};
    if (!promql_is_name(n.label)) {
        struct buffer quoted = {0};
        promql_print_text(&quoted, n.label);
        char *said = arena_copy(ev->arena, buffer_cstring(&quoted), quoted.length + 1);
        buffer_fini(&quoted);
        evaluation_fail(ev, PROMQL_FAILED, "invalid label name %s", said ? said : "");
    }
    struct stream *of = stream_open(ev, e->args[0], grid);
    struct column_list all = stream_collect(ev, of);
    struct buffer *text = evaluation_buffer(ev);
    for (size_t j = 0; j < all.count; j++)
        for (size_t i = 0; i < grid->count; i++)
            if (is_present(all.list[j]->value[i]))
                count(ev, &n, all.list[j], i, text);
    return stream_of_list(ev, e, grid, n.results);
}

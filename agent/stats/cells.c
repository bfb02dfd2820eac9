// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/cells.h"

#include <stdlib.h>

void cells_fini(struct cells *c)
{
    free((void *)c->series);
    *c = (struct cells){0};
}

static struct batch_str text_of(struct slab_text text)
{
    return (struct batch_str){text.bytes, text.length};
}

static struct stats_series *find_series(struct stats_table *t, struct stats_identity *identity,
                                        const struct slab_instrument *i)
{
    struct stats_label labels[STATS_LABELS_MAX];
    struct stats_metric *metric = stats_metric(t, text_of(i->name), i->type, STATS_OF_LIBWEFT);
    if (i->label_count > STATS_LABELS_MAX) {
        stats_refuse(t, metric, STATS_BAD_LABELS);
        return NULL;
    }
    for (uint32_t n = 0; n < i->label_count; n++)
        labels[n] = (struct stats_label){text_of(i->labels[n].key), text_of(i->labels[n].value)};
    stats_describe(metric, text_of(i->unit), text_of(i->help));
    return stats_find(t, metric, identity, labels, i->label_count);
}

static bool reserve(struct cells *c, uint32_t number)
{
    if (number < c->capacity)
        return true;
    uint32_t capacity = c->capacity ? c->capacity : 64;
    while (capacity <= number)
        capacity *= 2;
    struct stats_series **series =
        realloc((void *)c->series, capacity * sizeof(struct stats_series *));
    if (!series)
        return false;
    c->series = series;
    c->capacity = capacity;
    return true;
}

struct taking {
    struct cells *cells;
    struct stats_table *table;
    struct stats_identity *identity;
    size_t bytes;
};

/* As if it were the first row of its series in the batch. */
static size_t row_bytes(const struct slab_stat *stat)
{
    enum { PLAIN = 48, LABEL = 8, BUCKET = 4 };
    const struct slab_instrument *i = stat->instrument;
    size_t bytes = PLAIN;
    for (uint32_t n = 0; n < i->label_count; n++)
        bytes += LABEL + i->labels[n].key.length + i->labels[n].value.length;
    if (i->type == METRIC_HISTOGRAM)
        bytes += BUCKET * ((size_t)stat->histogram->positive.used + stat->histogram->negative.used);
    return bytes;
}

static struct stats_series *series_of(struct taking *t, const struct slab_instrument *i)
{
    struct cells *c = t->cells;
    if (!reserve(c, i->number))
        return NULL;
    while (c->count <= i->number)
        c->series[c->count++] = NULL;
    if (!c->series[i->number])
        c->series[i->number] = find_series(t->table, t->identity, i);
    return c->series[i->number];
}

static void visit(void *context, const struct slab_stat *stat)
{
    struct taking *t = context;
    struct stats_series *s = series_of(t, stat->instrument);
    t->bytes += s ? row_bytes(stat) : 0;
    switch (stat->instrument->type) {
    case METRIC_COUNTER:
        stats_count(s, (double)stat->delta);
        break;
    case METRIC_GAUGE:
        stats_gauge(t->table, s, stat->value);
        break;
    default:
        stats_merge(s, stat->histogram);
    }
}

enum slab_error cells_take(struct cells *c, struct stats_table *t, struct stats_identity *identity,
                           struct slab_reader *reader, size_t *bytes)
{
    struct taking taking = {c, t, identity, 0};
    enum slab_error error = slab_stats_take(reader, visit, &taking);
    *bytes += taking.bytes;
    return error;
}

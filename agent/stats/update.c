// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "agent/stats/table_internal.h"

void stats_count(struct stats_series *s, double delta)
{
    if (!s)
        return;
    s->value += delta;
    s->news |= delta > 0;
}

static void set_gauge(struct stats_table *t, struct stats_series *s, double value)
{
    s->value = value;
    s->set_round = t->round;
}

void stats_gauge(struct stats_table *t, struct stats_series *s, double value)
{
    if (s)
        set_gauge(t, s, s->set_round == t->round ? s->value + value : value);
}

void stats_gauge_keep(struct stats_table *t, struct stats_series *s, double value)
{
    if (!s)
        return;
    s->kept = true;
    set_gauge(t, s, value);
}

void stats_gauge_move(struct stats_table *t, struct stats_series *s, double by)
{
    if (s)
        stats_gauge_keep(t, s, s->value + by);
}

void stats_record(struct stats_series *s, double value, uint64_t times)
{
    if (!s)
        return;
    exphist_add(s->histogram, value, times);
    s->news = true;
}

void stats_merge(struct stats_series *s, const struct exphist *histogram)
{
    if (!s)
        return;
    exphist_merge(s->histogram, histogram);
    s->news = true;
}

void stats_behind(struct stats_series *s, const struct stats_exemplar *e)
{
    enum { HALF_OCTAVES = 1 }; /* the scale at which a bucket is one */
    if (!s || !(e->value > 0))
        return;
    if (!s->exemplars)
        s->exemplars = calloc(STATS_EXEMPLARS, sizeof *s->exemplars);
    if (s->exemplars)
        s->exemplars[(unsigned)exphist_index(e->value, HALF_OCTAVES) % STATS_EXEMPLARS] = *e;
}

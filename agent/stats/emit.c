// SPDX-License-Identifier: Apache-2.0
/* The end of a round: who has news, who is told all the same, who goes. */
#include <stdlib.h>
#include <string.h>

#include "agent/stats/table_internal.h"

enum { LIVELY_ROUNDS = 60, QUIET_EVERY = 15, PROCESS_GONE_ROUNDS = 300 };
enum { GAUGE_ROUNDS = 1 }; /* in which a gauge may be left out: its owner was setting it */

struct emitting {
    struct stats_table *table;
    struct stats_batch *batch;
};

static bool is_full(const struct emitting *e)
{
    return batch_builder_bytes(e->batch->builder) >= e->batch->bytes_max;
}

/* ---- what the batch calls things --------------------------------------------------------- */

static uint32_t put_text(struct emitting *e, struct batch_str text)
{
    return batch_string(e->batch->builder, text.bytes, text.length);
}

static uint32_t put_literal(struct emitting *e, const char *text)
{
    return batch_string(e->batch->builder, text, strlen(text));
}

static uint32_t label_set(struct emitting *e, struct stats_identity *identity,
                          enum stats_naming naming)
{
    uint32_t pairs[8], n = 0;
    pairs[n++] = put_literal(e, "host");
    pairs[n++] = put_literal(e, e->table->options.host);
    if (identity && naming != STATS_HOST_ONLY) {
        pairs[n++] = put_literal(e, naming == STATS_SERVICE ? "service" : "service_name");
        pairs[n++] = put_text(e, identity->service);
        pairs[n++] = put_literal(e, "version");
        pairs[n++] = put_text(e, identity->version);
        pairs[n++] = put_literal(e, "cell");
        pairs[n++] = put_text(e, identity->cell);
    }
    return batch_label_set(e->batch->builder, pairs, n / 2);
}

static uint32_t label_set_of(struct emitting *e, const struct stats_series *s)
{
    struct stats_table *t = e->table;
    struct stats_mark *mark = &t->host_mark;
    if (s->identity && s->metric->naming != STATS_HOST_ONLY)
        mark = &s->identity->marks[s->metric->naming];
    if (mark->serial != e->batch->serial)
        *mark = (struct stats_mark){e->batch->serial, label_set(e, s->identity, s->metric->naming)};
    return mark->index;
}

static uint32_t metric_index(struct emitting *e, struct stats_metric *m)
{
    if (m->mark.serial != e->batch->serial)
        m->mark = (struct stats_mark){e->batch->serial,
                                      batch_metric(e->batch->builder, put_text(e, m->name), m->type,
                                                   put_literal(e, m->unit ? m->unit : ""),
                                                   put_literal(e, m->help ? m->help : ""))};
    return m->mark.index;
}

static uint32_t series_index(struct emitting *e, struct stats_series *s)
{
    uint32_t pairs[2 * STATS_LABELS_MAX];
    if (s->mark.serial == e->batch->serial) /* the batch of the round before still waits */
        return s->mark.index;
    for (uint32_t i = 0; i < s->label_count; i++) {
        pairs[2 * i] = put_text(e, s->labels[i].name);
        pairs[2 * i + 1] = put_text(e, s->labels[i].value);
    }
    uint32_t metric = metric_index(e, s->metric), set = label_set_of(e, s);
    s->mark = (struct stats_mark){
        e->batch->serial, batch_series(e->batch->builder, metric, set, pairs, s->label_count)};
    return s->mark.index;
}

/* ---- rows -------------------------------------------------------------------------------- */

static void put_exemplars(struct emitting *e, struct stats_series *s, uint32_t series)
{
    for (int i = 0; s->exemplars && i < STATS_EXEMPLARS; i++) {
        struct stats_exemplar *x = &s->exemplars[i];
        if (x->span_id)
            batch_exemplar(e->batch->builder, series, (int64_t)(x->unix_ns / 1000000), x->value,
                           x->trace_id, x->span_id);
        x->span_id = 0;
    }
}

static void put_row(struct emitting *e, struct stats_series *s)
{
    uint32_t series = series_index(e, s);
    if (s->metric->type == METRIC_HISTOGRAM) {
        batch_histogram(e->batch->builder, series, e->batch->unix_ms, SAMPLE_HISTOGRAM_DELTA,
                        s->histogram);
        exphist_clear(s->histogram);
    } else if (s->metric->type == METRIC_COUNTER) {
        batch_sample(e->batch->builder, series, e->batch->unix_ms, SAMPLE_DELTA, s->value);
        s->value = 0;
    } else {
        batch_sample(e->batch->builder, series, e->batch->unix_ms, SAMPLE_VALUE, s->value);
        s->told_value = s->value;
    }
    put_exemplars(e, s, series);
    s->gathered = 0;
    s->told_round = e->table->round;
    s->told = true;
    e->batch->rows++;
}

static void put_end(struct emitting *e, struct stats_series *s)
{
    if (!s->told)
        return;
    s->told = false;
    batch_sample(e->batch->builder, series_index(e, s), e->batch->unix_ms, SAMPLE_STALE, 0);
    e->batch->rows++;
}

/* ---- who --------------------------------------------------------------------------------- */

static bool has_ended(const struct stats_table *t, const struct stats_series *s)
{
    if (s->metric->ousted && !s->news)
        return true;
    if (s->metric->type == METRIC_GAUGE)
        return t->round - s->set_round > (s->kept ? t->options.silent_rounds : GAUGE_ROUNDS);
    if (s->news)
        return false;
    if (!s->identity)
        return t->round - s->news_round > t->options.silent_rounds;
    return s->identity->holders == 0 && t->round - s->identity->idle_since > PROCESS_GONE_ROUNDS;
}

/* Its identity's processes may keep pointers to it. */
static bool is_held(const struct stats_series *s)
{
    return s->identity && s->identity->holders > 0;
}

static bool is_told(const struct stats_table *t, const struct stats_series *s)
{
    if (!s->news && s->told && s->told_round == t->round)
        return false; /* by stats_table_tell */
    return s->news || !s->told || t->round - s->news_round < LIVELY_ROUNDS ||
           (t->round + s->number) % QUIET_EVERY == 0;
}

static void visit(struct emitting *e, size_t *i)
{
    struct stats_table *t = e->table;
    struct stats_series *s = t->series[*i];
    if (has_ended(t, s)) {
        put_end(e, s);
        if (is_held(s))
            ++*i;
        else
            stats_drop_series(t, *i);
        return;
    }
    if (s->metric->type == METRIC_GAUGE)
        s->news = s->value != s->told_value;
    if (s->news)
        s->news_round = t->round;
    if (is_told(t, s))
        put_row(e, s);
    s->news = false;
    ++*i;
}

/* ---- refusals ---------------------------------------------------------------------------- */

static const struct stats_metric_info refusals = {
    .name = "weft_agent_series_refused_total",
    .help = "Updates that were refused, by metric and reason.",
    .type = METRIC_COUNTER,
    .naming = STATS_HOST_ONLY,
};

static void tell_refused(struct stats_table *t, struct stats_metric *own,
                         struct stats_refused *refused, const struct batch_str *metric)
{
    for (unsigned r = 0; r < STATS_REFUSALS; r++) {
        const char *reason = stats_refusal_name(r);
        struct stats_label labels[2] = {
            {{"metric", 6}, metric ? *metric : (struct batch_str){"", 0}},
            {{"reason", 6}, {reason, (uint32_t)strlen(reason)}}};
        if (refused->count[r] == refused->told[r])
            continue;
        stats_count(stats_find(t, own, NULL, labels + !metric, metric ? 2 : 1),
                    (double)(refused->count[r] - refused->told[r]));
        refused->told[r] = refused->count[r];
    }
}

static void tell_refusals(struct stats_table *t)
{
    struct stats_metric *own = stats_own_metric(t, &refusals);
    for (uint32_t i = 0; i < t->metric_count; i++)
        if (t->metrics[i] != own)
            tell_refused(t, own, &t->metrics[i]->refused, &t->metrics[i]->name);
    tell_refused(t, own, &t->unnamed, NULL);
}

static void forget_identities(struct stats_table *t)
{
    for (size_t i = 0; i < t->series_count; i++)
        if (t->series[i]->identity)
            t->series[i]->identity->used_round = t->round;
    for (struct stats_identity **at = &t->identities; *at;) {
        struct stats_identity *i = *at;
        if (i->holders > 0 || i->used_round == t->round) {
            at = &i->next;
            continue;
        }
        *at = i->next;
        free(i);
    }
}

bool stats_table_emit(struct stats_table *t, struct stats_batch *b)
{
    struct emitting e = {t, b};
    if (!t->emitting)
        tell_refusals(t);
    t->emitting = true;
    while (t->emit_at < t->series_count) {
        if (is_full(&e))
            return false;
        visit(&e, &t->emit_at);
    }
    return true;
}

void stats_table_end_round(struct stats_table *t)
{
    forget_identities(t);
    stats_forget_metrics(t);
    t->emit_at = 0;
    t->emitting = false;
    t->round++;
}

static void refuse_row(struct stats_table *t, struct stats_series *s)
{
    stats_refuse(t, s->metric, STATS_BATCH_LIMIT);
    if (s->histogram)
        exphist_clear(s->histogram);
    s->value = 0;
    s->gathered = 0;
    s->news = false;
}

void stats_table_tell(struct stats_table *t, struct stats_batch *b, bool libweft_alone)
{
    struct emitting e = {t, b};
    for (size_t i = 0; i < t->series_count; i++) {
        struct stats_series *s = t->series[i];
        bool libweft = s->metric->origin == STATS_OF_LIBWEFT;
        if (!s->news || s->metric->type == METRIC_GAUGE || (libweft_alone && !libweft))
            continue;
        if (is_full(&e)) {
            if (libweft)
                refuse_row(t, s);
            continue;
        }
        s->news_round = t->round;
        put_row(&e, s);
        s->news = false;
    }
}

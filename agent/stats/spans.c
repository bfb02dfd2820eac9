// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/spans.h"

#include <stdlib.h>
#include <string.h>

#include "agent/stats/edges.h"

enum { PLACES_FIRST = 64, OPERATIONS_MAX = 1 << 16 };

static const struct stats_metric_info calls = {
    .name = "traces_span_metrics_calls_total",
    .help = "Spans that ended.",
    .type = METRIC_COUNTER,
    .naming = STATS_SERVICE_NAME,
};
static const struct stats_metric_info duration = {
    .name = "traces_span_metrics_duration_seconds",
    .unit = "seconds",
    .help = "How long spans took.",
    .type = METRIC_HISTOGRAM,
    .naming = STATS_SERVICE_NAME,
};

/* The series of one operation: spans of one name, kind and status. */
struct operation {
    uint64_t key;                          /* 0: a free place */
    struct stats_series *calls, *duration; /* NULL: refused so far */
    bool was_refused;                      /* one of them */
};

struct span_counts {
    struct stats_table *table;
    struct slab_reader *reader;
    struct stats_identity *identity;
    struct stats_metric *calls, *duration;
    struct edges edges;
    struct operation *places;   /* by key, open addressing */
    uint32_t place_count, used; /* a power of two */
};

/* ---- life -------------------------------------------------------------------------------- */

static struct batch_str text_of(const char *text)
{
    return (struct batch_str){text, (uint32_t)strlen(text)};
}

void span_counts_reserve(struct stats_table *t)
{
    stats_own_metric(t, &calls);
    stats_own_metric(t, &duration);
    edges_reserve(t);
}

struct span_counts *span_counts_create(struct stats_table *t, struct slab_reader *reader,
                                       const struct process_identity *identity)
{
    struct span_counts *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct span_counts){
        .table = t,
        .reader = reader,
        .identity = stats_identity_hold(t, text_of(identity->service), text_of(identity->version),
                                        text_of(identity->cell)),
        .calls = stats_own_metric(t, &calls),
        .duration = stats_own_metric(t, &duration),
        .places = calloc(PLACES_FIRST, sizeof *c->places),
        .place_count = PLACES_FIRST,
    };
    bool has_edges = edges_init(&c->edges, t, reader, identity->service) == 0;
    if (!c->identity || !c->places || !has_edges)
        span_counts_destroy(&c);
    return c;
}

void span_counts_destroy(struct span_counts **place)
{
    struct span_counts *c = *place;
    if (!c)
        return;
    stats_identity_release(c->table, c->identity);
    edges_fini(&c->edges);
    free(c->places);
    free(c);
    *place = NULL;
}

struct stats_identity *span_counts_identity(const struct span_counts *c)
{
    return c ? c->identity : NULL;
}

/* ---- operations -------------------------------------------------------------------------- */

/* As the connector spells them. */
static const char *const kinds[SPAN_KINDS] = {"SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
                                              "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER",
                                              "SPAN_KIND_CONSUMER"};

static struct batch_str status_text(unsigned status)
{
    if (status == SPAN_OK)
        return text_of("STATUS_CODE_OK");
    return text_of(status == SPAN_ERROR || status == SPAN_DIED ? "STATUS_CODE_ERROR"
                                                               : "STATUS_CODE_UNSET");
}

/* Those that are not there yet; each that is refused is counted. */
static void find_series(struct span_counts *c, struct operation *o, const struct slab_span *s,
                        unsigned status)
{
    size_t length;
    const char *name = slab_name(c->reader, s->name, &length);
    struct stats_label labels[4];
    uint32_t n = 0;
    if (status == SPAN_DIED)
        labels[n++] = (struct stats_label){{"died", 4}, {"true", 4}};
    labels[n++] = (struct stats_label){
        {"span_kind", 9}, text_of(kinds[s->kind < SPAN_KINDS ? s->kind : SPAN_INTERNAL])};
    if (name && length > 0)
        labels[n++] = (struct stats_label){{"span_name", 9}, {name, (uint32_t)length}};
    labels[n++] = (struct stats_label){{"status_code", 11}, status_text(status)};
    if (!o->calls)
        o->calls = stats_find(c->table, c->calls, c->identity, labels, n);
    if (!o->duration)
        o->duration = stats_find(c->table, c->duration, c->identity, labels, n);
}

/* What was refused is looked for again only when there is room. */
static void find_or_refuse(struct span_counts *c, struct operation *o, const struct slab_span *s,
                           unsigned status)
{
    if (!o->was_refused || stats_has_room(c->table, c->calls) ||
        stats_has_room(c->table, c->duration)) {
        find_series(c, o, s, status);
        o->was_refused = !o->calls || !o->duration;
        return;
    }
    if (!o->calls)
        stats_refuse(c->table, c->calls, STATS_SERIES_LIMIT);
    if (!o->duration)
        stats_refuse(c->table, c->duration, STATS_SERIES_LIMIT);
}

static struct operation *place_of(struct operation *places, uint32_t count, uint64_t key)
{
    uint32_t at = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (count - 1);
    while (places[at].key && places[at].key != key)
        at = (at + 1) & (count - 1);
    return &places[at];
}

static bool grow(struct span_counts *c)
{
    uint32_t count = 2 * c->place_count;
    struct operation *places = calloc(count, sizeof *places);
    if (!places)
        return false;
    for (uint32_t i = 0; i < c->place_count; i++)
        if (c->places[i].key)
            *place_of(places, count, c->places[i].key) = c->places[i];
    free(c->places);
    c->places = places;
    c->place_count = count;
    return true;
}

static uint64_t key_of(uint32_t name, const struct slab_span *s, unsigned status)
{
    return ((uint64_t)name << 16 | (uint64_t)s->kind << 8 | status) + 1;
}

/* NULL: no room for one more. Numbers that name nothing are one operation. */
static struct operation *operation_of(struct span_counts *c, const struct slab_span *s,
                                      unsigned status)
{
    size_t length;
    uint64_t key = key_of(s->name, s, status);
    struct operation *o = place_of(c->places, c->place_count, key);
    if (o->key)
        return o;
    if (!slab_name(c->reader, s->name, &length)) {
        key = key_of(0, s, status);
        o = place_of(c->places, c->place_count, key);
        if (o->key)
            return o;
    }
    if (c->used == OPERATIONS_MAX)
        return NULL;
    if (c->used >= c->place_count / 2) {
        if (!grow(c))
            return NULL;
        o = place_of(c->places, c->place_count, key);
    }
    c->used++;
    o->key = key;
    return o;
}

/* ---- a span ------------------------------------------------------------------------------ */

void span_counts_add(struct span_counts *c, const struct slab_record *record,
                     const struct batch_span *span)
{
    if (!c)
        return;
    struct operation *o = operation_of(c, &record->span, span->status);
    double seconds = (double)span->duration_ns / 1e9;
    struct stats_exemplar behind = {.unix_ns = span->start_unix_ns + span->duration_ns,
                                    .span_id = span->span_id,
                                    .trace_id = span->trace_id,
                                    .value = seconds};
    if (!o) {
        stats_refuse(c->table, c->calls, STATS_SERIES_LIMIT);
        stats_refuse(c->table, c->duration, STATS_SERIES_LIMIT);
    } else {
        if (!o->calls || !o->duration)
            find_or_refuse(c, o, &record->span, span->status);
        stats_count(o->calls, 1);
        stats_record(o->duration, seconds, 1);
        stats_behind(o->duration, &behind);
    }
    if (span->kind != SPAN_INTERNAL)
        edges_add(&c->edges, record, span, &behind);
}

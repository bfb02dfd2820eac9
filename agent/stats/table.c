// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/table.h"

#include <stdlib.h>
#include <string.h>

#include "agent/stats/table_internal.h"
#include "lib/base/log.h"

enum { BUCKETS_FIRST = 1024 };

/* ---- life -------------------------------------------------------------------------------- */

struct stats_table *stats_table_create(const struct stats_options *options)
{
    struct stats_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->options = *options;
    t->bucket_count = BUCKETS_FIRST;
    t->buckets = calloc(t->bucket_count, sizeof(struct stats_series *));
    t->round = 1;
    if (!t->buckets)
        stats_table_destroy(&t);
    return t;
}

static void free_series(struct stats_series *s)
{
    if (s->histogram)
        exphist_fini(s->histogram);
    free(s->histogram);
    free(s->exemplars);
    free(s);
}

static void free_metric(struct stats_metric *m)
{
    free(m->unit);
    free(m->help);
    free(m);
}

void stats_table_destroy(struct stats_table **place)
{
    struct stats_table *t = *place;
    if (!t)
        return;
    for (size_t i = 0; i < t->series_count; i++)
        free_series(t->series[i]);
    for (uint32_t i = 0; i < t->metric_count; i++)
        free_metric(t->metrics[i]);
    while (t->identities) {
        struct stats_identity *next = t->identities->next;
        free(t->identities);
        t->identities = next;
    }
    free((void *)t->series);
    free((void *)t->metrics);
    free((void *)t->buckets);
    free(t);
    *place = NULL;
}

/* ---- texts ------------------------------------------------------------------------------- */

/* Copies a text to *at and moves it on. */
static struct batch_str keep(char **at, struct batch_str text)
{
    struct batch_str kept = {*at, text.length};
    if (text.length)
        memcpy(*at, text.bytes, text.length);
    *at += text.length;
    return kept;
}

/* ---- hashes ------------------------------------------------------------------------------ */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    return hash ^ (hash >> 29);
}

/* ---- identities -------------------------------------------------------------------------- */

struct stats_identity *stats_identity_hold(struct stats_table *t, struct batch_str service,
                                           struct batch_str version, struct batch_str cell)
{
    for (struct stats_identity *i = t->identities; i; i = i->next) {
        if (batch_str_equal(i->service, service) && batch_str_equal(i->version, version) &&
            batch_str_equal(i->cell, cell)) {
            i->holders++;
            return i;
        }
    }
    struct stats_identity *i = calloc(1, sizeof *i + service.length + version.length + cell.length);
    if (!i)
        return NULL;
    char *at = (char *)(i + 1);
    i->service = keep(&at, service);
    i->version = keep(&at, version);
    i->cell = keep(&at, cell);
    i->holders = 1;
    i->next = t->identities;
    t->identities = i;
    return i;
}

void stats_identity_release(struct stats_table *t, struct stats_identity *identity)
{
    if (identity && --identity->holders == 0)
        identity->idle_since = t->round;
}

/* ---- metrics ----------------------------------------------------------------------------- */

_Static_assert((STATS_METRICS_MAX & (STATS_METRICS_MAX - 1)) == 0, "a power of two");

static struct stats_metric **names_of(struct stats_table *t, struct batch_str name)
{
    uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), name.bytes, name.length);
    return &t->names[hash & (STATS_METRICS_MAX - 1)];
}

static struct stats_metric *add_metric(struct stats_table *t, struct batch_str name)
{
    if (t->metric_count == t->metric_capacity) {
        uint32_t capacity = t->metric_capacity ? 2 * t->metric_capacity : 64;
        struct stats_metric **metrics =
            realloc((void *)t->metrics, capacity * sizeof(struct stats_metric *));
        if (!metrics)
            return NULL;
        t->metrics = metrics;
        t->metric_capacity = capacity;
    }
    struct stats_metric *m = calloc(1, sizeof *m + name.length);
    if (!m)
        return NULL;
    char *at = (char *)(m + 1);
    m->name = keep(&at, name);
    m->asked_round = t->round;
    struct stats_metric **place = names_of(t, name);
    m->next = *place;
    *place = m;
    t->metrics[t->metric_count++] = m;
    return m;
}

static void describe(char **place, struct batch_str text)
{
    if (!*place && text.length > 0 && text.length <= STATS_TEXT_MAX)
        *place = strndup(text.bytes, text.length);
}

void stats_describe(struct stats_metric *metric, struct batch_str unit, struct batch_str help)
{
    if (!metric)
        return;
    describe(&metric->unit, unit);
    describe(&metric->help, help);
}

static struct stats_metric *find_metric(struct stats_table *t, struct batch_str name)
{
    for (struct stats_metric *m = *names_of(t, name); m; m = m->next)
        if (!m->ousted && batch_str_equal(m->name, name))
            return m;
    return NULL;
}

static bool is_forgotten(const struct stats_table *t, const struct stats_metric *m)
{
    return m->series == 0 && m->origin != STATS_OWN &&
           (m->ousted || t->round - m->asked_round > STATS_METRIC_ROUNDS) &&
           memcmp(m->refused.count, m->refused.told, sizeof m->refused.count) == 0;
}

void stats_forget_metrics(struct stats_table *t)
{
    for (uint32_t i = 0; i < t->metric_count;) {
        struct stats_metric *m = t->metrics[i], **at = names_of(t, m->name);
        if (!is_forgotten(t, m)) {
            i++;
            continue;
        }
        while (*at != m)
            at = &(*at)->next;
        *at = m->next;
        t->metrics[i] = t->metrics[--t->metric_count];
        free_metric(m);
    }
}

static struct stats_metric *make_metric(struct stats_table *t, struct batch_str name,
                                        enum metric_type type, enum stats_naming naming,
                                        enum stats_origin origin)
{
    bool has_place = t->metric_count < STATS_METRICS_MAX || origin == STATS_OWN;
    struct stats_metric *m = NULL;
    if (has_place && name.length > 0 && name.length <= STATS_TEXT_MAX)
        m = add_metric(t, name);
    if (!m) {
        LOG_WARN_EVERY("metric %.*s is refused: %u metrics are the most",
                       (int)(name.length < STATS_TEXT_MAX ? name.length : STATS_TEXT_MAX),
                       name.bytes, STATS_METRICS_MAX);
        stats_refuse(t, NULL, has_place ? STATS_NO_MEMORY : STATS_METRIC_LIMIT);
        return NULL;
    }
    m->type = type;
    m->naming = naming;
    m->origin = origin;
    return m;
}

static void refuse_metric(struct stats_table *t, struct stats_metric *m, enum metric_type type)
{
    bool own = m->origin == STATS_OWN;
    if (own)
        LOG_WARN_EVERY("metric %.*s is the agent's own: what others count under this name is "
                       "refused",
                       (int)m->name.length, m->name.bytes);
    else
        LOG_WARN_EVERY("metric %.*s is counted as a %s here and as a %s there: the latter is "
                       "refused",
                       (int)m->name.length, m->name.bytes, metric_type_name(m->type),
                       metric_type_name(type));
    stats_refuse(t, m, own ? STATS_OWN_NAME : STATS_OTHER_TYPE);
}

static struct stats_metric *metric_of(struct stats_table *t, struct batch_str name,
                                      enum metric_type type, enum stats_naming naming,
                                      enum stats_origin origin)
{
    struct stats_metric *m = find_metric(t, name);
    if (!m)
        return make_metric(t, name, type, naming, origin);
    m->asked_round = t->round;
    if (m->origin == STATS_OWN && origin != STATS_OWN) {
        refuse_metric(t, m, type);
        return NULL;
    }
    if (m->type == type && m->naming == naming) {
        m->origin = origin > m->origin ? origin : m->origin;
        return m;
    }
    if (origin <= m->origin) {
        refuse_metric(t, m, type);
        return NULL;
    }
    LOG_WARN("metric %.*s was counted as a %s by others, and is a %s from now on", (int)name.length,
             name.bytes, metric_type_name(m->type), metric_type_name(type));
    m->ousted = true;
    return make_metric(t, name, type, naming, origin);
}

/* What the agent says of itself (agent/report.h) goes past the table: its names are kept free by
 * how they begin. */
static bool is_reserved(struct batch_str name)
{
    static const char prefix[] = "weft_agent_";
    return name.length >= sizeof prefix - 1 && memcmp(name.bytes, prefix, sizeof prefix - 1) == 0;
}

struct stats_metric *stats_metric(struct stats_table *t, struct batch_str name,
                                  enum metric_type type, enum stats_origin origin)
{
    if (is_reserved(name) && origin != STATS_OWN && !find_metric(t, name)) {
        LOG_WARN_EVERY("metric %.*s: names that begin with weft_agent_ are the agent's own",
                       (int)(name.length < STATS_TEXT_MAX ? name.length : STATS_TEXT_MAX),
                       name.bytes);
        stats_refuse(t, NULL, STATS_OWN_NAME);
        return NULL;
    }
    return metric_of(t, name, type, STATS_SERVICE, origin);
}

static struct batch_str text_of(const char *text)
{
    return (struct batch_str){text ? text : "", text ? (uint32_t)strlen(text) : 0};
}

struct stats_metric *stats_own_metric(struct stats_table *t, const struct stats_metric_info *info)
{
    struct stats_metric *m = metric_of(t, text_of(info->name), info->type, info->naming, STATS_OWN);
    stats_describe(m, text_of(info->unit), text_of(info->help));
    return m;
}

/* ---- refusals ---------------------------------------------------------------------------- */

const char *stats_refusal_name(enum stats_refusal reason)
{
    static const char *const names[STATS_REFUSALS] = {
        [STATS_SERIES_LIMIT] = "series_limit", [STATS_METRIC_LIMIT] = "metric_limit",
        [STATS_OTHER_TYPE] = "other_type",     [STATS_OWN_NAME] = "own_name",
        [STATS_BAD_LABELS] = "bad_labels",     [STATS_NO_MEMORY] = "no_memory",
        [STATS_BATCH_LIMIT] = "batch_limit"};
    return names[reason];
}

void stats_refuse(struct stats_table *t, struct stats_metric *metric, enum stats_refusal reason)
{
    t->refused++;
    if (!metric)
        t->unnamed.count[reason]++;
    else if (metric->refused.count[reason]++ == 0 && reason == STATS_SERIES_LIMIT)
        LOG_WARN("metric %.*s has %u series, the most that series-per-metric allows: further ones "
                 "are refused",
                 (int)metric->name.length, metric->name.bytes, metric->series);
}

bool stats_has_room(const struct stats_table *t, const struct stats_metric *metric)
{
    return metric && metric->series < t->options.series_max;
}

/* ---- series ------------------------------------------------------------------------------ */

static uint64_t hash_of(const struct stats_metric *metric, const struct stats_identity *identity,
                        const struct stats_label *labels, uint32_t count)
{
    uint64_t hash = (uintptr_t)metric * UINT64_C(0x9e3779b97f4a7c15) ^ (uintptr_t)identity;
    for (uint32_t i = 0; i < count; i++) {
        hash = hash_bytes(hash, labels[i].name.bytes, labels[i].name.length);
        hash = hash_bytes(hash, labels[i].value.bytes, labels[i].value.length);
    }
    return hash;
}

static bool is_it(const struct stats_series *s, uint64_t hash, const struct stats_metric *metric,
                  const struct stats_identity *identity, const struct stats_label *labels,
                  uint32_t count)
{
    if (s->hash != hash || s->metric != metric || s->identity != identity ||
        s->label_count != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!batch_str_equal(s->labels[i].name, labels[i].name) ||
            !batch_str_equal(s->labels[i].value, labels[i].value))
            return false;
    return true;
}

static bool labels_are_sound(const struct stats_label *labels, uint32_t count)
{
    if (count > STATS_LABELS_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (labels[i].name.length > STATS_TEXT_MAX || labels[i].value.length > STATS_TEXT_MAX)
            return false;
    return true;
}

static struct stats_series *make_series(const struct stats_label *labels, uint32_t count,
                                        enum metric_type type)
{
    size_t bytes = count * sizeof *labels;
    for (uint32_t i = 0; i < count; i++)
        bytes += labels[i].name.length + labels[i].value.length;
    struct stats_series *s = calloc(1, sizeof *s + bytes);
    if (!s)
        return NULL;
    char *at = (char *)(s->labels + count);
    for (uint32_t i = 0; i < count; i++) {
        s->labels[i].name = keep(&at, labels[i].name);
        s->labels[i].value = keep(&at, labels[i].value);
    }
    s->label_count = count;
    if (type == METRIC_HISTOGRAM) {
        s->histogram = malloc(sizeof *s->histogram);
        if (!s->histogram) {
            free(s);
            return NULL;
        }
        exphist_init(s->histogram, 0);
    }
    return s;
}

static void grow_buckets(struct stats_table *t)
{
    uint32_t count = 2 * t->bucket_count;
    struct stats_series **buckets = calloc(count, sizeof(struct stats_series *));
    if (!buckets)
        return; /* longer chains do as well */
    for (size_t i = 0; i < t->series_count; i++) {
        struct stats_series *s = t->series[i];
        s->next = buckets[s->hash & (count - 1)];
        buckets[s->hash & (count - 1)] = s;
    }
    free((void *)t->buckets);
    t->buckets = buckets;
    t->bucket_count = count;
}

static bool reserve_series(struct stats_table *t)
{
    if (t->series_count < t->series_capacity)
        return true;
    size_t capacity = t->series_capacity ? 2 * t->series_capacity : 256;
    struct stats_series **series =
        realloc((void *)t->series, capacity * sizeof(struct stats_series *));
    if (!series)
        return false;
    t->series = series;
    t->series_capacity = capacity;
    return true;
}

struct stats_series *stats_find(struct stats_table *t, struct stats_metric *metric,
                                struct stats_identity *identity, const struct stats_label *labels,
                                uint32_t count)
{
    if (!metric)
        return NULL;
    uint64_t hash = hash_of(metric, identity, labels, count);
    for (struct stats_series *s = t->buckets[hash & (t->bucket_count - 1)]; s; s = s->next)
        if (is_it(s, hash, metric, identity, labels, count))
            return s;
    bool has_room = stats_has_room(t, metric), sound = labels_are_sound(labels, count);
    struct stats_series *s =
        has_room && sound && reserve_series(t) ? make_series(labels, count, metric->type) : NULL;
    if (!s) {
        stats_refuse(t, metric,
                     !has_room ? STATS_SERIES_LIMIT
                     : !sound  ? STATS_BAD_LABELS
                               : STATS_NO_MEMORY);
        return NULL;
    }
    s->hash = hash;
    s->metric = metric;
    s->identity = identity;
    s->news_round = t->round;
    metric->series++;
    s->next = t->buckets[hash & (t->bucket_count - 1)];
    t->buckets[hash & (t->bucket_count - 1)] = s;
    s->number = t->next_number++;
    t->series[t->series_count++] = s;
    if (t->series_count > t->bucket_count)
        grow_buckets(t);
    return s;
}

static void unlink_series(struct stats_table *t, struct stats_series *s)
{
    struct stats_series **at = &t->buckets[s->hash & (t->bucket_count - 1)];
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
}

void stats_drop_series(struct stats_table *t, size_t i)
{
    struct stats_series *s = t->series[i];
    unlink_series(t, s);
    s->metric->series--;
    t->series[i] = t->series[--t->series_count];
    free_series(s);
}

void stats_table_stats(const struct stats_table *t, struct stats_table_stats *out)
{
    *out = (struct stats_table_stats){t->series_count, t->metric_count, t->refused};
}

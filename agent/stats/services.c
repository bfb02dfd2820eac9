// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/services.h"

#include <stdlib.h>
#include <string.h>

#include "agent/stats/table_internal.h"
#include "lib/base/log.h"

enum { INTERVAL_MS = 10000 };

struct service {
    char *name;
    uint64_t requests, errors;
    struct exphist current, last; /* of this interval, of the one before */
};

struct services {
    struct service list[SERVICES_MAX];
    uint32_t count;
    int64_t interval_ends_ms; /* 0: none began */
};

struct services *services_create(void)
{
    return calloc(1, sizeof(struct services));
}

void services_destroy(struct services **place)
{
    struct services *s = *place;
    if (!s)
        return;
    for (uint32_t i = 0; i < s->count; i++) {
        free(s->list[i].name);
        exphist_fini(&s->list[i].current);
        exphist_fini(&s->list[i].last);
    }
    free(s);
    *place = NULL;
}

static struct service *service_of(struct services *s, struct batch_str name)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (batch_str_is(name, s->list[i].name))
            return &s->list[i];
    if (s->count == SERVICES_MAX) {
        LOG_WARN_EVERY("more than %d services: summaries leave out %.*s", SERVICES_MAX,
                       (int)name.length, name.bytes);
        return NULL;
    }
    struct service *service = &s->list[s->count];
    service->name = strndup(name.bytes, name.length);
    if (!service->name)
        return NULL;
    exphist_init(&service->current, 0);
    exphist_init(&service->last, 0);
    s->count++;
    return service;
}

static bool has_label(const struct stats_series *series, const char *name, const char *value)
{
    for (uint32_t i = 0; i < series->label_count; i++)
        if (batch_str_is(series->labels[i].name, name))
            return batch_str_is(series->labels[i].value, value);
    return false;
}

static bool is_request(const struct stats_series *series)
{
    return has_label(series, "span_kind", "SPAN_KIND_SERVER") ||
           has_label(series, "span_kind", "SPAN_KIND_CONSUMER");
}

/* Of a series that was not told since the last call only the count is right: the values that came
 * since then are not in the quantiles. */
static void add(struct services *s, struct stats_series *series)
{
    uint64_t fresh = series->histogram->count - series->gathered;
    struct service *service = service_of(s, series->identity->service);
    if (!service)
        return;
    service->requests += fresh;
    if (has_label(series, "status_code", "STATUS_CODE_ERROR"))
        service->errors += fresh;
    if (series->gathered == 0)
        exphist_merge(&service->current, series->histogram);
    series->gathered = series->histogram->count;
}

static void end_interval(struct services *s, int64_t now_ms)
{
    if (now_ms < s->interval_ends_ms)
        return;
    s->interval_ends_ms = now_ms + INTERVAL_MS;
    for (uint32_t i = 0; i < s->count; i++) {
        struct exphist spare = s->list[i].last;
        s->list[i].last = s->list[i].current;
        s->list[i].current = spare;
        exphist_clear(&s->list[i].current);
    }
}

void services_gather(struct services *s, const struct stats_table *t, int64_t now_ms)
{
    const struct stats_metric *durations = NULL;
    if (!s)
        return;
    end_interval(s, now_ms);
    for (uint32_t i = 0; i < t->metric_count && !durations; i++)
        if (batch_str_is(t->metrics[i]->name, "traces_span_metrics_duration_seconds"))
            durations = t->metrics[i];
    for (size_t i = 0; durations && i < t->series_count; i++) {
        struct stats_series *series = t->series[i];
        if (series->metric == durations && series->news && series->histogram && series->identity &&
            series->identity->service.length > 0 && is_request(series))
            add(s, series);
    }
}

uint32_t services_count(const struct services *s)
{
    return s ? s->count : 0;
}

void services_get(const struct services *s, uint32_t i, struct service_summary *out)
{
    const struct service *service = &s->list[i];
    bool measured = service->last.count > 0;
    *out = (struct service_summary){
        .service = service->name,
        .requests = service->requests,
        .errors = service->errors,
        .measured = measured,
        .p50_seconds = measured ? exphist_quantile(&service->last, 0.5) : 0,
        .p99_seconds = measured ? exphist_quantile(&service->last, 0.99) : 0,
    };
}

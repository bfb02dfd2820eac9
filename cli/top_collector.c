// SPDX-License-Identifier: Apache-2.0
#include "cli/top_collector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"
#include "cli/caches_find.h"
#include "lib/base/clock.h"

enum { LIST_MOST = 1000, TIMEOUT_S = 10 };

static double number(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double zero_if_unknown(double value)
{
    return isnan(value) ? 0 : value;
}

static void set_text(struct top_table *t, struct top_row *row, const char *column,
                     const json_t *object, const char *field)
{
    const char *text = api_text(object, field);
    top_set_text(t, row, column, text, strlen(text));
}

/* ---- caches ------------------------------------------------------------------------------- */

static void take_cache(struct top_table *t, const json_t *cache)
{
    static const char *const same[] = {"commands_per_s", "errors_per_s", "p50_seconds",
                                       "p99_seconds",    "p999_seconds", "distinct_keys",
                                       "peak_ratio"};
    struct top_row *row = top_table_add(t);
    const json_t *hottest = json_object_get(cache, "hottest");
    if (!row)
        return;
    row->id = api_number(cache, "id");
    set_text(t, row, "cache", cache, "address");
    set_text(t, row, "host", cache, "host");
    set_text(t, row, "protocol", cache, "protocol");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        top_set_number(t, row, same[i], number(cache, same[i]));
    top_set_number(t, row, "miss_share", 1 - number(cache, "hit_rate"));
    top_set_number(t, row, "bytes_per_s",
                   number(cache, "request_bytes_per_s") + number(cache, "reply_bytes_per_s"));
    if (hottest) {
        set_text(t, row, "hottest", hottest, "key");
        top_set_number(t, row, "hottest_share", number(hottest, "share"));
    }
}

/* Of all caches' the key with most calls. */
static void find_hottest(struct top_table *t, const json_t *caches)
{
    size_t i;
    json_t *cache;
    double most = 0;
    json_array_foreach(caches, i, cache)
    {
        const json_t *hottest = json_object_get(cache, "hottest");
        double calls = number(hottest, "calls");
        if (!(calls > most))
            continue;
        most = calls;
        top_set_hottest(t, api_text(hottest, "key"), api_text(cache, "address"),
                        number(hottest, "share"), NAN);
    }
}

static double seconds_between(const json_t *answer, const char *from, const char *to)
{
    uint64_t begin_ns = api_unix_ns(answer, from), end_ns = api_unix_ns(answer, to);
    return end_ns > begin_ns ? (double)(end_ns - begin_ns) / 1e9 : NAN;
}

void top_collector_take_caches(struct top_table *t, const json_t *answer)
{
    size_t i;
    json_t *cache;
    double sum = 0;
    json_array_foreach(json_object_get(answer, "caches"), i, cache)
    {
        take_cache(t, cache);
        sum += zero_if_unknown(number(cache, "commands_per_s"));
    }
    if (t->count > 0)
        t->totals.per_second = sum;
    t->totals.seconds = seconds_between(answer, "start_unix_ns", "end_unix_ns");
    find_hottest(t, json_object_get(answer, "caches"));
}

/* ---- keys, patterns, clients ---------------------------------------------------------------- */

/* Of a key that is longer than what taps tell, the rest is a sign. */
static void set_name(struct top_table *t, struct top_row *row, const json_t *entry)
{
    char text[1024];
    snprintf(text, sizeof text, "%s%s", api_text(entry, "key"),
             json_object_get(entry, "length") ? "…" : "");
    top_set_text(t, row, top_view_info(t->view)->columns[0].name, text, strlen(text));
}

static void take_entry(struct top_table *t, const json_t *entry, double seconds, double commands)
{
    struct top_row *row = top_table_add(t);
    double calls = number(entry, "calls"), bytes = number(entry, "bytes");
    if (!row)
        return;
    set_name(t, row, entry);
    top_set_number(t, row, "calls", calls);
    top_set_number(t, row, "misses", number(entry, "misses"));
    top_set_number(t, row, "size_bytes", calls > 0 ? bytes / calls : NAN);
    top_set_number(t, row, "requests_per_s", calls / seconds);
    top_set_number(t, row, "bytes_per_s", bytes / seconds);
    top_set_number(t, row, "share", commands > 0 ? calls / commands : number(entry, "share"));
    top_set_number(t, row, "error", number(entry, "error"));
}

void top_collector_take_list(struct top_table *t, const json_t *answer)
{
    size_t i;
    json_t *entry;
    struct top_totals *n = &t->totals;
    bool by_calls = strcmp(api_text(answer, "by"), "calls") == 0;
    double calls = by_calls ? number(answer, "total") : number(answer, "commands");
    n->seconds = seconds_between(answer, "from_unix_ns", "to_unix_ns");
    n->per_second = calls / n->seconds;
    n->distinct = number(answer, "distinct_keys");
    n->rest = number(answer, "rest");
    n->error_most = 0;
    json_array_foreach(json_object_get(answer, top_view_info(t->view)->name), i, entry)
    {
        take_entry(t, entry, n->seconds, calls);
        n->error_most = fmax(n->error_most, zero_if_unknown(number(entry, "error")));
        if (i == 0 && t->view == TOP_KEYS && by_calls)
            top_set_hottest(t, api_text(entry, "key"), "", number(entry, "share"),
                            number(entry, "calls") / n->seconds);
    }
}

/* ---- services ------------------------------------------------------------------------------- */

static struct top_row *row_of(struct top_table *t, const char *service)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(top_text_of(t, &t->rows[i], "service"), service) == 0)
            return &t->rows[i];
    struct top_row *row = top_table_add(t);
    top_set_text(t, row, "service", service, strlen(service));
    return row;
}

void top_collector_take_services(struct top_table *t, const char *column, const json_t *answer)
{
    size_t i;
    json_t *series;
    const json_t *result = json_object_get(json_object_get(answer, "data"), "result");
    json_array_foreach(result, i, series)
    {
        const char *service = api_text(json_object_get(series, "metric"), "service_name");
        const char *value = json_string_value(json_array_get(json_object_get(series, "value"), 1));
        if (value)
            top_set_number(t, row_of(t, service), column, strtod(value, NULL));
    }
}

void top_collector_end_services(struct top_table *t, double seconds)
{
    double sum = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct top_row *row = &t->rows[i];
        double requests = top_number_of(t, row, "requests_per_s"),
               errors = zero_if_unknown(top_number_of(t, row, "errors_per_s"));
        top_set_number(t, row, "errors_per_s", errors);
        top_set_number(t, row, "error_share", requests > 0 ? errors / requests : NAN);
        top_set_number(t, row, "requests", requests * seconds);
        sum += zero_if_unknown(requests);
    }
    if (t->count > 0)
        t->totals.per_second = sum;
    t->totals.seconds = seconds;
}

#define REQUESTS  "span_kind=~\"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER\""
#define CALLS     "sum by (service_name) (rate(traces_span_metrics_calls_total{" REQUESTS
#define DURATIONS "sum by (service_name) (rate(traces_span_metrics_duration_seconds{" REQUESTS

/* A column of services: what stands in PromQL before the range and behind it. */
static const struct {
    const char *column, *before, *behind;
} asked[] = {
    {"requests_per_s", CALLS "}", "))"},
    {"errors_per_s", CALLS ",status_code=\"STATUS_CODE_ERROR\"}", "))"},
    {"p50_seconds", "histogram_quantile(0.5, " DURATIONS "}", ")))"},
    {"p99_seconds", "histogram_quantile(0.99, " DURATIONS "}", ")))"},
};

static json_t *ask_promql(const char *query, char *why)
{
    char path[2048] = "/api/v1/query?query=";
    api_escape(path, sizeof path, query);
    return api_get(NULL, path, why, TOP_WHY);
}

static int ask_services(const struct top_question *q, struct top_table *t, char *why)
{
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char query[512];
        snprintf(query, sizeof query, "%s[%.0fs]%s", asked[i].before, q->seconds, asked[i].behind);
        json_t *answer = ask_promql(query, why);
        if (!answer)
            return -1;
        top_collector_take_services(t, asked[i].column, answer);
        json_decref(answer);
    }
    top_collector_end_services(t, q->seconds);
    return 0;
}

/* ---- losses --------------------------------------------------------------------------------- */

static double sum_of(const char *metric)
{
    char query[128], why[TOP_WHY];
    snprintf(query, sizeof query, "sum(%s)", metric);
    json_t *answer = ask_promql(query, why);
    const json_t *result = json_object_get(json_object_get(answer, "data"), "result");
    const char *value =
        json_string_value(json_array_get(json_object_get(json_array_get(result, 0), "value"), 1));
    double sum = value ? strtod(value, NULL) : NAN;
    json_decref(answer);
    return sum;
}

static void ask_lost_spans(struct top_table *t)
{
    char why[TOP_WHY];
    size_t i;
    json_t *loss, *answer = api_get(NULL, "/api/v1/status", why, sizeof why);
    if (!answer)
        return;
    t->totals.lost_spans = 0;
    json_array_foreach(json_object_get(answer, "losses"), i, loss) t->totals.lost_spans +=
        zero_if_unknown(number(loss, "count"));
    json_decref(answer);
}

static void ask_losses(struct top_table *t)
{
    if (t->view == TOP_SERVICES) {
        ask_lost_spans(t);
        return;
    }
    t->totals.lost_packets = sum_of("weft_tap_dropped_packets_total");
    t->totals.lost_reports = sum_of("weft_tap_dropped_reports_total");
}

/* ---- the source ----------------------------------------------------------------------------- */

static int ask_caches(const struct top_question *q, struct top_table *t, char *why)
{
    static const char *const by[] = {"calls", "bytes", "misses"};
    char path[512];
    long long id = 0;
    if (t->view == TOP_CACHES) {
        snprintf(path, sizeof path, "/api/v1/caches?range=%.0fs", q->seconds);
    } else {
        if (*q->cache && (id = caches_find(q->cache, why, TOP_WHY)) == 0)
            return -1;
        int n = snprintf(path, sizeof path, "/api/v1/caches%s", id ? "/" : "");
        if (id)
            n += snprintf(path + n, sizeof path - (size_t)n, "%lld", id);
        n += snprintf(path + n, sizeof path - (size_t)n, "/%s?range=%.0fs&limit=%d",
                      top_view_info(t->view)->name, q->seconds, LIST_MOST);
        if (t->view == TOP_KEYS)
            snprintf(path + n, sizeof path - (size_t)n, "&by=%s", by[q->by]);
    }
    json_t *answer = api_get(NULL, path, why, TOP_WHY);
    if (!answer)
        return -1;
    (t->view == TOP_CACHES ? top_collector_take_caches : top_collector_take_list)(t, answer);
    json_decref(answer);
    return 0;
}

static int ask(void *context, const struct top_question *q, struct top_table *out, char *why)
{
    (void)context;
    out->unix_ns = clock_unix_ns();
    int result = q->view == TOP_SERVICES ? ask_services(q, out, why) : ask_caches(q, out, why);
    if (result == 0)
        ask_losses(out);
    return result;
}

static void close_none(void *context)
{
    (void)context;
}

void top_collector_open(struct top_source *source)
{
    api_set_timeout(TIMEOUT_S);
    *source = (struct top_source){.name = api_base_url(NULL), .ask = ask, .close = close_none};
}

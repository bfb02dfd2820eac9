// SPDX-License-Identifier: Apache-2.0
#include "collector/query/cache_series.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "collector/query/promql/promql.h"

enum { QUERY_BYTES = 64 << 20, RANGE_LEAST_MS = 5000 };

#define FIELD(name) offsetof(struct cache_series, name)
#define BY          "sum by (host, cache, protocol) "
#define RATE(name)  BY "(rate(weft_cache_" name "_total"
#define QUANTILE(q) "histogram_quantile(" q ", " BY "(rate(weft_cache_service_seconds"

static const struct {
    size_t field;
    const char *before, *after; /* the range stands between */
} queries[] = {
    {FIELD(commands_per_s), RATE("commands"), "))"},
    {FIELD(hits_per_s), RATE("hits"), "))"},
    {FIELD(misses_per_s), RATE("misses"), "))"},
    {FIELD(errors_per_s), RATE("errors"), "))"},
    {FIELD(request_bytes_per_s), RATE("request_bytes"), "))"},
    {FIELD(reply_bytes_per_s), RATE("reply_bytes"), "))"},
    {FIELD(p50_seconds), QUANTILE("0.5"), ")))"},
    {FIELD(p99_seconds), QUANTILE("0.99"), ")))"},
    {FIELD(p999_seconds), QUANTILE("0.999"), ")))"},
};
enum { QUERIES = sizeof queries / sizeof *queries };

static bool is_of(const struct labels *l, const struct cache_view *c)
{
    return batch_str_is(labels_get_text(l, "host"), c->host) &&
           batch_str_is(labels_get_text(l, "cache"), c->address) &&
           batch_str_is(labels_get_text(l, "protocol"), c->protocol);
}

static void take(const struct promql_result *result, size_t field, const struct cache_view *caches,
                 uint32_t count, struct cache_series *out)
{
    for (size_t i = 0; i < result->series_count; i++) {
        const struct promql_series *s = &result->series[i];
        for (uint32_t k = 0; k < count; k++)
            if (s->count == 1 && is_of(&s->labels, &caches[k]))
                memcpy((char *)&out[k] + field, &s->value[0], sizeof s->value[0]);
    }
}

static int ask(const struct cache_series_question *q, int which, struct promql_result *result)
{
    struct arena arena;
    struct promql_query *query;
    struct language_error error;
    struct buffer text = {0};
    struct promql_options options = {.start_ms = q->to_unix_ms,
                                     .end_ms = q->to_unix_ms,
                                     .memory_bytes_max = QUERY_BYTES,
                                     .deadline_ns = q->deadline_ns};
    int64_t range_ms = q->to_unix_ms - q->from_unix_ms;
    int status = -1;
    arena_init(&arena, 16 << 10);
    buffer_printf(&text, "%s[%" PRId64 "ms]%s", queries[which].before,
                  range_ms > RANGE_LEAST_MS ? range_ms : RANGE_LEAST_MS, queries[which].after);
    if (!text.failed &&
        promql_parse(&arena, text.data, text.length, &query, &error) == LANGUAGE_SOUND) {
        status = promql_evaluate(query, q->source, &options, result);
        if (status != PROMQL_OK)
            promql_result_fini(result);
    }
    arena_fini(&arena);
    buffer_fini(&text);
    return status == PROMQL_OK ? 0 : -1;
}

int cache_series_ask(const struct cache_series_question *q, const struct cache_view *caches,
                     uint32_t count, struct cache_series *out)
{
    struct promql_result result;
    for (uint32_t k = 0; k < count; k++)
        out[k] = (struct cache_series){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    for (int i = 0; i < QUERIES && count > 0; i++) {
        if (ask(q, i, &result) != 0)
            return -1;
        take(&result, queries[i].field, caches, count, out);
        promql_result_fini(&result);
    }
    return 0;
}

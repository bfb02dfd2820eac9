// SPDX-License-Identifier: Apache-2.0
#include "collector/query/verdict/measure.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collector/query/promql/print.h"
#include "collector/query/promql/promql.h"

enum { RANGE_LEAST_MS = 4000, CPU_RANGE_LEAST_MS = 20000 };
enum { QUERY_BYTES = 64 << 20 };

/* ---- selectors --------------------------------------------------------------------------- */

static void put_matcher(struct buffer *out, const char *name, const char *value)
{
    buffer_printf(out, "%s=", name);
    promql_print_text(out, (struct batch_str){value, (uint32_t)strlen(value)});
    buffer_byte(out, ',');
}

/* METRIC{service, version, cell, MORE} */
static void put_selector(struct buffer *out, const struct measured *m, const char *metric,
                         const char *service_label, const char *more)
{
    const struct mark *d = m->question->deploy;
    buffer_printf(out, "%s{", metric);
    put_matcher(out, service_label, d->service);
    if (m->version)
        put_matcher(out, "version", m->version);
    if (!m->question->all_cells)
        put_matcher(out, "cell", d->cell);
    buffer_printf(out, "%s}", more);
}

static const char *kind_matcher(const struct measured *m)
{
    return m->all_kinds ? "" : "span_kind=~\"SPAN_KIND_(SERVER|CONSUMER)\"";
}

static void put_calls_rate(struct buffer *out, const struct measured *m, const char *more)
{
    char matchers[128];
    int64_t range = m->interval_ms > RANGE_LEAST_MS ? m->interval_ms : RANGE_LEAST_MS;
    snprintf(matchers, sizeof matchers, "%s%s%s", kind_matcher(m),
             *kind_matcher(m) && *more ? "," : "", more);
    buffer_text(out, "sum(rate(");
    put_selector(out, m, "traces_span_metrics_calls_total", "service_name", matchers);
    buffer_printf(out, "[%" PRId64 "ms]))", range);
}

static void put_processes(struct buffer *out, const struct measured *m)
{
    buffer_text(out, " / sum(");
    put_selector(out, m, "weft_processes", "service", "");
    buffer_byte(out, ')');
}

static void put_quantile(struct buffer *out, const struct measured *m, const char *quantile)
{
    int64_t range = m->interval_ms > RANGE_LEAST_MS ? m->interval_ms : RANGE_LEAST_MS;
    buffer_printf(out, "histogram_quantile(%s, sum(rate(", quantile);
    put_selector(out, m, "traces_span_metrics_duration_seconds", "service_name", kind_matcher(m));
    buffer_printf(out, "[%" PRId64 "ms])))", range);
}

static void put_query(struct buffer *out, const struct measured *m, enum measure measure)
{
    int64_t range = m->interval_ms > CPU_RANGE_LEAST_MS ? m->interval_ms : CPU_RANGE_LEAST_MS;
    switch (measure) {
    case MEASURE_P50:
        put_quantile(out, m, "0.5");
        return;
    case MEASURE_P99:
        put_quantile(out, m, "0.99");
        return;
    case MEASURE_ERROR_RATE:
        buffer_byte(out, '(');
        put_calls_rate(out, m, "status_code=\"STATUS_CODE_ERROR\"");
        buffer_text(out, " or vector(0)) / ");
        put_calls_rate(out, m, "");
        return;
    case MEASURE_RATE:
        put_calls_rate(out, m, "");
        if (m->per_process)
            put_processes(out, m);
        return;
    case MEASURE_CPU:
        buffer_text(out, "sum(rate(");
        put_selector(out, m, "process_cpu_seconds_total", "service", "");
        buffer_printf(out, "[%" PRId64 "ms]))", range);
        put_processes(out, m);
        return;
    default:
        buffer_text(out, "sum(");
        put_selector(out, m, "process_resident_memory_bytes", "service", "");
        buffer_byte(out, ')');
        put_processes(out, m);
    }
}

/* ---- asking ------------------------------------------------------------------------------ */

/* Evaluates what `text` holds, which is emptied. *result wants promql_result_fini where this says
 * 0. */
static int ask(const struct measured *m, struct buffer *text, int64_t start_ms, int64_t end_ms,
               int64_t step_ms, struct promql_result *result)
{
    struct arena arena;
    struct promql_query *query;
    struct language_error error;
    struct promql_options options = {.start_ms = start_ms,
                                     .end_ms = end_ms,
                                     .step_ms = step_ms,
                                     .memory_bytes_max = QUERY_BYTES,
                                     .deadline_ns = m->question->deadline_ns};
    int status = -1;
    arena_init(&arena, 16 << 10);
    if (!text->failed &&
        promql_parse(&arena, text->data, text->length, &query, &error) == LANGUAGE_SOUND) {
        status = promql_evaluate(query, m->question->source, &options, result);
        if (status != PROMQL_OK)
            promql_result_fini(result);
    }
    arena_fini(&arena);
    buffer_fini(text);
    return status == PROMQL_OK ? 0 : -1;
}

int measure_entries(struct measured *m)
{
    struct buffer text = {0};
    struct promql_result result;
    m->all_kinds = false;
    buffer_text(&text, "count(increase(");
    put_selector(&text, m, "traces_span_metrics_calls_total", "service_name", kind_matcher(m));
    buffer_printf(&text, "[%" PRId64 "ms]) > 0)", m->to_ms - m->from_ms);
    if (ask(m, &text, m->to_ms, m->to_ms, 0, &result) != 0)
        return -1;
    m->all_kinds = result.series_count == 0;
    promql_result_fini(&result);
    return 0;
}

int measure_hosts(const struct measured *m, uint64_t *hosts)
{
    struct buffer text = {0};
    struct promql_result result;
    *hosts = 0;
    buffer_text(&text, "count(count by (host) (");
    put_selector(&text, m, "weft_processes", "service", "");
    buffer_text(&text, "))");
    if (ask(m, &text, m->to_ms, m->to_ms, 0, &result) != 0)
        return -1;
    if (result.series_count == 1 && result.series[0].count == 1)
        *hosts = (uint64_t)result.series[0].value[0];
    promql_result_fini(&result);
    return 0;
}

static int ask_values(const struct measured *m, enum measure measure, struct compare_side *out)
{
    struct buffer text = {0};
    struct promql_result result;
    int64_t first_ms = m->from_ms + m->interval_ms;
    put_query(&text, m, measure);
    for (size_t i = 0; i < out->count; i++)
        out->values[i] = NAN;
    if (ask(m, &text, first_ms, m->to_ms, m->interval_ms, &result) != 0)
        return -1;
    for (size_t i = 0; result.series_count == 1 && i < result.series[0].count; i++) {
        int64_t at = (result.series[0].unix_ms[i] - first_ms) / m->interval_ms;
        if (at >= 0 && (size_t)at < out->count)
            out->values[at] = result.series[0].value[i];
    }
    promql_result_fini(&result);
    return 0;
}

static int ask_requests(const struct measured *m, struct arena *arena, struct compare_side *out)
{
    struct buffer text = {0};
    struct promql_result result;
    buffer_text(&text, "sum(increase(");
    put_selector(&text, m, "traces_span_metrics_duration_seconds", "service_name", kind_matcher(m));
    buffer_printf(&text, "[%" PRId64 "ms]))", m->to_ms - m->from_ms);
    if (ask(m, &text, m->to_ms, m->to_ms, 0, &result) != 0)
        return -1;
    bool one =
        result.series_count == 1 && result.series[0].histogram && result.series[0].histogram[0];
    out->requests = one ? histogram_copy(arena, result.series[0].histogram[0]) : NULL;
    promql_result_fini(&result);
    return one && !out->requests ? -1 : 0;
}

int measure_side(const struct measured *m, enum measure measure, struct arena *arena,
                 struct compare_side *out)
{
    *out = (struct compare_side){.count = (size_t)((m->to_ms - m->from_ms) / m->interval_ms)};
    out->values = arena_alloc(arena, (out->count + 1) * sizeof *out->values);
    if (!out->values || ask_values(m, measure, out) != 0)
        return -1;
    bool quantile = measure == MEASURE_P50 || measure == MEASURE_P99;
    return quantile ? ask_requests(m, arena, out) : 0;
}

// SPDX-License-Identifier: Apache-2.0
/* /api/v1/query, /api/v1/query_range and /api/v1/format_query. */
#include <time.h>

#include "collector/query/budget.h"
#include "collector/query/promql/print.h"
#include "collector/web/prom/prom.h"
#include "lib/base/clock.h"

enum { TIMEOUT_MS = 120000, WAIT_MS = 20000, SAMPLES_MAX = 50000000 };

struct asked {
    struct promql_query *query;
    struct promql_options options;
    uint64_t limit;       /* of series told; 0: none */
    uint64_t taken_bytes; /* of the questions' memory */
    bool stats;
};

/* ---- what is asked ----------------------------------------------------------------------- */

static bool parse_query(struct prom_call *c, struct promql_query **query)
{
    struct language_error error;
    const struct form_field *field = form_find(&c->form, "query");
    if (!field) {
        prom_fail(c, PROM_BAD_DATA, "invalid parameter \"query\": it is missing");
        return false;
    }
    enum language_fault fault = promql_parse(&c->arena, field->value, field->length, query, &error);
    if (fault == LANGUAGE_SOUND)
        return true;
    if (fault == LANGUAGE_ENOMEM)
        prom_fail(c, PROM_UNAVAILABLE, "no memory");
    else
        prom_fail(c, PROM_BAD_DATA, "invalid parameter \"query\": %u:%u: %s", error.line,
                  error.column, error.message);
    return false;
}

/* What both kinds of queries have in common. */
static bool parse_common(struct prom_call *c, struct asked *a)
{
    int64_t timeout_ms = TIMEOUT_MS;
    *a = (struct asked){.options.samples_max = SAMPLES_MAX, .stats = form_get(&c->form, "stats")};
    if (!parse_query(c, &a->query))
        return false;
    if (form_duration(&c->form, "timeout", &timeout_ms) != 0 || timeout_ms <= 0) {
        prom_fail_parameter(c, "timeout", "a duration above 0");
        return false;
    }
    if (timeout_ms > TIMEOUT_MS)
        timeout_ms = TIMEOUT_MS;
    if (form_duration(&c->form, "lookback_delta", &a->options.lookback_ms) != 0 ||
        a->options.lookback_ms < 0) {
        prom_fail_parameter(c, "lookback_delta", "a duration");
        return false;
    }
    uint64_t schema = HISTOGRAM_SCHEMA_MOST;
    a->options.histograms_coarse = form_get(&c->form, "histogram_schema") != NULL;
    if (form_number(&c->form, "histogram_schema", &schema) != 0 || schema > HISTOGRAM_SCHEMA_MOST) {
        prom_fail_parameter(c, "histogram_schema", "a whole number from 0 to 8");
        return false;
    }
    a->options.histogram_schema_most = (int)schema;
    if (form_number(&c->form, "limit", &a->limit) != 0) {
        prom_fail_parameter(c, "limit", "a whole number");
        return false;
    }
    a->options.deadline_ns = clock_monotonic_ns() + (uint64_t)timeout_ms * 1000000u;
    return true;
}

static bool parse_instant(struct prom_call *c, struct asked *a)
{
    a->options.start_ms = (int64_t)(clock_unix_ns() / 1000000);
    if (form_time(&c->form, "time", &a->options.start_ms) != 0) {
        prom_fail_parameter(c, "time", "seconds since 1970 or a time such as 2025-11-21T22:40:00Z");
        return false;
    }
    a->options.end_ms = a->options.start_ms;
    return true;
}

static bool parse_range(struct prom_call *c, struct asked *a)
{
    static const char moment[] = "seconds since 1970 or a time such as 2025-11-21T22:40:00Z";
    static const char *const names[] = {"start", "end"};
    struct promql_options *o = &a->options;
    int64_t *const times[] = {&o->start_ms, &o->end_ms};
    for (int i = 0; i < 2; i++)
        if (!form_get(&c->form, names[i]) || form_time(&c->form, names[i], times[i]) != 0) {
            prom_fail_parameter(c, names[i], moment);
            return false;
        }
    if (!form_get(&c->form, "step") || form_duration(&c->form, "step", &o->step_ms) != 0 ||
        o->step_ms <= 0) {
        prom_fail_parameter(c, "step", "a duration of at least a millisecond");
        return false;
    }
    if (o->end_ms < o->start_ms) {
        prom_fail(c, PROM_BAD_DATA, "invalid parameter \"end\": it is before start");
        return false;
    }
    if ((o->end_ms - o->start_ms) / o->step_ms > PROMQL_STEPS_MAX) {
        prom_fail(c, PROM_BAD_DATA,
                  "more than %d points a series: ask for a larger step or a shorter time",
                  PROMQL_STEPS_MAX);
        return false;
    }
    return true;
}

/* ---- the answer -------------------------------------------------------------------------- */

static int put_point(struct json_writer *w, const struct promql_series *s, size_t i)
{
    if (s->histogram && s->histogram[i])
        return prom_put_histogram(w, s->unix_ms[i], s->histogram[i]);
    prom_put_sample(w, s->unix_ms[i], s->value[i]);
    return 0;
}

static bool has_kind(const struct promql_series *s, bool histogram)
{
    for (size_t i = 0; i < s->count; i++)
        if ((s->histogram && s->histogram[i] != NULL) == histogram)
            return true;
    return false;
}

static int put_points(struct json_writer *w, const struct promql_series *s, bool histogram)
{
    int error = 0;
    if (!has_kind(s, histogram))
        return 0;
    json_field_array(w, histogram ? "histograms" : "values");
    for (size_t i = 0; i < s->count && error == 0; i++)
        if ((s->histogram && s->histogram[i] != NULL) == histogram)
            error = put_point(w, s, i);
    json_close_array(w);
    return error;
}

static int put_series(struct json_writer *w, const struct promql_series *s, bool matrix)
{
    int error = 0;
    json_open_object(w);
    json_key(w, "metric");
    prom_put_labels(w, &s->labels);
    if (matrix) {
        error = put_points(w, s, false);
        if (error == 0)
            error = put_points(w, s, true);
    } else if (s->count > 0) {
        json_key(w, s->histogram && s->histogram[0] ? "histogram" : "value");
        error = put_point(w, s, 0);
    }
    json_close_object(w);
    return error;
}

static int put_result(struct json_writer *w, const struct promql_result *r, const struct asked *a)
{
    static const char *const forms[] = {"scalar", "string", "vector", "matrix"};
    size_t count = a->limit && a->limit < r->series_count ? (size_t)a->limit : r->series_count;
    int error = 0;
    json_field_text(w, "resultType", forms[r->form]);
    json_key(w, "result");
    if (r->form == PROMQL_RESULT_SCALAR) {
        prom_put_sample(w, a->options.start_ms, r->scalar);
        return 0;
    }
    json_open_array(w);
    if (r->form == PROMQL_RESULT_STRING) {
        prom_put_time(w, a->options.start_ms);
        json_put_string(w, r->string.bytes, r->string.length);
    }
    for (size_t i = 0; i < count && error == 0; i++)
        error = put_series(w, &r->series[i], r->form == PROMQL_RESULT_MATRIX);
    json_close_array(w);
    return error;
}

static void put_stats(struct json_writer *w, const struct promql_stats *s)
{
    json_field_object(w, "stats");
    json_field_object(w, "samples");
    json_field_uint(w, "totalQueryableSamples", s->samples);
    json_field_uint(w, "peakSamples", s->samples_peak);
    json_close_object(w);
    json_close_object(w);
}

/* With a warning where not all series are told. */
static void close_data(struct prom_call *c, const struct asked *a, const struct promql_result *r)
{
    size_t count = r->annotation_count;
    struct promql_annotation *all = NULL;
    if (a->limit && a->limit < r->series_count)
        all = arena_alloc(&c->arena, (count + 1) * sizeof *all);
    if (!all) {
        prom_close_data(c, r->annotations, count);
        return;
    }
    if (count)
        memcpy(all, r->annotations, count * sizeof *all);
    all[count] = (struct promql_annotation){true, PROM_TRUNCATED};
    prom_close_data(c, all, count + 1);
}

static void answer(struct prom_call *c, const struct asked *a, const struct promql_result *r)
{
    prom_open_data(c);
    json_open_object(&c->json);
    int error = put_result(&c->json, r, a);
    if (a->stats)
        put_stats(&c->json, &r->stats);
    json_close_object(&c->json);
    close_data(c, a, r);
    if (error != 0)
        prom_fail(c, PROM_UNAVAILABLE, "the collector is out of memory; ask again, or for less");
}

static void refuse(struct prom_call *c, const struct promql_result *r)
{
    static const enum prom_error errors[] = {
        [PROMQL_NO_MEMORY] = PROM_UNAVAILABLE, [PROMQL_LIMIT] = PROM_EXECUTION,
        [PROMQL_TIMEOUT] = PROM_TIMEOUT,       [PROMQL_STOPPED] = PROM_UNAVAILABLE,
        [PROMQL_UNREADABLE] = PROM_INTERNAL,   [PROMQL_FAILED] = PROM_EXECUTION,
    };
    prom_fail(c, errors[r->status], "%s", r->message ? r->message : "no answer");
}

/* With so much of the questions' memory, which stays taken. False: others have it. */
static bool evaluate_within(struct prom_call *c, struct asked *a, uint64_t bytes,
                            struct promql_result *result)
{
    struct budget *memory = c->web->query.memory;
    a->taken_bytes = memory ? budget_take(memory, bytes, WAIT_MS) : 0;
    if (memory && a->taken_bytes == 0)
        return false;
    a->options.memory_bytes_max = a->taken_bytes;
    promql_evaluate(a->query, web_source(c->web), &a->options, result);
    return true;
}

static void give_back(struct prom_call *c, struct asked *a, struct promql_result *result)
{
    promql_result_fini(result);
    if (c->web->query.memory)
        budget_give(c->web->query.memory, a->taken_bytes);
}

/* A quarter of the memory is for each, so that several are asked at a time. What needs more is
 * asked once again with half of it. */
static void evaluate(struct prom_call *c, struct asked *a)
{
    struct promql_result result;
    uint64_t total = c->web->query.memory ? c->web->query.memory->total : 0;
    bool given = evaluate_within(c, a, total / 4, &result);
    if (given && total && result.status == PROMQL_LIMIT) {
        give_back(c, a, &result);
        given = evaluate_within(c, a, total / 2, &result);
    }
    if (!given) {
        prom_fail(c, PROM_UNAVAILABLE, "other questions have the memory: try again in a moment");
        return;
    }
    if (result.status == PROMQL_OK)
        answer(c, a, &result);
    else
        refuse(c, &result);
    give_back(c, a, &result);
}

void prom_query(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct asked a;
    if (!prom_begin(&c, call, reply))
        return;
    if (parse_common(&c, &a) && parse_instant(&c, &a))
        evaluate(&c, &a);
    prom_end(&c);
}

void prom_query_range(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct asked a;
    if (!prom_begin(&c, call, reply))
        return;
    if (parse_common(&c, &a) && parse_range(&c, &a)) {
        if (a.query->expr->type == PROMQL_VECTOR || a.query->expr->type == PROMQL_SCALAR)
            evaluate(&c, &a);
        else
            prom_fail(&c, PROM_BAD_DATA,
                      "invalid parameter \"query\": a range query wants a scalar or an instant "
                      "vector");
    }
    prom_end(&c);
}

void prom_format_query(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct promql_query *query;
    struct buffer text = {0};
    if (!prom_begin(&c, call, reply))
        return;
    if (parse_query(&c, &query)) {
        promql_print(&text, query);
        prom_open_data(&c);
        json_put_string(&c.json, text.length ? text.data : "", text.length);
        prom_close_data(&c, NULL, 0);
    }
    buffer_fini(&text);
    prom_end(&c);
}

// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/measure: TraceQL's metrics, as series over time. */
#include "collector/web/question.h"
#include "lib/base/clock.h"

enum { EXEMPLARS_DEFAULT = 3, EXEMPLARS_MOST = 100 };

static void put_exemplars(struct json_writer *w, const struct traceql_timeseries *t)
{
    json_field_array(w, "exemplars");
    for (uint32_t i = 0; i < t->exemplar_count; i++) {
        const struct traceql_exemplar *e = &t->exemplars[i];
        json_open_object(w);
        json_field_hex128(w, "trace_id", e->trace_id.hi, e->trace_id.lo);
        json_field_hex64(w, "span_id", e->span_id);
        json_field_unix_ns(w, "unix_ns", e->unix_ns);
        json_field_double(w, "value", e->value);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_series(struct json_writer *w, const struct traceql_metrics_answer *a)
{
    json_field_array(w, "series");
    for (uint32_t i = 0; i < a->count; i++) {
        json_open_object(w);
        question_put_named(w, "labels", a->series[i].labels, a->series[i].label_count);
        json_field_array(w, "values");
        for (uint32_t n = 0; n < a->steps; n++)
            json_put_double(w, a->series[i].values[n]);
        json_close_array(w);
        put_exemplars(w, &a->series[i]);
        json_close_object(w);
    }
    json_close_array(w);
}

/* Series need an end and a beginning: by default the last hour. */
static void narrow(struct traceql_options *o)
{
    const uint64_t hour_ns = UINT64_C(3600000000000);
    if (o->end_unix_ns == UINT64_MAX)
        o->end_unix_ns = clock_unix_ns();
    if (o->start_unix_ns == 0 && o->end_unix_ns > hour_ns)
        o->start_unix_ns = o->end_unix_ns - hour_ns;
}

void api_measure(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    uint64_t step_ns = 0;
    uint32_t exemplars;
    struct question q;
    if (params_only(call->params, "q start end step exemplars timeout", why) != 0 ||
        params_duration(call->params, "step", &step_ns, why) != 0 ||
        params_number(call->params, "exemplars", 0, EXEMPLARS_MOST, EXEMPLARS_DEFAULT, &exemplars,
                      why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    if (!question_open(&q, call, QUESTION_SERIES, NULL, reply))
        return;
    narrow(&q.options);
    if (step_ns &&
        (q.options.end_unix_ns - q.options.start_unix_ns) / step_ns >= TRACEQL_STEPS_MAX) {
        reply_error(reply, 400, "step: so short a step makes more than %d points",
                    TRACEQL_STEPS_MAX);
        question_close(&q);
        return;
    }
    struct traceql_metrics_answer answer;
    traceql_measure(q.query, &q.source, &q.options, step_ns, exemplars, &answer);
    struct json_writer w = json_writer_to(&reply->body);
    json_open_object(&w);
    json_field_unix_ns(&w, "start_unix_ns", answer.start_unix_ns);
    json_field_uint(&w, "step_ns", answer.step_ns);
    put_series(&w, &answer);
    question_put_end(&w, &q, answer.end, &answer.progress);
    json_close_object(&w);
    buffer_byte(&reply->body, '\n');
    traceql_metrics_fini(&answer);
    question_close(&q);
}

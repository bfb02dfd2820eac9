// SPDX-License-Identifier: Apache-2.0
/* Questions to a store whose spans are all in segments. */
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/traces/weft.h"
#include "collector/query/scan.h"
#include "collector/query/traceql/engine.h"
#include "collector/query/traceql/parse.h"
#include "collector/traces/store_internal.h"
#include "lib/base/clock.h"
#include "lib/ring/span_id.h"

enum { COLD_TRACES = 200, WARM_TRACES = 5000, SERVICES = 20, SPANS_PER_SPANSET = 3 };

#define MEMORY_BYTES ((size_t)128 << 20) /* a quarter of `memory: 512M` */

/* ---- bytes ------------------------------------------------------------------------------- */

/* The keys of eleven are alike: one row for all. */
static void add_column(void *context, const char *column, uint64_t bytes)
{
    struct side *side = context;
    char name[COLUMN_BYTES];
    snprintf(name, sizeof name, "%s",
             strncmp(column, "attribute app.key.", 18) ? column : "attributes app.key.*");
    unsigned i = 0;
    while (i < side->columns && strcmp(side->column[i], name) != 0)
        i++;
    if (i == COLUMNS_MAX)
        return;
    if (i == side->columns) {
        memcpy(side->column[i], name, sizeof name);
        side->columns++;
    }
    side->column_bytes[i] += bytes;
}

static void ask_bytes(struct store *s, struct side *side)
{
    struct edition *e = catalog_hold(s->catalog);
    for (size_t i = 0; i < e->count; i++) {
        if (segment_bytes_by_column(e->entries[i]->segment, add_column, side) != SEGMENT_OK)
            die("a segment is damaged");
    }
    catalog_release(s->catalog, &e);
}

/* ---- traces by id ------------------------------------------------------------------------ */

static uint64_t ask_trace(struct weft *w, struct trace_id id, double *ms)
{
    struct trace_view view;
    double began_ns = measure_wall_ns();
    if (query_trace(&w->query, id, clock_unix_ns(), &view) != 1)
        die("a trace is not found");
    uint64_t spans = view.tree.count;
    trace_view_fini(&view);
    *ms = (measure_wall_ns() - began_ns) / 1e6;
    return spans;
}

static void ask_traces(struct weft *w, const struct input *in, struct side *side)
{
    static double ms[WARM_TRACES];
    uint64_t spans = 0;
    for (unsigned i = 0; i < COLD_TRACES; i++) {
        evict(w->traces);
        ask_trace(w, input_trace_id(in, span_id_mix(i + 1) % in->traces), &ms[i]);
    }
    side->cold_ms.p50 = measure_quantile(ms, COLD_TRACES, 0.5);
    side->cold_ms.p99 = measure_quantile(ms, COLD_TRACES, 0.99);
    for (unsigned round = 0; round < 2; round++) { /* the first reads what was evicted */
        spans = 0;
        for (unsigned i = 0; i < WARM_TRACES; i++)
            spans += ask_trace(w, input_trace_id(in, span_id_mix(i + 1) % in->traces), &ms[i]);
    }
    side->warm_ms.p50 = measure_quantile(ms, WARM_TRACES, 0.5);
    side->warm_ms.p99 = measure_quantile(ms, WARM_TRACES, 0.99);
    side->trace_spans = spans * 100 / WARM_TRACES;
}

static void ask_services(struct weft *w, struct side *side)
{
    double ms[SERVICES];
    for (unsigned i = 0; i < SERVICES; i++) {
        struct service_list list;
        double began_ns = measure_wall_ns();
        if (query_services(&w->query, &list) != 0)
            die("no memory");
        if (list.count < 2)
            die("services are missing");
        service_list_fini(&list);
        ms[i] = (measure_wall_ns() - began_ns) / 1e6;
    }
    side->services_ms = measure_quantile(ms, SERVICES, 0.5);
}

/* ---- searches ---------------------------------------------------------------------------- */

struct asking {
    struct arena arena;
    struct traceql_query *query;
    struct scan *scan;
    struct traceql_source source;
    struct traceql_options options;
};

static void open_question(struct asking *a, struct weft *w, const struct input *in,
                          const char *text)
{
    struct language_error error;
    *a = (struct asking){0};
    arena_init(&a->arena, 16 << 10);
    if (traceql_parse(&a->arena, text, strlen(text), &a->query, &error) != LANGUAGE_SOUND)
        die("%s: %s", text, error.message);
    a->options = (struct traceql_options){
        .start_unix_ns = in->start_unix_ns,
        .end_unix_ns = in->start_unix_ns + SERIES_STEPS * in->step_ns,
        .memory_bytes = MEMORY_BYTES,
    };
    a->scan =
        scan_create(&w->query, a->options.start_unix_ns, a->options.end_unix_ns, clock_unix_ns());
    if (!a->scan)
        die("no memory");
    a->source = traceql_source_of_scan(a->scan);
}

static void close_question(struct asking *a)
{
    scan_destroy(&a->scan);
    arena_fini(&a->arena);
}

static double search(struct weft *w, const struct input *in, const char *text, uint32_t limit,
                     uint32_t *count, uint64_t *sum)
{
    struct asking a;
    struct traceql_search answer;
    double began_ns = measure_wall_ns();
    open_question(&a, w, in, text);
    if (!traceql_search(a.query, &a.source, &a.options, limit, SPANS_PER_SPANSET, &answer) ||
        answer.end > TRACEQL_END_LIMIT)
        die("%s: %s", text, traceql_end_text(answer.end));
    double ms = (measure_wall_ns() - began_ns) / 1e6;
    *count = answer.count;
    *sum = 0;
    for (uint32_t i = 0; i < answer.count; i++)
        *sum += answer.traces[i]->trace.id.hi;
    traceql_search_fini(&answer);
    close_question(&a);
    return ms;
}

static void ask_search(struct weft *w, const struct input *in, const char *text,
                       struct answer *answer)
{
    double page_ms[REPEATS], most_ms[REPEATS];
    uint64_t sum;
    for (unsigned i = 0; i < REPEATS; i++)
        page_ms[i] = search(w, in, text, LIMIT_PAGE, &answer->page, &sum);
    for (unsigned i = 0; i < REPEATS; i++)
        most_ms[i] = search(w, in, text, LIMIT_MOST, &answer->most, &answer->sum);
    answer->page_ms = measure_quantile(page_ms, REPEATS, 0.5);
    answer->most_ms = measure_quantile(most_ms, REPEATS, 0.5);
    answer->asked = true;
}

static double measure_series(struct weft *w, const struct input *in, const char *text,
                             struct answer *answer)
{
    struct asking a;
    struct traceql_metrics_answer got;
    double began_ns = measure_wall_ns(), spans = 0;
    open_question(&a, w, in, text);
    if (!traceql_measure(a.query, &a.source, &a.options, in->step_ns, 3, &got) ||
        got.end != TRACEQL_END_ALL)
        die("%s: %s", text, traceql_end_text(got.end));
    double ms = (measure_wall_ns() - began_ns) / 1e6;
    for (uint32_t i = 0; i < got.count; i++) {
        for (uint32_t step = 0; step < got.steps; step++) {
            double rate = got.series[i].values[step];
            spans += rate > 0 ? rate * (double)got.step_ns / 1e9 : 0;
        }
    }
    answer->most = got.count;
    answer->sum = (uint64_t)(spans + 0.5);
    traceql_metrics_fini(&got);
    close_question(&a);
    return ms;
}

static void ask_series(struct weft *w, const struct input *in, const char *text,
                       struct answer *answer)
{
    double ms[REPEATS];
    for (unsigned i = 0; i < REPEATS; i++)
        ms[i] = measure_series(w, in, text, answer);
    answer->most_ms = measure_quantile(ms, REPEATS, 0.5);
    answer->asked = true;
}

void weft_ask(struct weft *w, const struct input *in, struct side *side)
{
    struct question questions[QUESTIONS_MAX], series;
    unsigned count = questions_make(in, questions);
    peak_reset(getpid());
    ask_traces(w, in, side);
    ask_services(w, side);
    for (unsigned i = 0; i < count; i++)
        ask_search(w, in, questions[i].traceql, &side->answers[i]);
    questions_series(in, &series);
    ask_series(w, in, series.traceql, &side->series);
    side->query_peak_mib = memory_mib(getpid(), "VmHWM");
    ask_bytes(w->query.store, side);
}

int run_weft(const struct input *in, struct side *side)
{
    struct weft w;
    weft_open(&w, in->directory);
    weft_ingest(&w, in, side);
    weft_close(&w);
    evict(in->directory);
    double began_ns = measure_wall_ns();
    weft_open(&w, in->directory);
    side->start_ms = (measure_wall_ns() - began_ns) / 1e6;
    side->opened_mib = memory_mib(getpid(), "VmRSS");
    weft_ask(&w, in, side);
    weft_close(&w);
    side->there = true;
    return 0;
}

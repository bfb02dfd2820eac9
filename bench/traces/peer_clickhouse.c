// SPDX-License-Identifier: Apache-2.0
/* ClickHouse with a table like that of OpenTelemetry's exporter: ordered by service, name and
 * time, attributes as nested arrays, strings of few kinds in dictionaries, and a second table that
 * knows when each trace was. Debian's release has no codecs for columns and no filters to skip
 * by. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/traces/clickhouse_server.h"
#include "bench/traces/traces.h"
#include "lib/ring/span_id.h"

enum {
    ROWS = 100000,
    COLD_TRACES = 30,
    WARM_TRACES = 100,
    QUIET_MS = 2000,
    LOOK_MS = 50,
    ONCE_ABOVE_MS = 1000, /* what takes longer is not asked again */
};

static const char table[] =
    "CREATE TABLE spans (trace_hi UInt64, trace_lo UInt64, span_id UInt64, parent_id UInt64, start "
    "UInt64, duration UInt64, name LowCardinality(String), service LowCardinality(String), host "
    "LowCardinality(String), version LowCardinality(String), instance LowCardinality(String), cell "
    "LowCardinality(String), pid UInt32, kind UInt8, status UInt8, attr Nested(key "
    "LowCardinality(String), value String)) ENGINE = MergeTree PARTITION BY tuple() ORDER BY "
    "(service, name, start)";
static const char lookup[] =
    "CREATE MATERIALIZED VIEW traces ENGINE = MergeTree PARTITION BY tuple() ORDER BY (trace_hi, "
    "trace_lo) AS SELECT trace_hi, trace_lo, min(start) AS oldest, max(start) AS newest FROM spans "
    "GROUP BY trace_hi, trace_lo";

/* ---- putting in -------------------------------------------------------------------------- */

static void put_u64(struct buffer *b, uint64_t number)
{
    buffer_append(b, &number, sizeof number);
}

static void put_length(struct buffer *b, size_t length)
{
    for (; length >= 0x80; length >>= 7)
        buffer_byte(b, (char)(length | 0x80));
    buffer_byte(b, (char)length);
}

static void put_text(struct buffer *b, const char *text)
{
    size_t length = strlen(text);
    put_length(b, length);
    buffer_append(b, text, length);
}

static void put_attributes(struct buffer *b, const struct workload_span *s)
{
    put_length(b, s->attribute_count);
    for (unsigned i = 0; i < s->attribute_count; i++)
        put_text(b, s->attributes[i].key);
    put_length(b, s->attribute_count);
    for (unsigned i = 0; i < s->attribute_count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%" PRId64, s->attributes[i].number);
        put_text(b, s->attributes[i].type == VALUE_STRING ? s->attributes[i].text : number);
    }
}

static void put_span(struct buffer *b, const struct input *in, const struct workload_span *s)
{
    const struct batch_process_info *process = workload_process(in->kind, s->process);
    put_u64(b, s->trace_id.hi);
    put_u64(b, s->trace_id.lo);
    put_u64(b, s->span_id);
    put_u64(b, s->parent_id);
    put_u64(b, s->start_unix_ns);
    put_u64(b, s->duration_ns);
    put_text(b, s->name);
    put_text(b, process->service);
    put_text(b, process->host);
    put_text(b, process->version);
    put_text(b, process->instance);
    put_text(b, process->cell);
    buffer_append(b, &process->pid, sizeof process->pid);
    buffer_byte(b, (char)s->kind);
    buffer_byte(b, (char)s->status);
    put_attributes(b, s);
}

static uint64_t ask_number(struct clickhouse *c, const char *sql)
{
    return strtoull(clickhouse_ask(c, sql), NULL, 10);
}

static void wait_for_merges(struct clickhouse *c)
{
    double changed_ns = measure_wall_ns();
    while (measure_wall_ns() - changed_ns < QUIET_MS * 1e6) {
        if (ask_number(c, "SELECT count() FROM system.merges") > 0)
            changed_ns = measure_wall_ns();
        usleep(LOOK_MS * 1000);
    }
}

static void ingest(struct clickhouse *c, const struct input *in, struct side *side)
{
    struct workload *w = workload_create(in->kind, in->seed, in->start_unix_ns);
    struct buffer rows = {0};
    if (!w)
        die("no memory");
    clickhouse_ask(c, table);
    clickhouse_ask(c, lookup);
    double cpu_ns = clickhouse_cpu_ns(c), making_ns = 0, began_ns = measure_wall_ns();
    for (uint64_t i = 0; i < in->spans;) {
        double making_began_ns = measure_wall_ns();
        buffer_clear(&rows);
        for (unsigned row = 0; row < ROWS && i < in->spans; row++, i++)
            put_span(&rows, in, workload_next(w));
        making_ns += measure_wall_ns() - making_began_ns;
        clickhouse_put(c, "INSERT INTO spans FORMAT RowBinary", &rows);
    }
    side->cut_wall_ns = measure_wall_ns() - began_ns - making_ns;
    side->commit_cpu_ns = clickhouse_cpu_ns(c) - cpu_ns; /* with merges until here */
    double inserted_ns = measure_wall_ns();
    wait_for_merges(c);
    side->merged_wall_ns = side->cut_wall_ns + measure_wall_ns() - inserted_ns - QUIET_MS * 1e6;
    side->merge_cpu_ns = clickhouse_cpu_ns(c) - cpu_ns - side->commit_cpu_ns;
    side->spans = ask_number(c, "SELECT count() FROM spans");
    side->disk_bytes =
        ask_number(c, "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = "
                      "'default'");
    side->segments = ask_number(c, "SELECT count() FROM system.parts WHERE active AND table = "
                                   "'spans'");
    side->ingest_peak_mib = memory_mib(c->pid, "VmHWM");
    side->rest_mib = memory_mib(c->pid, "VmRSS");
    buffer_fini(&rows);
    workload_destroy(&w);
    if (side->spans != in->spans)
        die("ClickHouse has %" PRIu64 " spans", side->spans);
}

/* ---- asking ------------------------------------------------------------------------------ */

static void ask_trace(struct clickhouse *c, struct trace_id id, double *ms)
{
    char sql[600], from[200];
    snprintf(from, sizeof from, "FROM traces WHERE trace_hi = %" PRIu64 " AND trace_lo = %" PRIu64,
             id.hi, id.lo);
    snprintf(sql, sizeof sql,
             "SELECT * FROM spans WHERE start >= (SELECT min(oldest) %s) AND start <= (SELECT "
             "max(newest) %s) AND trace_hi = %" PRIu64 " AND trace_lo = %" PRIu64,
             from, from, id.hi, id.lo);
    double began_ns = measure_wall_ns();
    const char *answer = clickhouse_ask(c, sql);
    *ms = (measure_wall_ns() - began_ns) / 1e6;
    if (!answer[0])
        die("ClickHouse: a trace is not found");
}

static void ask_traces(struct clickhouse *c, const struct input *in, struct side *side)
{
    double ms[WARM_TRACES];
    for (unsigned i = 0; i < COLD_TRACES; i++) {
        clickhouse_ask(c, "SYSTEM DROP MARK CACHE");
        evict(in->directory);
        ask_trace(c, input_trace_id(in, span_id_mix(i + 1) % in->traces), &ms[i]);
    }
    side->cold_ms.p50 = measure_quantile(ms, COLD_TRACES, 0.5);
    side->cold_ms.p99 = measure_quantile(ms, COLD_TRACES, 0.99);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < WARM_TRACES; i++)
            ask_trace(c, input_trace_id(in, span_id_mix(i + 1) % in->traces), &ms[i]);
    }
    side->warm_ms.p50 = measure_quantile(ms, WARM_TRACES, 0.5);
    side->warm_ms.p99 = measure_quantile(ms, WARM_TRACES, 0.99);
}

/* The median of REPEATS; each line of the answer begins with a trace's first half. */
static double search(struct clickhouse *c, const char *question, int limit, uint32_t *count,
                     uint64_t *sum)
{
    char sql[QUESTION_BYTES + 100];
    double ms[REPEATS];
    unsigned asked = 0;
    const char *answer = "";
    snprintf(sql, sizeof sql, "%s LIMIT %d", question, limit);
    do {
        double began_ns = measure_wall_ns();
        answer = clickhouse_ask(c, sql);
        ms[asked] = (measure_wall_ns() - began_ns) / 1e6;
    } while (ms[asked++] < ONCE_ABOVE_MS && asked < REPEATS);
    *count = 0;
    *sum = 0;
    for (; *answer; ++*count) {
        *sum += strtoull(answer, NULL, 10);
        const char *end = strchr(answer, '\n');
        answer = end ? end + 1 : answer + strlen(answer);
    }
    return measure_quantile(ms, asked, 0.5);
}

static void ask_series(struct clickhouse *c, const char *sql, struct answer *a)
{
    double ms[REPEATS];
    const char *answer = "";
    for (unsigned i = 0; i < REPEATS; i++) {
        double began_ns = measure_wall_ns();
        answer = clickhouse_ask(c, sql);
        ms[i] = (measure_wall_ns() - began_ns) / 1e6;
    }
    while (*answer) { /* service, step, count */
        const char *end = strchr(answer, '\n'), *tab = strchr(answer, '\t');
        tab = tab ? strchr(tab + 1, '\t') : NULL;
        a->sum += tab ? strtoull(tab + 1, NULL, 10) : 0;
        answer = end ? end + 1 : answer + strlen(answer);
    }
    a->most_ms = measure_quantile(ms, REPEATS, 0.5);
    a->asked = true;
}

static void ask(struct clickhouse *c, const struct input *in, struct side *side)
{
    struct question questions[QUESTIONS_MAX], series;
    unsigned count = questions_make(in, questions);
    uint32_t rows;
    uint64_t sum;
    peak_reset(c->pid);
    ask_traces(c, in, side);
    side->services_ms =
        search(c, "SELECT service, count(), countIf(status = 2) FROM spans GROUP BY service",
               LIMIT_MOST, &rows, &sum);
    for (unsigned i = 0; i < count; i++) {
        struct answer *a = &side->answers[i];
        if (!questions[i].clickhouse[0])
            continue;
        a->page_ms = search(c, questions[i].clickhouse, LIMIT_PAGE, &a->page, &sum);
        a->most_ms = search(c, questions[i].clickhouse, LIMIT_MOST, &a->most, &a->sum);
        a->asked = true;
    }
    questions_series(in, &series);
    ask_series(c, series.clickhouse, &side->series);
    side->query_peak_mib = memory_mib(c->pid, "VmHWM");
}

int run_clickhouse(const struct input *in, struct side *side)
{
    struct clickhouse c;
    if (!clickhouse_is_installed()) {
        snprintf(side->why, sizeof side->why,
                 "clickhouse-server is not here (script/bootstrap --bench installs it)");
        return -1;
    }
    clickhouse_start(&c, in->directory);
    ingest(&c, in, side);
    clickhouse_stop(&c);
    evict(in->directory);
    double began_ns = measure_wall_ns();
    clickhouse_start(&c, in->directory);
    ask_number(&c, "SELECT 1 FROM spans LIMIT 1");
    side->start_ms = (measure_wall_ns() - began_ns) / 1e6;
    side->opened_mib = memory_mib(c.pid, "VmRSS");
    ask(&c, in, side);
    clickhouse_stop(&c);
    side->there = true;
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/traces/traces.h"
#include "lib/ring/span_id.h"

#define SQLITE_ID(text) "(SELECT id FROM strings WHERE text = '" text "')"

struct making {
    struct question *list;
    unsigned count;
};

static struct question *add(struct making *m, const char *name, const char *traceql)
{
    struct question *q = &m->list[m->count++];
    *q = (struct question){.name = name};
    snprintf(q->traceql, QUESTION_BYTES, "%s", traceql);
    return q;
}

/* A question about single spans: a condition in each language. */
static void add_filter(struct making *m, const char *name, const char *traceql, const char *sqlite,
                       const char *clickhouse)
{
    struct question *q = add(m, name, traceql);
    snprintf(q->sqlite, QUESTION_BYTES,
             "SELECT s.trace_hi FROM spans s WHERE %s ORDER BY s.trace_hi DESC", sqlite);
    snprintf(q->clickhouse, QUESTION_BYTES,
             "SELECT DISTINCT trace_hi FROM spans WHERE %s ORDER BY trace_hi DESC", clickhouse);
}

static void add_value(struct making *m, const char *name, const char *key, const char *value,
                      bool number)
{
    char traceql[QUESTION_BYTES], sqlite[QUESTION_BYTES], clickhouse[QUESTION_BYTES];
    const char *quote = number ? "" : "\"", *sql_quote = number ? "" : "'";
    snprintf(traceql, sizeof traceql, "{ span.%s = %s%s%s }", key, quote, value, quote);
    snprintf(sqlite, sizeof sqlite,
             "s.id IN (SELECT span FROM attributes WHERE key = " SQLITE_ID("%s") " AND value = "
                                                                                 "%s%s%s)",
             key, sql_quote, value, sql_quote);
    snprintf(clickhouse, sizeof clickhouse, "attr.value[indexOf(attr.key, '%s')] = '%s'", key,
             value);
    add_filter(m, name, traceql, sqlite, clickhouse);
}

static void add_absent(struct making *m, const char *key)
{
    char traceql[QUESTION_BYTES], sqlite[QUESTION_BYTES], clickhouse[QUESTION_BYTES];
    snprintf(traceql, sizeof traceql, "{ span.%s = nil }", key);
    snprintf(sqlite, sizeof sqlite,
             "NOT EXISTS (SELECT 1 FROM attributes a WHERE a.span = s.id AND a.key = " SQLITE_ID(
                 "%s") ")",
             key);
    snprintf(clickhouse, sizeof clickhouse, "NOT has(attr.key, '%s')", key);
    add_filter(m, "attribute absent", traceql, sqlite, clickhouse);
}

static void add_regex(struct making *m, const char *key, const char *pattern, const char *glob)
{
    char traceql[QUESTION_BYTES], sqlite[QUESTION_BYTES], clickhouse[QUESTION_BYTES];
    snprintf(traceql, sizeof traceql, "{ span.%s =~ \"%s\" }", key, pattern);
    snprintf(sqlite, sizeof sqlite,
             "s.id IN (SELECT span FROM attributes WHERE key = " SQLITE_ID("%s") " AND value GLOB "
                                                                                 "'%s')",
             key, glob);
    snprintf(clickhouse, sizeof clickhouse, "match(attr.value[indexOf(attr.key, '%s')], '^%s$')",
             key, pattern);
    add_filter(m, "regex on an attribute", traceql, sqlite, clickhouse);
}

static void add_name_regex(struct making *m, const char *pattern, const char *glob)
{
    char traceql[QUESTION_BYTES], sqlite[QUESTION_BYTES], clickhouse[QUESTION_BYTES];
    snprintf(traceql, sizeof traceql, "{ name =~ \"%s\" }", pattern);
    snprintf(sqlite, sizeof sqlite, "s.name IN (SELECT id FROM strings WHERE text GLOB '%s')",
             glob);
    snprintf(clickhouse, sizeof clickhouse, "match(name, '^%s$')", pattern);
    add_filter(m, "regex on a name", traceql, sqlite, clickhouse);
}

static void add_child(struct making *m, const char *parent, const char *child)
{
    char traceql[QUESTION_BYTES];
    snprintf(traceql, sizeof traceql, "{ name = \"%s\" } > { name = \"%s\" }", parent, child);
    struct question *q = add(m, "child of (>)", traceql);
    snprintf(q->sqlite, QUESTION_BYTES,
             "SELECT c.trace_hi FROM spans c JOIN spans p ON p.trace_hi = c.trace_hi AND "
             "p.trace_lo = c.trace_lo AND p.span_id = c.parent_id WHERE c.name = " SQLITE_ID(
                 "%s") " AND p.name = " SQLITE_ID("%s") " ORDER BY c.trace_hi DESC",
             child, parent);
    snprintf(q->clickhouse, QUESTION_BYTES,
             "SELECT DISTINCT trace_hi FROM spans WHERE name = '%s' AND (trace_hi, trace_lo, "
             "parent_id) IN (SELECT trace_hi, trace_lo, span_id FROM spans WHERE name = '%s') "
             "ORDER BY trace_hi DESC",
             child, parent);
}

/* The release of ClickHouse has no recursion. */
static void add_descendant(struct making *m, const char *service)
{
    char traceql[QUESTION_BYTES];
    snprintf(traceql, sizeof traceql, "{ resource.service.name = \"%s\" } >> { status = error }",
             service);
    struct question *q = add(m, "descendant of (>>)", traceql);
    snprintf(q->sqlite, QUESTION_BYTES,
             "WITH RECURSIVE up(hi, lo, span) AS (SELECT trace_hi, trace_lo, parent_id FROM spans "
             "WHERE status = %d UNION SELECT s.trace_hi, s.trace_lo, s.parent_id FROM up JOIN "
             "spans s ON s.trace_hi = up.hi AND s.trace_lo = up.lo AND s.span_id = up.span) "
             "SELECT up.hi FROM up JOIN spans s ON s.trace_hi = up.hi AND s.trace_lo = up.lo AND "
             "s.span_id = up.span WHERE s.service = " SQLITE_ID("%s") " ORDER BY up.hi DESC",
             SPAN_ERROR, service);
}

static void add_aggregate(struct making *m, const char *name, const char *traceql,
                          const char *sqlite, const char *clickhouse, const char *having)
{
    struct question *q = add(m, name, traceql);
    snprintf(q->sqlite, QUESTION_BYTES,
             "SELECT trace_hi FROM spans WHERE %s GROUP BY trace_hi, trace_lo HAVING %s "
             "ORDER BY trace_hi DESC",
             sqlite, having);
    snprintf(q->clickhouse, QUESTION_BYTES,
             "SELECT trace_hi FROM spans WHERE %s GROUP BY trace_hi, trace_lo HAVING %s "
             "ORDER BY trace_hi DESC",
             clickhouse, having);
}

static void add_common(struct making *m, const char *service, unsigned duration_ms)
{
    char traceql[QUESTION_BYTES], sqlite[QUESTION_BYTES], clickhouse[QUESTION_BYTES];
    snprintf(traceql, sizeof traceql, "{ resource.service.name = \"%s\" }", service);
    snprintf(sqlite, sizeof sqlite, "s.service = " SQLITE_ID("%s"), service);
    snprintf(clickhouse, sizeof clickhouse, "service = '%s'", service);
    add_filter(m, "service", traceql, sqlite, clickhouse);
    snprintf(traceql, sizeof traceql, "{ duration > %ums }", duration_ms);
    snprintf(sqlite, sizeof sqlite, "s.duration > %u000000", duration_ms);
    snprintf(clickhouse, sizeof clickhouse, "duration > %u000000", duration_ms);
    add_filter(m, "duration", traceql, sqlite, clickhouse);
    snprintf(sqlite, sizeof sqlite, "s.status = %d", SPAN_ERROR);
    snprintf(clickhouse, sizeof clickhouse, "status = %d", SPAN_ERROR);
    add_filter(m, "status = error", "{ status = error }", sqlite, clickhouse);
}

static void make_dashboard(struct making *m)
{
    add_common(m, "firehose", 500);
    add_value(m, "value, frequent", "db.system", "redis", false);
    add_value(m, "value, rare", "user", "777", true);
    add_value(m, "value, nowhere", "http.method", "PATCH", false);
    add_absent(m, "db.system");
    add_name_regex(m, "GET /b.*", "GET /b*");
    add_regex(m, "http.method", "P.*T", "P*T");
    add_child(m, "GET /dashboard", "read inbox");
    add_descendant(m, "web");
    add_aggregate(m, "count() > 10", "{ name = \"redis LRANGE\" } | count() > 10",
                  "name = " SQLITE_ID("redis LRANGE"), "name = 'redis LRANGE'", "count(*) > 10");
    char kind[20];
    snprintf(kind, sizeof kind, "kind = %d", SPAN_SERVER);
    add_aggregate(m, "avg(duration) > 100ms", "{ kind = server } | avg(duration) > 100ms", kind,
                  kind, "avg(duration) > 100000000");
}

/* Values are drawn; some that are there. */
static void find_values(const struct input *in, char first[40], char second[40])
{
    struct workload *w = workload_create(in->kind, in->seed, in->start_unix_ns);
    first[0] = second[0] = 0;
    for (unsigned i = 0; w && i < 100000 && !second[0]; i++) {
        const struct workload_span *s = workload_next(w);
        for (unsigned a = 0; a + 1 < s->attribute_count; a++) {
            if (strcmp(s->attributes[a].key, "app.key.7") == 0) {
                snprintf(first, 40, "%s", s->attributes[a].text);
                snprintf(second, 40, "%s", s->attributes[a + 1].text);
            }
        }
    }
    workload_destroy(&w);
}

static void make_eleven(struct making *m, const struct input *in)
{
    char first[40], second[40], traceql[QUESTION_BYTES], sqlite[QUESTION_BYTES],
        clickhouse[QUESTION_BYTES];
    find_values(in, first, second);
    add_common(m, "api", 500);
    add_value(m, "value, 1 in 9,000 spans", "app.key.7", first, false);
    snprintf(traceql, sizeof traceql, "{ span.app.key.7 = \"%s\" && span.app.key.14 = \"%s\" }",
             first, second);
    snprintf(sqlite, sizeof sqlite,
             "s.id IN (SELECT span FROM attributes WHERE key = " SQLITE_ID(
                 "app.key.7") " AND value = '%s' INTERSECT SELECT span FROM attributes WHERE key "
                              "= " SQLITE_ID("app.key.14") " AND value = '%s')",
             first, second);
    snprintf(clickhouse, sizeof clickhouse,
             "attr.value[indexOf(attr.key, 'app.key.7')] = '%s' AND "
             "attr.value[indexOf(attr.key, 'app.key.14')] = '%s'",
             first, second);
    add_filter(m, "two values, rare", traceql, sqlite, clickhouse);
    add_value(m, "value, nowhere", "app.key.7", "value-none", false);
    add_absent(m, "app.key.7");
    add_name_regex(m, "operation-1.*", "operation-1*");
    add_regex(m, "app.key.7", "value-00.*", "value-00*");
    add_child(m, "operation-1", "operation-2");
    add_descendant(m, "api");
    char status[20], kind[20];
    snprintf(status, sizeof status, "status = %d", SPAN_ERROR);
    snprintf(kind, sizeof kind, "kind = %d", SPAN_SERVER);
    add_aggregate(m, "count() > 2", "{ status = error } | count() > 2", status, status,
                  "count(*) > 2");
    add_aggregate(m, "avg(duration) > 100ms", "{ kind = server } | avg(duration) > 100ms", kind,
                  kind, "avg(duration) > 100000000");
}

unsigned questions_make(const struct input *in, struct question list[QUESTIONS_MAX])
{
    struct making m = {.list = list};
    if (in->kind == WORKLOAD_DASHBOARD)
        make_dashboard(&m);
    else
        make_eleven(&m, in);
    return m.count;
}

void questions_series(const struct input *in, struct question *series)
{
    *series = (struct question){.name = "rate() by service"};
    snprintf(series->traceql, QUESTION_BYTES, "{ } | rate() by (resource.service.name)");
    snprintf(series->sqlite, QUESTION_BYTES,
             "SELECT service, (start - %" PRIu64 ") / %" PRIu64
             " AS step, count(*) FROM spans GROUP BY service, step",
             in->start_unix_ns, in->step_ns);
    snprintf(series->clickhouse, QUESTION_BYTES,
             "SELECT service, intDiv(start - %" PRIu64 ", %" PRIu64
             ") AS step, count() FROM spans GROUP BY service, step",
             in->start_unix_ns, in->step_ns);
}

struct trace_id input_trace_id(const struct input *in, uint64_t n)
{
    return (struct trace_id){in->start_unix_ns + n * 1000000, span_id_mix(n + 1)};
}

/* Eight traces are under way at a time, so those before the last eight are whole. */
uint64_t input_count_traces(const struct input *in)
{
    struct workload *w = workload_create(in->kind, in->seed, in->start_unix_ns);
    uint64_t newest = 0;
    for (uint64_t i = 0; w && i < in->spans; i++) {
        uint64_t hi = workload_next(w)->trace_id.hi;
        newest = hi > newest ? hi : newest;
    }
    workload_destroy(&w);
    uint64_t seen = newest ? (newest - in->start_unix_ns) / 1000000 + 1 : 0;
    return seen > 16 ? seen - 16 : 1;
}

// SPDX-License-Identifier: Apache-2.0
/* SQLite as somebody would lay it out who wants these questions answered: strings of few kinds
 * by number, attributes in a table of their own, an index for each question. The traces' ids
 * begin with their time, so an index that ends in them gives the newest first, and reading stops
 * when enough traces were seen. */
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/traces/traces.h"
#include "lib/ring/span_id.h"

enum {
    COLD_TRACES = 30,
    WARM_TRACES = 2000,
    SPANS_PER_TRANSACTION = 32000, /* as many as a group of batches */
    STRINGS_MAX = 4096,
    ONCE_ABOVE_MS = 1000, /* what takes longer is not asked again */
};

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -262144;"
    "CREATE TABLE strings (id INTEGER PRIMARY KEY, text TEXT UNIQUE);"
    "CREATE TABLE spans (id INTEGER PRIMARY KEY, trace_hi INTEGER, trace_lo INTEGER, span_id "
    "INTEGER, parent_id INTEGER, start INTEGER, duration INTEGER, service INTEGER, process "
    "INTEGER, name INTEGER, kind INTEGER, status INTEGER);"
    "CREATE TABLE attributes (span INTEGER, key INTEGER, value, PRIMARY KEY (span, key)) WITHOUT "
    "ROWID;"
    "CREATE INDEX by_trace ON spans (trace_hi, trace_lo, span_id);"
    "CREATE INDEX by_service ON spans (service, trace_hi);"
    "CREATE INDEX by_name ON spans (name, trace_hi);"
    "CREATE INDEX by_status ON spans (status, trace_hi);"
    "CREATE INDEX by_start ON spans (start);"
    "CREATE INDEX by_duration ON spans (duration);"
    "CREATE INDEX by_value ON attributes (key, value, span);";

struct peer {
    char path[4096];
    sqlite3 *db;
    sqlite3_stmt *span, *attribute, *string;
    const char *texts[STRINGS_MAX]; /* the workload's own, which do not move */
    unsigned strings;
};

static void check(const struct peer *p, int result)
{
    if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW)
        die("SQLite: %s", sqlite3_errmsg(p->db));
}

static void execute(struct peer *p, const char *sql)
{
    check(p, sqlite3_exec(p->db, sql, NULL, NULL, NULL));
}

static sqlite3_stmt *prepare(struct peer *p, const char *sql)
{
    sqlite3_stmt *s = NULL;
    check(p, sqlite3_prepare_v2(p->db, sql, -1, &s, NULL));
    return s;
}

static void open_peer(struct peer *p)
{
    check(p, sqlite3_open(p->path, &p->db));
    execute(p, "PRAGMA cache_size = -262144; PRAGMA mmap_size = 17179869184");
}

static void close_peer(struct peer *p)
{
    sqlite3_close(p->db);
    p->db = NULL;
}

/* ---- putting in -------------------------------------------------------------------------- */

static void step(struct peer *p, sqlite3_stmt *s)
{
    check(p, sqlite3_step(s));
    check(p, sqlite3_reset(s));
}

/* Names and keys: few, so a look at all of them by address is quick. */
static int64_t string_id(struct peer *p, const char *text)
{
    static unsigned slots[STRINGS_MAX * 4];
    unsigned at = (unsigned)(span_id_mix((uint64_t)(uintptr_t)text) % (STRINGS_MAX * 4));
    for (; slots[at] > 0; at = (at + 1) % (STRINGS_MAX * 4)) {
        if (p->texts[slots[at] - 1] == text)
            return slots[at];
    }
    if (p->strings == STRINGS_MAX)
        die("too many strings");
    p->texts[p->strings++] = text;
    slots[at] = p->strings;
    sqlite3_bind_int64(p->string, 1, p->strings);
    sqlite3_bind_text(p->string, 2, text, -1, SQLITE_STATIC);
    step(p, p->string);
    return p->strings;
}

static void add_span(struct peer *p, const struct input *in, const struct workload_span *w,
                     int64_t id)
{
    const struct batch_process_info *process = workload_process(in->kind, w->process);
    const int64_t values[] = {
        id,
        (int64_t)w->trace_id.hi,
        (int64_t)w->trace_id.lo,
        (int64_t)w->span_id,
        (int64_t)w->parent_id,
        (int64_t)w->start_unix_ns,
        (int64_t)w->duration_ns,
        string_id(p, process->service),
        w->process,
        string_id(p, w->name),
        w->kind,
        w->status,
    };
    for (int i = 0; i < (int)(sizeof values / sizeof values[0]); i++)
        sqlite3_bind_int64(p->span, i + 1, values[i]);
    step(p, p->span);
    for (unsigned i = 0; i < w->attribute_count; i++) {
        const struct workload_attribute *a = &w->attributes[i];
        sqlite3_bind_int64(p->attribute, 1, id);
        sqlite3_bind_int64(p->attribute, 2, string_id(p, a->key));
        if (a->type == VALUE_STRING)
            sqlite3_bind_text(p->attribute, 3, a->text, -1, SQLITE_STATIC);
        else
            sqlite3_bind_int64(p->attribute, 3, a->number);
        step(p, p->attribute);
    }
}

static void ingest(struct peer *p, const struct input *in, struct side *side)
{
    struct workload *w = workload_create(in->kind, in->seed, in->start_unix_ns);
    if (!w)
        die("no memory");
    execute(p, schema);
    p->span = prepare(p, "INSERT INTO spans VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
    p->attribute = prepare(p, "INSERT INTO attributes VALUES (?,?,?)");
    p->string = prepare(p, "INSERT INTO strings VALUES (?,?)");
    peak_reset(getpid());
    double wall_ns = measure_wall_ns(), cpu_ns = measure_cpu_ns();
    for (uint64_t i = 0; i < in->spans; i++) {
        if (i % SPANS_PER_TRANSACTION == 0)
            execute(p, i ? "COMMIT; BEGIN" : "BEGIN");
        add_span(p, in, workload_next(w), (int64_t)i + 1);
    }
    execute(p, "COMMIT");
    side->cut_wall_ns = measure_wall_ns() - wall_ns;
    side->commit_cpu_ns = measure_cpu_ns() - cpu_ns;
    execute(p, "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)");
    side->merged_wall_ns = measure_wall_ns() - wall_ns;
    side->cut_cpu_ns = measure_cpu_ns() - cpu_ns - side->commit_cpu_ns;
    sqlite3_finalize(p->span);
    sqlite3_finalize(p->attribute);
    sqlite3_finalize(p->string);
    workload_destroy(&w);
    side->spans = in->spans;
    side->disk_bytes = bytes_below(in->directory);
    side->ingest_peak_mib = memory_mib(getpid(), "VmHWM");
    side->rest_mib = memory_mib(getpid(), "VmRSS");
}

/* ---- asking ------------------------------------------------------------------------------ */

static uint64_t ask_trace(struct peer *p, struct trace_id id, double *ms)
{
    double began_ns = measure_wall_ns();
    uint64_t rows = 0;
    sqlite3_stmt *s =
        prepare(p, "SELECT s.*, a.key, a.value FROM spans s LEFT JOIN attributes a ON "
                   "a.span = s.id WHERE trace_hi = ? AND trace_lo = ?");
    sqlite3_bind_int64(s, 1, (int64_t)id.hi);
    sqlite3_bind_int64(s, 2, (int64_t)id.lo);
    while (sqlite3_step(s) == SQLITE_ROW)
        rows++;
    sqlite3_finalize(s);
    *ms = (measure_wall_ns() - began_ns) / 1e6;
    if (rows == 0)
        die("SQLite: a trace is not found");
    return rows;
}

static void ask_traces(struct peer *p, const struct input *in, struct side *side)
{
    static double ms[WARM_TRACES];
    for (unsigned i = 0; i < COLD_TRACES; i++) {
        close_peer(p);
        evict(in->directory);
        open_peer(p);
        ask_trace(p, input_trace_id(in, span_id_mix(i + 1) % in->traces), &ms[i]);
    }
    side->cold_ms.p50 = measure_quantile(ms, COLD_TRACES, 0.5);
    side->cold_ms.p99 = measure_quantile(ms, COLD_TRACES, 0.99);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < WARM_TRACES; i++)
            ask_trace(p, input_trace_id(in, span_id_mix(i + 1) % in->traces), &ms[i]);
    }
    side->warm_ms.p50 = measure_quantile(ms, WARM_TRACES, 0.5);
    side->warm_ms.p99 = measure_quantile(ms, WARM_TRACES, 0.99);
}

/* Rows of equal traces follow each other. */
static double search(struct peer *p, const char *sql, uint32_t limit, uint32_t *count,
                     uint64_t *sum)
{
    double began_ns = measure_wall_ns();
    uint64_t last = 0;
    sqlite3_stmt *s = prepare(p, sql);
    *count = 0;
    *sum = 0;
    while (*count < limit && sqlite3_step(s) == SQLITE_ROW) {
        uint64_t id = (uint64_t)sqlite3_column_int64(s, 0);
        if (id == last)
            continue;
        last = id;
        ++*count;
        *sum += id;
    }
    sqlite3_finalize(s);
    return (measure_wall_ns() - began_ns) / 1e6;
}

static double search_median(struct peer *p, const char *sql, uint32_t limit, uint32_t *count,
                            uint64_t *sum)
{
    double ms[REPEATS];
    for (unsigned i = 0; i < REPEATS; i++) {
        ms[i] = search(p, sql, limit, count, sum);
        if (ms[i] > ONCE_ABOVE_MS)
            return ms[i];
    }
    return measure_quantile(ms, REPEATS, 0.5);
}

static void ask_series(struct peer *p, const char *sql, struct answer *answer)
{
    double began_ns = measure_wall_ns();
    sqlite3_stmt *s = prepare(p, sql);
    while (sqlite3_step(s) == SQLITE_ROW)
        answer->sum += (uint64_t)sqlite3_column_int64(s, 2);
    sqlite3_finalize(s);
    answer->most_ms = (measure_wall_ns() - began_ns) / 1e6;
    answer->asked = true;
}

static void ask_services(struct peer *p, struct side *side)
{
    uint32_t count;
    uint64_t sum;
    side->services_ms =
        search_median(p, "SELECT service, count(*), sum(status = 2) FROM spans GROUP BY service",
                      LIMIT_MOST, &count, &sum);
}

static void ask(struct peer *p, const struct input *in, struct side *side)
{
    struct question questions[QUESTIONS_MAX], series;
    unsigned count = questions_make(in, questions);
    peak_reset(getpid());
    ask_traces(p, in, side);
    ask_services(p, side);
    for (unsigned i = 0; i < count; i++) {
        struct answer *a = &side->answers[i];
        uint64_t sum;
        if (!questions[i].sqlite[0])
            continue;
        a->page_ms = search_median(p, questions[i].sqlite, LIMIT_PAGE, &a->page, &sum);
        a->most_ms = search_median(p, questions[i].sqlite, LIMIT_MOST, &a->most, &a->sum);
        a->asked = true;
    }
    questions_series(in, &series);
    ask_series(p, series.sqlite, &side->series);
    side->query_peak_mib = memory_mib(getpid(), "VmHWM");
}

int run_sqlite(const struct input *in, struct side *side)
{
    struct peer p = {.db = NULL};
    snprintf(p.path, sizeof p.path, "%s/traces.db", in->directory);
    open_peer(&p);
    ingest(&p, in, side);
    close_peer(&p);
    evict(in->directory);
    double began_ns = measure_wall_ns();
    open_peer(&p);
    execute(&p, "SELECT 1 FROM spans LIMIT 1");
    side->start_ms = (measure_wall_ns() - began_ns) / 1e6;
    ask(&p, in, side);
    close_peer(&p);
    side->there = true;
    return 0;
}

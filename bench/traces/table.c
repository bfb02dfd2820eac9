// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "bench/traces/traces.h"

enum { COLUMNS_SHOWN = 12 };

struct printing {
    const struct input *in;
    const struct side *weft, *sqlite, *clickhouse;
};

/* Three digits are enough of anything. */
static void put_number(double value)
{
    if (value <= 0)
        printf(" %10s", "-");
    else if (value >= 100)
        printf(" %10.0f", value);
    else
        printf(" %10.*f", value < 1 ? 3 : value < 10 ? 2 : 1, value);
}

static void put_ratio(const struct side *peer, double value, double ours)
{
    char text[24] = "-";
    if (peer->there && value > 0 && ours > 0)
        snprintf(text, sizeof text, "%.*fx",
                 value / ours >= 10    ? 0
                 : value / ours >= 0.1 ? 2
                                       : 4,
                 value / ours);
    printf(" %8s", text);
}

/* One line; smaller is better, ratios are peer / ours. */
static void put_line(const struct printing *p, const char *name, double ours, double sqlite,
                     double clickhouse, const char *note)
{
    printf("%-44s", name);
    put_number(ours);
    put_number(p->sqlite->there ? sqlite : 0);
    put_ratio(p->sqlite, sqlite, ours);
    put_number(p->clickhouse->there ? clickhouse : 0);
    put_ratio(p->clickhouse, clickhouse, ours);
    printf("  %s\n", note);
}

static void put_head(const struct printing *p, const char *title)
{
    char sqlite[32] = "SQLite";
    if (p->sqlite->there && p->sqlite->spans != p->weft->spans)
        snprintf(sqlite, sizeof sqlite, "SQLite %gM", (double)p->sqlite->spans / 1e6);
    printf("\n%-44s %10s %10s %8s %10s %8s\n", title, "Weft", sqlite, "/ours", "ClickHouse",
           "/ours");
}

static double per_span(double value, const struct side *side)
{
    return side->spans ? value / (double)side->spans : 0;
}

static double per_second(double wall_ns, const struct side *side)
{
    return wall_ns > 0 ? (double)side->spans * 1e9 / wall_ns : 0;
}

static const char *verdict(bool met)
{
    return met ? "met" : "NOT met";
}

/* ---- parts ------------------------------------------------------------------------------- */

static void put_ingest(const struct printing *p)
{
    const struct side *w = p->weft, *s = p->sqlite, *c = p->clickhouse;
    char note[120];
    put_head(p, "ingest, CPU ns a span");
    double commit = per_span(w->commit_cpu_ns, w);
    snprintf(note, sizeof note, "budget 1,000 (a million spans/s a core): %s",
             verdict(commit <= 1000));
    put_line(p, "batch to durable head", commit, 0, 0, note);
    double cut = commit + per_span(w->cut_cpu_ns, w);
    snprintf(note, sizeof note, "the same, cut included: %s; %llu cuts", verdict(cut <= 1000),
             (unsigned long long)w->cuts);
    put_line(p, "the same, and cut to segments", cut, per_span(s->commit_cpu_ns, s),
             per_span(c->commit_cpu_ns, c), note);
    snprintf(note, sizeof note, "%llu merges, %llu segments (ClickHouse: %llu parts)",
             (unsigned long long)w->merges, (unsigned long long)w->segments,
             (unsigned long long)c->segments);
    put_line(p, "the same, and merged", cut + per_span(w->merge_cpu_ns, w),
             per_span(s->commit_cpu_ns + s->cut_cpu_ns, s),
             per_span(c->commit_cpu_ns + c->merge_cpu_ns, c), note);

    printf("\n%-44s %10s %10s %8s %10s\n", "ingest, spans a second (of time that passed)", "Weft",
           "SQLite", "", "ClickHouse");
    const double walls[][3] = {
        {w->commit_wall_ns, 0, 0},
        {w->cut_wall_ns, s->cut_wall_ns, c->cut_wall_ns},
        {w->merged_wall_ns, s->merged_wall_ns, c->merged_wall_ns},
    };
    const char *names[] = {"acknowledged (waits for cutting)", "in segments (peers: answered)",
                           "merged (SQLite: analysed)"};
    for (unsigned i = 0; i < 3; i++)
        printf("%-44s %10.0f %10.0f %8s %10.0f\n", names[i], per_second(walls[i][0], w),
               per_second(walls[i][1], s), "", per_second(walls[i][2], c));
}

static void put_columns(const struct printing *p)
{
    struct side w = *p->weft;
    uint64_t rest = w.disk_bytes;
    for (unsigned shown = 0; shown < COLUMNS_SHOWN && shown < w.columns; shown++) {
        unsigned most = 0;
        for (unsigned i = 1; i < w.columns; i++)
            most = w.column_bytes[i] > w.column_bytes[most] ? i : most;
        if (w.column_bytes[most] == 0)
            break;
        printf("    %-40s %10.3f\n", w.column[most], per_span((double)w.column_bytes[most], &w));
        rest -= w.column_bytes[most] < rest ? w.column_bytes[most] : rest;
        w.column_bytes[most] = 0;
    }
    printf("    %-40s %10.3f\n", "the rest", per_span((double)rest, &w));
}

static void put_bytes(const struct printing *p)
{
    const struct side *w = p->weft;
    double bytes = per_span((double)w->disk_bytes, w);
    double budget = p->in->kind == WORKLOAD_DASHBOARD ? 10 : 25;
    char note[80];
    put_head(p, "bytes a span");
    snprintf(note, sizeof note, "budget %.0f: %s", budget, verdict(bytes <= budget));
    put_line(p, "on disk", bytes, per_span((double)p->sqlite->disk_bytes, p->sqlite),
             per_span((double)p->clickhouse->disk_bytes, p->clickhouse), note);
    put_columns(p);
    put_line(p, "in the ledger, until it is aged out", per_span((double)w->ledger_bytes, w), 0, 0,
             "");
}

static void put_lookups(const struct printing *p)
{
    const struct side *w = p->weft, *s = p->sqlite, *c = p->clickhouse;
    char note[80];
    put_head(p, "milliseconds");
    put_line(p, "start, page cache cold", w->start_ms, s->start_ms, c->start_ms,
             w->start_ms <= 1000 ? "budget 1,000: met" : "budget 1,000: NOT met");
    snprintf(note, sizeof note, "budget 5: %s; %.1f spans a trace", verdict(w->cold_ms.p50 <= 5),
             (double)w->trace_spans / 100);
    put_line(p, "trace by id, cold, median", w->cold_ms.p50, s->cold_ms.p50, c->cold_ms.p50, note);
    put_line(p, "  p99", w->cold_ms.p99, s->cold_ms.p99, c->cold_ms.p99, "");
    snprintf(note, sizeof note, "budget 1: %s", verdict(w->warm_ms.p50 <= 1));
    put_line(p, "trace by id, warm, median", w->warm_ms.p50, s->warm_ms.p50, c->warm_ms.p50, note);
    put_line(p, "  p99", w->warm_ms.p99, s->warm_ms.p99, c->warm_ms.p99, "");
    put_line(p, "services", w->services_ms, s->services_ms, c->services_ms, "");
}

/* Whether a peer that has the same spans found the same traces. */
static const char *compared(const struct side *w, const struct side *peer, const struct answer *a,
                            const struct answer *b)
{
    if (!peer->there || !b->asked || w->spans != peer->spans)
        return "";
    return a->most == b->most && a->sum == b->sum ? " =" : " DIFFERS";
}

static void put_searches(const struct printing *p)
{
    struct question list[QUESTIONS_MAX], series;
    unsigned count = questions_make(p->in, list);
    const struct side *w = p->weft, *s = p->sqlite, *c = p->clickhouse;
    for (int most = 0; most < 2; most++) {
        put_head(p, most ? "search, ms, the newest 1,000 traces" : "search, ms, the newest 20");
        for (unsigned i = 0; i < count; i++) {
            const struct answer *a = &w->answers[i], *b = &s->answers[i], *d = &c->answers[i];
            char note[120];
            double ms = most ? a->most_ms : a->page_ms;
            snprintf(note, sizeof note, "%u%s%s%s", most ? a->most : a->page,
                     ms > 50 ? ", over 50 ms" : "", most && *compared(w, s, a, b) ? ", SQLite" : "",
                     most ? compared(w, s, a, b) : "");
            if (most && *compared(w, c, a, d))
                snprintf(note + strlen(note), sizeof note - strlen(note), ", ClickHouse%s",
                         compared(w, c, a, d));
            put_line(p, list[i].name, ms, most ? b->most_ms : b->page_ms,
                     most ? d->most_ms : d->page_ms, note);
        }
    }
    questions_series(p->in, &series);
    char note[120];
    snprintf(note, sizeof note, "%llu spans counted%s", (unsigned long long)w->series.sum,
             compared(w, c, &(struct answer){.sum = w->series.sum},
                      &(struct answer){.sum = c->series.sum, .asked = c->series.asked}));
    put_line(p, series.name, w->series.most_ms, s->series.most_ms, c->series.most_ms, note);
    printf("(budget 50 ms for a value; = : the same traces)\n");
}

static void put_memory(const struct printing *p)
{
    const struct side *w = p->weft, *s = p->sqlite, *c = p->clickhouse;
    put_head(p, "memory, MiB resident");
    put_line(p, "peak while taking in", w->ingest_peak_mib, s->ingest_peak_mib, c->ingest_peak_mib,
             "memory: 512M");
    put_line(p, "at rest after it", w->rest_mib, s->rest_mib, c->rest_mib, "");
    put_line(p, "after a start", w->opened_mib, s->opened_mib, c->opened_mib, "");
    put_line(p, "peak while asked", w->query_peak_mib, s->query_peak_mib, c->query_peak_mib, "");
}

void table_print(const struct input *in, const struct side *weft, const struct side *sqlite,
                 const struct side *clickhouse)
{
    struct printing p = {in, weft, sqlite, clickhouse};
    printf("\n%s: %llu spans", workload_name(in->kind), (unsigned long long)weft->spans);
    if (sqlite->there)
        printf("; SQLite has %llu", (unsigned long long)sqlite->spans);
    if (clickhouse->there)
        printf("; ClickHouse has %llu", (unsigned long long)clickhouse->spans);
    printf("\n");
    if (!sqlite->there)
        printf("SQLite: %s\n", sqlite->why);
    if (!clickhouse->there)
        printf("ClickHouse: %s\n", clickhouse->why);
    put_ingest(&p);
    put_bytes(&p);
    put_lookups(&p);
    put_searches(&p);
    put_memory(&p);
    fflush(stdout);
}

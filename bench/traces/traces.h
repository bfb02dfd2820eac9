// SPDX-License-Identifier: Apache-2.0
/* What the parts of bench_traces share: the questions, and what a side (Weft or a peer) tells of
 * itself. Each side runs in a process of its own, one after the other, so that memory and
 * processor time are its own; what it tells lies in memory that the processes share.
 *
 *   questions.c        the same questions as TraceQL and as SQL of both peers
 *   weft_ingest.c      batches through the committing thread's code, until cut and merged
 *   weft_ask.c         questions to the store
 *   peer_sqlite.c, peer_clickhouse.c (its server: clickhouse_server.c)
 *   table.c            what is printed
 */
#ifndef WEFT_BENCH_TRACES_TRACES_H
#define WEFT_BENCH_TRACES_TRACES_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/workload.h"

enum {
    QUESTIONS_MAX = 20,
    QUESTION_BYTES = 900,
    COLUMNS_MAX = 64,
    COLUMN_BYTES = 40,
    LIMIT_PAGE = 20,
    LIMIT_MOST = 1000,
    REPEATS = 5,
    SERIES_STEPS = 60,
};

struct input {
    enum workload_kind kind;
    uint64_t spans, traces, seed, start_unix_ns;
    uint64_t step_ns;      /* of the series: 1 / SERIES_STEPS of the workload's time */
    const char *directory; /* of this side alone, on disk; removed by the caller */
};

/* Trace n's id: so each side asks for ids that are there. */
struct trace_id input_trace_id(const struct input *in, uint64_t n);
/* Counts the traces that `spans` spans have, all of whose spans are among them. */
uint64_t input_count_traces(const struct input *in);

struct question {
    const char *name;
    char traceql[QUESTION_BYTES];
    /* SELECT of trace_hi of each trace (SQLite: equal ones follow each other), newest first;
     * empty: it cannot be said in that language. */
    char sqlite[QUESTION_BYTES], clickhouse[QUESTION_BYTES];
};
/* Returns how many. */
unsigned questions_make(const struct input *in, struct question list[QUESTIONS_MAX]);
/* Rate by service, in steps. */
void questions_series(const struct input *in, struct question *series);

struct answer {
    bool asked;
    double page_ms,
        most_ms;         /* the newest LIMIT_PAGE, LIMIT_MOST; medians; 0: the other is enough */
    uint32_t page, most; /* traces found; a series: how many series */
    uint64_t sum;        /* of the first half of all ids of `most`; a series: of its counts */
};

struct quantiles {
    double p50, p99;
};

struct side {
    bool there;
    char why[300]; /* it is not there */
    uint64_t spans;
    /* Nanoseconds of the whole; commit: until acknowledged, cut: until in segments (a peer: until
     * answered), merged: until there is nothing left to do. CPU of each alone. */
    double commit_wall_ns, cut_wall_ns, merged_wall_ns;
    double commit_cpu_ns, cut_cpu_ns, merge_cpu_ns;
    uint64_t disk_bytes, ledger_bytes, segments, merges, cuts;
    double start_ms;
    struct quantiles cold_ms, warm_ms;
    uint64_t trace_spans; /* of all traces asked for by id, per trace, times 100 */
    double services_ms;
    struct answer answers[QUESTIONS_MAX], series;
    double ingest_peak_mib, rest_mib, opened_mib, query_peak_mib;
    unsigned columns;
    char column[COLUMNS_MAX][COLUMN_BYTES];
    uint64_t column_bytes[COLUMNS_MAX];
};

/* Each fills *side and returns; -1 with side->why when it cannot. */
int run_weft(const struct input *in, struct side *side);
int run_sqlite(const struct input *in, struct side *side);
int run_clickhouse(const struct input *in, struct side *side);

void table_print(const struct input *in, const struct side *weft, const struct side *sqlite,
                 const struct side *clickhouse);

/* ---- helpers ----------------------------------------------------------------------------- */

/* Prints and leaves the process: the side is then told as failed. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Drops every file below `path` from the page cache. */
void evict(const char *path);
uint64_t bytes_below(const char *path);
void remove_below(const char *path);
/* "VmRSS" or "VmHWM" of a process in MiB; peak_reset makes the peak what it is now. */
double memory_mib(int pid, const char *what);
void peak_reset(int pid);

#endif

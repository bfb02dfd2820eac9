// SPDX-License-Identifier: Apache-2.0
/* One evaluation of one query, in one thread.
 *
 * What yields series is a *stream*: asked again and again for the next column, until there is none.
 * A *column* is one series over all steps of a *grid*. Who asks owns the column's memory and says
 * whether it is filled anew each time; so a sum over ten thousand series holds one of them.
 *
 * Failures leave through evaluation_fail, which does not return: everything that must be given back
 * (selections, points, patterns, arenas) is registered with the evaluation. */
#ifndef WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_EVALUATION_H
#define WEFT_COLLECTOR_QUERY_PROMQL_ENGINE_EVALUATION_H

#include <math.h>
#include <setjmp.h>

#include "collector/query/promql/promql.h"

/* Evaluation times: start, start + step … */
struct grid {
    int64_t start_ms, step_ms;
    size_t count;
};

/* The bounds of what can be computed with: times have room for offsets and ranges, whose own bound
 * is a thousandth of an int64_t, and a step's number fits 32 bits. */
#define GRID_TIME_MOST_MS (INT64_MAX / 4)
#define GRID_STEPS_MOST   UINT32_MAX

static inline int64_t grid_time(const struct grid *g, size_t i)
{
    return g->start_ms + (int64_t)i * g->step_ms;
}

struct evaluation;
/* From start to end (none, where that is before it), by steps of at least a millisecond. Fails
 * where it cannot be computed with. */
struct grid grid_between(struct evaluation *ev, int64_t start_ms, int64_t end_ms, int64_t step_ms);

/* What is known of a node before anything is read, by its id. */
struct node_plan {
    int64_t offset_ms, range_ms, step_ms;
    bool has_at;
    int64_t at_ms;
    bool invariant; /* the same at each step */
    bool stats;     /* only count and sum of histograms are wanted */
};

struct column {
    struct labels labels;
    bool drop_name;               /* the metric's name goes at the end of the query */
    bool transient;               /* what hangs on it is valid until the next one */
    double *value;                /* ABSENT where there is no sample */
    struct histogram **histogram; /* NULL: there is none; else NULL where there is none */
    size_t count;                 /* of steps */
    struct arena *arena;          /* of its histograms */
};

struct evaluation {
    const struct promql_query *query;
    const struct series_source *source;
    struct promql_options options;
    struct grid grid; /* the query's */
    struct node_plan *plan;
    struct arena *arena; /* the result's */
    struct promql_result *result;
    jmp_buf exit;
    struct held *held; /* to be given back */
    uint64_t samples_held;
    struct annotations *annotations;
    unsigned checks;
};

/* ---- failing, memory --------------------------------------------------------------------- */

_Noreturn void evaluation_fail(struct evaluation *ev, enum promql_status status, const char *format,
                               ...) __attribute__((format(printf, 3, 4)));
/* These do not return when memory is out, or the limit is reached. */
void *evaluation_alloc(struct evaluation *ev, size_t bytes);
void *evaluation_calloc(struct evaluation *ev, size_t count, size_t bytes);
/* Never NULL: `p` itself, or the evaluation fails. */
void *evaluation_need(struct evaluation *ev, void *p);
/* Fails where the query is to stop: deadline, flag. Cheap; once for each series. */
void evaluation_check(struct evaluation *ev);
/* Counts samples that are held from now on, and no longer. */
void evaluation_hold(struct evaluation *ev, size_t samples);
void evaluation_release(struct evaluation *ev, size_t samples);

/* Registered until the end of the evaluation. */
struct points *evaluation_points(struct evaluation *ev);
struct arena *evaluation_arena(struct evaluation *ev);
struct buffer *evaluation_buffer(struct evaluation *ev);
const struct regex *evaluation_regex(struct evaluation *ev, struct batch_str pattern);
const struct series_selection *evaluation_select(struct evaluation *ev,
                                                 const struct matcher *matchers, size_t count,
                                                 int64_t from_ms, int64_t to_ms);
/* Reads series i. */
void evaluation_read(struct evaluation *ev, const struct series_selection *s, size_t i,
                     int64_t from_ms, int64_t to_ms, struct points *out);
/* The same, but false, with nothing in `out`, where its histograms take more than that (0: they may
 * take any). */
bool evaluation_try_read(struct evaluation *ev, const struct series_selection *s, size_t i,
                         int64_t from_ms, int64_t to_ms, uint64_t histogram_bytes_most,
                         struct points *out);

/* ---- columns ----------------------------------------------------------------------------- */

static inline double absent(void)
{
    union {
        uint64_t bits;
        double value;
    } u = {.bits = SAMPLE_STALE_BITS};
    return u.value;
}

static inline bool is_present(double value)
{
    return !sample_is_stale(value);
}

static inline struct histogram *column_histogram(const struct column *c, size_t i)
{
    return c->histogram ? c->histogram[i] : NULL;
}

/* A column with room for all steps; `transient`: filled again and again. */
struct column *column_create(struct evaluation *ev, size_t steps, bool transient);
void column_clear(struct column *c); /* all absent */
void column_put_histogram(struct evaluation *ev, struct column *c, size_t i, struct histogram *h);
bool column_is_empty(const struct column *c);

/* ---- streams ----------------------------------------------------------------------------- */

struct stream {
    bool (*next)(struct evaluation *ev, struct stream *s, struct column *out);
    const struct promql_expr *expr;
    struct grid grid;
};

/* What an expression of type instant vector yields. */
struct stream *stream_open(struct evaluation *ev, const struct promql_expr *e,
                           const struct grid *grid);
/* False: there is none left. A column may be empty (all absent). */
bool stream_next(struct evaluation *ev, struct stream *s, struct column *out);
/* All of them that are not empty, held. */
struct column_list {
    size_t count, capacity;
    struct column **list;
};
struct column_list stream_collect(struct evaluation *ev, struct stream *s);
void column_list_add(struct evaluation *ev, struct column_list *l, struct column *c);
/* A stream of what is in the list. */
struct stream *stream_of_list(struct evaluation *ev, const struct promql_expr *e,
                              const struct grid *grid, struct column_list list);
/* Joins columns that have the same labels; fails where two of them have a sample at one step. */
void merge_same_labels(struct evaluation *ev, struct column_list *l);

/* The values of a scalar expression, one for each step. */
double *scalar_values(struct evaluation *ev, const struct promql_expr *e, const struct grid *grid);
struct batch_str text_of(const struct promql_expr *e);

static inline const struct node_plan *plan_of(const struct evaluation *ev,
                                              const struct promql_expr *e)
{
    return &ev->plan[e->id];
}

/* Fills ev->plan. */
void plan_query(struct evaluation *ev);

#endif

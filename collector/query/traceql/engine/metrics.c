// SPDX-License-Identifier: Apache-2.0
/* Metrics: each function in the query is counted by each worker for itself, then merged; then the
 * tree of arithmetic, thresholds and top k is worked out from the leaves up. */
#include <math.h>
#include <stdlib.h>

#include "collector/query/traceql/engine/measure.h"

enum { EXEMPLARS_DEFAULT = 100 };

struct metrics {
    struct run run;
    struct measure *measures;
    struct tally *tallies; /* of all */
    uint32_t count, next;  /* next: while the tree is walked */
    uint64_t spans;        /* under the lock */
};

/* ---- units ------------------------------------------------------------------------------- */

static bool wants(struct run *r, size_t unit, const struct block_bounds *b)
{
    const struct metrics *m = r->question;
    (void)unit;
    if (b->start_max_unix_ns < r->options->start_unix_ns ||
        b->start_min_unix_ns >= r->options->end_unix_ns)
        return false;
    for (uint32_t i = 0; i < m->count; i++) {
        if (program_may_match(&m->measures[i].program, b))
            return true;
    }
    return false;
}

/* A worker's tallies, made with its first unit. */
static struct tally *tallies_of(struct metrics *m, struct worker *w)
{
    if (!w->own) {
        struct tally *made = calloc(m->count, sizeof *made);
        for (uint32_t i = 0; made && i < m->count; i++)
            tally_init(&made[i], &m->measures[i]);
        w->own = made;
    }
    return w->own;
}

static bool work(struct worker *w, size_t unit, struct block *block)
{
    struct metrics *m = w->run->question;
    struct tally *tallies = tallies_of(m, w);
    bool done = tallies != NULL;
    for (uint32_t i = 0; done && i < m->count; i++) {
        struct tally *t = &tallies[i];
        size_t before = tally_bytes(t);
        uint64_t spans = t->spans;
        size_t limit = run_limit(w, &t->table.arena);
        tally_limit(t, limit ? limit + t->contrast.arena.total_bytes : 0);
        done = measure_unit(&m->measures[i], w, t, unit, block) && !tally_failed(t);
        run_charge(w->run, tally_bytes(t) - before);
        if (tally_over_limit(t))
            run_end(w->run, TRACEQL_END_MEMORY);
        pthread_mutex_lock(&w->run->lock);
        m->spans += t->spans - spans;
        w->run->progress.matched = m->spans;
        pthread_mutex_unlock(&w->run->lock);
    }
    return done;
}

static void worker_done(struct worker *w)
{
    struct metrics *m = w->run->question;
    struct tally *tallies = w->own;
    for (uint32_t i = 0; tallies && i < m->count; i++) {
        tally_limit(&m->tallies[i], w->run->options->memory_bytes);
        tally_merge(&m->tallies[i], &tallies[i]);
        if (tally_over_limit(&m->tallies[i]))
            run_end(w->run, TRACEQL_END_MEMORY);
        if (tally_failed(&m->tallies[i]))
            run_end(w->run, TRACEQL_END_NO_MEMORY);
        tally_fini(&tallies[i]);
    }
    free(tallies);
}

/* ---- the tree ---------------------------------------------------------------------------- */

static uint32_t count_leaves(const struct traceql_series *s)
{
    if (s->form == TRACEQL_SERIES_METRICS)
        return 1;
    return count_leaves(s->left) + (s->right ? count_leaves(s->right) : 0);
}

static int init_leaves(struct metrics *m, const struct traceql_series *s,
                       const struct measure *like)
{
    if (s->form != TRACEQL_SERIES_METRICS) {
        int result = init_leaves(m, s->left, like);
        return result != 0 || !s->right ? result : init_leaves(m, s->right, like);
    }
    struct measure *one = &m->measures[m->count];
    int result = measure_init(one, s);
    one->start_unix_ns = like->start_unix_ns;
    one->end_unix_ns = like->end_unix_ns;
    one->step_ns = like->step_ns;
    one->steps = like->steps;
    one->exemplar_slots = like->exemplar_slots;
    tally_init(&m->tallies[m->count++], one);
    return result;
}

static struct series_list evaluate(struct metrics *m, struct series_shape *shape,
                                   const struct traceql_series *s)
{
    struct series_list left, right;
    if (s->form == TRACEQL_SERIES_METRICS) {
        struct measure *one = &m->measures[m->next];
        struct tally *t = &m->tallies[m->next++];
        if (s->metrics->function == TRACEQL_COMPARE)
            return contrast_series(shape, &t->contrast, s->metrics->top);
        return series_of_table(shape, &t->table, s->metrics, one->names);
    }
    left = evaluate(m, shape, s->left);
    switch (s->form) {
    case TRACEQL_SERIES_ARITHMETIC:
        right = evaluate(m, shape, s->right);
        return series_arithmetic(shape, s->op, left, right);
    case TRACEQL_SERIES_THRESHOLD:
        return series_threshold(shape, s->op, &s->value, left);
    default:
        return series_top(shape, s->form == TRACEQL_SERIES_TOPK, s->limit, left);
    }
}

/* ---- the answer, made independent -------------------------------------------------------- */

static struct batch_str keep(struct series_shape *s, struct batch_str text)
{
    char *copy = arena_copy(s->arena, text.bytes, text.length);
    if (!copy)
        s->failed = true;
    return (struct batch_str){copy ? copy : "", copy ? text.length : 0};
}

static void keep_labels(struct series_shape *s, struct traceql_timeseries *series)
{
    for (uint32_t i = 0; i < series->label_count; i++) {
        struct traceql_named *label = &series->labels[i];
        label->name = keep(s, label->name);
        if (label->value.type == TRACEQL_STRING)
            label->value.text = keep(s, label->value.text);
    }
}

static void keep_series(struct series_shape *s, struct traceql_metrics_answer *a,
                        struct series_list list)
{
    a->series = list.list;
    a->count = list.count;
    for (uint32_t i = 0; i < list.count && !s->failed; i++)
        keep_labels(s, &list.list[i]);
}

/* ---- the whole --------------------------------------------------------------------------- */

static uint32_t exemplars_for(const struct traceql_query *q, uint32_t asked)
{
    const struct traceql_hint *hint = traceql_hint(q, "exemplars");
    if (!hint)
        return asked;
    if (hint->value.type == TRACEQL_BOOL)
        return !hint->value.boolean ? 0 : asked ? asked : EXEMPLARS_DEFAULT;
    return hint->value.integer < EXEMPLARS_DEFAULT ? (uint32_t)hint->value.integer
                                                   : EXEMPLARS_DEFAULT;
}

static struct measure frame_of_time(const struct traceql_options *o, uint64_t step_ns,
                                    uint32_t exemplars)
{
    struct measure m = {.start_unix_ns = o->start_unix_ns, .end_unix_ns = o->end_unix_ns};
    uint64_t length = o->end_unix_ns > o->start_unix_ns ? o->end_unix_ns - o->start_unix_ns : 1;
    m.step_ns = step_ns ? step_ns : length;
    uint64_t steps = (length - 1) / m.step_ns + 1;
    m.steps = steps < TRACEQL_STEPS_MAX ? (uint32_t)steps : TRACEQL_STEPS_MAX;
    m.exemplar_slots = exemplars < m.steps ? exemplars : m.steps;
    return m;
}

static void finish(struct metrics *m, const struct traceql_query *query, const struct measure *like,
                   struct traceql_metrics_answer *answer)
{
    struct series_shape shape = {
        .arena = &answer->arena,
        .limit_bytes = m->run.options->memory_bytes,
        .step_ns = like->step_ns,
        .steps = like->steps,
    };
    keep_series(&shape, answer, evaluate(m, &shape, query->series));
    if (shape.failed) {
        answer->count = 0;
        answer->end = shape.over_limit ? TRACEQL_END_MEMORY : TRACEQL_END_NO_MEMORY;
    }
}

bool traceql_measure(const struct traceql_query *query, const struct traceql_source *source,
                     const struct traceql_options *options, uint64_t step_ns, uint32_t exemplars,
                     struct traceql_metrics_answer *answer)
{
    struct metrics m = {.count = 0};
    struct measure like = frame_of_time(options, step_ns, exemplars_for(query, exemplars));
    uint32_t leaves = count_leaves(query->series);
    m.run = (struct run){.source = source,
                         .options = options,
                         .wants = wants,
                         .work = work,
                         .worker_done = worker_done,
                         .question = &m,
                         .lock = PTHREAD_MUTEX_INITIALIZER};
    *answer = (struct traceql_metrics_answer){.end = TRACEQL_END_NO_MEMORY,
                                              .start_unix_ns = like.start_unix_ns,
                                              .step_ns = like.step_ns,
                                              .steps = like.steps};
    arena_init(&answer->arena, 16 << 10);
    m.measures = calloc(leaves, sizeof *m.measures);
    m.tallies = calloc(leaves, sizeof *m.tallies);
    bool begun = m.measures && m.tallies && init_leaves(&m, query->series, &like) == 0;
    if (begun) {
        answer->end = run_all(&m.run);
        answer->progress = m.run.progress;
        finish(&m, query, &like, answer);
    }
    for (uint32_t i = 0; i < m.count; i++) {
        measure_fini(&m.measures[i]);
        tally_fini(&m.tallies[i]);
    }
    free(m.measures);
    free(m.tallies);
    return begun;
}

void traceql_metrics_fini(struct traceql_metrics_answer *answer)
{
    arena_fini(&answer->arena);
    *answer = (struct traceql_metrics_answer){0};
}

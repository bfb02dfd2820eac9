// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/phases.h"

#include <math.h>
#include <stdlib.h>

#include "collector/query/analysis/dense.h"
#include "collector/query/analysis/node.h"

enum { UNKNOWN_KEY = 0 };

struct exemplar {
    struct trace_id id;
    uint64_t critical_ns;
};

struct phase_sum {
    uint64_t traces, critical_ns;
    uint64_t trace_ns; /* of the trace being added */
    struct exphist per_trace;
    struct exemplar exemplars[PHASES_EXEMPLARS];
};

void phases_init(struct phases *p, uint32_t limit)
{
    *p = (struct phases){0};
    operations_init(&p->operations, limit);
}

void phases_fini(struct phases *p)
{
    uint32_t limit = p->operations.limit;
    for (uint32_t i = 0; i < p->capacity; i++)
        exphist_fini(&p->sums[i].per_trace);
    free(p->sums);
    free(p->touched);
    operations_fini(&p->operations);
    phases_init(p, limit);
}

static int cover(struct phases *p)
{
    uint32_t keys = p->operations.count + 2;
    struct phase_sum *sums = dense_cover(p->sums, &p->capacity, keys, sizeof *sums);
    if (!sums)
        return -1;
    p->sums = sums;
    uint32_t *touched = dense_cover(p->touched, &p->touched_capacity, keys, sizeof *touched);
    if (!touched)
        return -1;
    p->touched = touched;
    return 0;
}

/* Adds to the trace's sum under `key`; a key met for the first time is noted in `touched`. */
static void touch(struct phases *p, uint32_t key, uint64_t critical_ns, uint32_t *touched)
{
    if (critical_ns == 0)
        return;
    if (p->sums[key].trace_ns == 0)
        p->touched[(*touched)++] = key;
    p->sums[key].trace_ns += critical_ns;
}

static void note_exemplar(struct phase_sum *s, struct trace_id id)
{
    struct exemplar new = {id, s->trace_ns};
    for (int i = 0; i < PHASES_EXEMPLARS; i++) {
        if (new.critical_ns > s->exemplars[i].critical_ns) {
            struct exemplar pushed = s->exemplars[i];
            s->exemplars[i] = new;
            new = pushed;
        }
    }
}

static int settle(struct phase_sum *s, struct trace_id id)
{
    if (s->per_trace.limit == 0)
        exphist_init(&s->per_trace, 0);
    int result = exphist_add(&s->per_trace, (double)s->trace_ns, 1);
    s->traces++;
    s->critical_ns += s->trace_ns;
    note_exemplar(s, id);
    return result;
}

int phases_add(struct phases *p, const struct tree *t, const struct critical_path *path,
               struct trace_id id)
{
    int result = cover(p);
    uint32_t touched = 0;
    for (uint32_t i = 0; result == 0 && i < t->count; i++) {
        if (path->critical_ns[i] == 0)
            continue;
        uint32_t operation = operations_learn_node(&p->operations, t, i);
        result = operation == OPERATION_NONE ? -1 : cover(p);
        if (result == 0)
            touch(p, operation + 1, path->critical_ns[i], &touched);
    }
    if (result == 0) {
        touch(p, UNKNOWN_KEY, path->unknown_ns, &touched);
        p->traces++;
        p->total_ns += path->total_ns;
    }
    for (uint32_t i = 0; i < touched; i++) {
        struct phase_sum *s = &p->sums[p->touched[i]];
        if (result == 0)
            result = settle(s, id);
        s->trace_ns = 0;
    }
    return result;
}

/* ---- rows -------------------------------------------------------------------------------- */

/* The quantile q among all traces: those without the operation have 0. */
static double quantile(const struct phases *p, const struct phase_sum *s, double q)
{
    double without = (double)(p->traces - s->traces), all = (double)p->traces;
    double target = q * all;
    if (target <= without || s->traces == 0)
        return 0;
    return exphist_quantile(&s->per_trace, (target - without) / (double)s->traces);
}

static struct phase row_of(const struct phases *p, uint32_t key)
{
    const struct phase_sum *s = &p->sums[key];
    struct phase row = {
        .operation = key == UNKNOWN_KEY ? PHASES_UNKNOWN : key - 1,
        .traces = s->traces,
        .critical_ns = s->critical_ns,
        .share = p->total_ns > 0 ? (double)s->critical_ns / (double)p->total_ns : 0,
        .p50_ns = quantile(p, s, 0.5),
        .p99_ns = quantile(p, s, 0.99),
        .max_ns = s->per_trace.max,
    };
    while (row.exemplar_count < PHASES_EXEMPLARS && s->exemplars[row.exemplar_count].critical_ns) {
        row.exemplars[row.exemplar_count] = s->exemplars[row.exemplar_count].id;
        row.exemplar_count++;
    }
    return row;
}

static int largest_first(const void *left, const void *right)
{
    const struct phase *a = left, *b = right;
    if (a->critical_ns != b->critical_ns)
        return a->critical_ns > b->critical_ns ? -1 : 1;
    return (a->operation > b->operation) - (a->operation < b->operation);
}

struct phase *phases_rows(const struct phases *p, uint32_t *count)
{
    struct phase *rows = malloc(((size_t)p->capacity + 1) * sizeof *rows);
    *count = 0;
    if (!rows)
        return NULL;
    for (uint32_t key = 0; key < p->capacity; key++) {
        if (p->sums[key].traces > 0)
            rows[(*count)++] = row_of(p, key);
    }
    if (*count > 1)
        qsort(rows, *count, sizeof *rows, largest_first);
    return rows;
}

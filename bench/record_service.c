// SPDX-License-Identifier: Apache-2.0
/* A service that records a workload through libweft, as a real one would, for the benchmarks of
 * the agent and of the whole.
 *
 *     bench_record_service dashboard|eleven SPANS-PER-SECOND SECONDS [THREADS [WORK-NS]]
 *
 * Traces are drawn from the seeded workload, made into trees, and recorded root first with begin
 * and end nested as in a request. Spans per second is for all threads; 0: as fast as it goes.
 * WORK-NS is spent in each trace besides, so that recording is compared with something. Prints
 * one line of JSON: spans begun, CPU, what libweft lost.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "bench/workload.h"
#include "weft/weft.h"

enum { POOL_SPANS = 4000, TRACE_SPANS_MAX = 64, THREADS_MAX = 64 };

struct node {
    struct weft_name *name, *keys[WORKLOAD_ATTRIBUTES_MAX];
    struct workload_attribute attributes[WORKLOAD_ATTRIBUTES_MAX];
    size_t lengths[WORKLOAD_ATTRIBUTES_MAX];
    unsigned attribute_count;
    enum weft_kind kind;
    bool failed;
    uint64_t span_id, parent_id;
    struct node *first_child, *sibling;
};

struct tree {
    struct trace_id id;
    struct node *root;
    unsigned spans;
};

static struct node nodes[POOL_SPANS];
static struct tree trees[POOL_SPANS];
static unsigned tree_count;

static struct {
    double spans_per_second, seconds, work_ns;
    unsigned threads;
} plan;

/* ---- trees ------------------------------------------------------------------------------- */

static void take_node(struct node *n, const struct workload_span *s)
{
    *n = (struct node){.name = weft_intern(s->name),
                       .kind = (enum weft_kind)s->kind,
                       .failed = s->status == SPAN_ERROR,
                       .span_id = s->span_id,
                       .parent_id = s->parent_id,
                       .attribute_count = s->attribute_count};
    for (unsigned i = 0; i < s->attribute_count; i++) {
        n->attributes[i] = s->attributes[i];
        n->keys[i] = weft_intern(s->attributes[i].key);
        if (s->attributes[i].type == VALUE_STRING) {
            n->attributes[i].text = strdup(s->attributes[i].text);
            n->lengths[i] = strlen(s->attributes[i].text);
        }
    }
}

static struct tree *tree_of(struct trace_id id)
{
    for (unsigned i = 0; i < tree_count; i++)
        if (trees[i].id.hi == id.hi && trees[i].id.lo == id.lo)
            return &trees[i];
    trees[tree_count].id = id;
    return &trees[tree_count++];
}

/* Parents come after their children in the workload: links are made when all are there. */
static void hang(unsigned i, const struct tree *of[])
{
    for (unsigned k = 0; k < POOL_SPANS; k++)
        if (of[k] == of[i] && nodes[k].span_id == nodes[i].parent_id) {
            nodes[i].sibling = nodes[k].first_child;
            nodes[k].first_child = &nodes[i];
            return;
        }
}

static void make_trees(enum workload_kind kind)
{
    static const struct tree *of[POOL_SPANS];
    struct workload *w = workload_create(kind, 42, 1);
    for (unsigned i = 0; i < POOL_SPANS; i++) {
        const struct workload_span *s = workload_next(w);
        take_node(&nodes[i], s);
        of[i] = tree_of(s->trace_id);
    }
    for (unsigned i = 0; i < POOL_SPANS; i++) {
        struct tree *tree = &trees[of[i] - trees];
        tree->spans++;
        if (nodes[i].parent_id == 0)
            tree->root = &nodes[i];
        else
            hang(i, of);
    }
    workload_destroy(&w);
}

/* ---- recording --------------------------------------------------------------------------- */

static void record(const struct node *n)
{
    weft_span span = weft_begin(n->name, n->kind);
    for (unsigned i = 0; i < n->attribute_count; i++) {
        const struct workload_attribute *a = &n->attributes[i];
        if (a->type == VALUE_STRING)
            weft_set_string_n(span, n->keys[i], a->text, n->lengths[i]);
        else
            weft_set_int(span, n->keys[i], a->number);
    }
    if (n->failed)
        weft_set_status(span, WEFT_ERROR, "failed");
    for (const struct node *child = n->first_child; child; child = child->sibling)
        record(child);
    weft_end(span);
}

static unsigned spans_below(const struct node *n)
{
    unsigned count = 1;
    for (const struct node *child = n->first_child; child; child = child->sibling)
        count += spans_below(child);
    return count;
}

static void work(double ns)
{
    volatile uint64_t x = 1;
    /* A multiplication with a dependent one behind it takes about a nanosecond and a half. */
    for (int i = 0; i < (int)(ns / 1.5); i++)
        x = x * 6364136223846793005u + 1442695040888963407u;
}

static void pause_until(double ns)
{
    double left = ns - measure_wall_ns();
    if (left < 200000)
        return;
    struct timespec t = {.tv_sec = (time_t)(left / 1e9), .tv_nsec = (long)left % 1000000000};
    nanosleep(&t, NULL);
}

static void *serve(void *context)
{
    uint64_t *spans = context;
    double start = measure_wall_ns(), end = start + plan.seconds * 1e9;
    double ns_per_span = plan.spans_per_second > 0 ? 1e9 * plan.threads / plan.spans_per_second : 0;
    unsigned i = (unsigned)((uintptr_t)context / sizeof *spans * 37) % tree_count;
    while (measure_wall_ns() < end) {
        i = (i + 1) % tree_count;
        if (!trees[i].root)
            continue; /* it began before the pool did */
        record(trees[i].root);
        *spans += spans_below(trees[i].root);
        if (plan.work_ns > 0)
            work(plan.work_ns);
        if (ns_per_span > 0)
            pause_until(start + (double)*spans * ns_per_span);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 6) {
        fprintf(stderr, "usage: bench_record_service dashboard|eleven SPANS-PER-SECOND SECONDS "
                        "[THREADS [WORK-NS]]\n");
        return 2;
    }
    plan.spans_per_second = atof(argv[2]);
    plan.seconds = atof(argv[3]);
    plan.threads = argc > 4 ? (unsigned)atoi(argv[4]) : 1;
    plan.work_ns = argc > 5 ? atof(argv[5]) : 0;
    if (plan.threads < 1 || plan.threads > THREADS_MAX)
        return 2;
    make_trees(strcmp(argv[1], "eleven") == 0 ? WORKLOAD_ELEVEN : WORKLOAD_DASHBOARD);

    pthread_t threads[THREADS_MAX];
    static uint64_t spans[THREADS_MAX * 16]; /* a cache line each */
    uint64_t sum = 0;
    double cpu = measure_cpu_ns();
    for (unsigned i = 0; i < plan.threads; i++)
        pthread_create(&threads[i], NULL, serve, &spans[i * 16]);
    for (unsigned i = 0; i < plan.threads; i++) {
        pthread_join(threads[i], NULL);
        sum += spans[i * 16];
    }
    struct weft_losses lost;
    weft_get_losses(&lost);
    printf("{\"spans\": %llu, \"cpu_ns\": %.0f, \"ring_full\": %llu, \"no_slot\": %llu, "
           "\"no_room\": %llu}\n",
           (unsigned long long)sum, measure_cpu_ns() - cpu, (unsigned long long)lost.ring_full,
           (unsigned long long)lost.no_slot, (unsigned long long)lost.attribute_no_room);
    return 0;
}

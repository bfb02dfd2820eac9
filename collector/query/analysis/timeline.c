// SPDX-License-Identifier: Apache-2.0
#include "collector/query/analysis/timeline.h"

#include <stdlib.h>

static int last_end_first(const void *left, const void *right)
{
    const struct timeline_span *a = left, *b = right;
    if (a->end_unix_ns != b->end_unix_ns)
        return a->end_unix_ns > b->end_unix_ns ? -1 : 1;
    if (a->start_unix_ns != b->start_unix_ns)
        return a->start_unix_ns < b->start_unix_ns ? -1 : 1;
    return (a->node > b->node) - (a->node < b->node);
}

static void set_times(struct timeline *l, const struct tree *t, const struct skew *skew)
{
    for (uint32_t i = 0; i < t->count; i++) {
        l->start_unix_ns[i] = skew_start_unix_ns(skew, t, i);
        if (__builtin_add_overflow(l->start_unix_ns[i], tree_duration_ns(t, i), &l->end_unix_ns[i]))
            l->end_unix_ns[i] = UINT64_MAX;
    }
}

static uint32_t group_of(const struct tree *t, uint32_t node)
{
    return t->nodes[node].parent == TREE_NONE ? t->count : t->nodes[node].parent;
}

/* Counted, then placed: `first` holds each group's end while it is being filled. */
static void group(struct timeline *l, const struct tree *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        l->first[group_of(t, i)]++;
    uint32_t end = 0;
    for (uint32_t g = 0; g <= t->count; g++) {
        end += l->first[g];
        l->first[g] = end;
    }
    for (uint32_t i = t->count; i-- > 0;)
        l->spans[--l->first[group_of(t, i)]] =
            (struct timeline_span){l->start_unix_ns[i], l->end_unix_ns[i], i};
    l->first[t->count + 1] = t->count;
    for (uint32_t g = 0; g <= t->count; g++) {
        uint32_t count = l->first[g + 1] - l->first[g];
        if (count > 1)
            qsort(l->spans + l->first[g], count, sizeof *l->spans, last_end_first);
    }
}

int timeline_build(struct timeline *l, const struct tree *t, const struct skew *skew)
{
    size_t count = (size_t)t->count + 1;
    *l = (struct timeline){
        .start_unix_ns = malloc(count * sizeof *l->start_unix_ns),
        .end_unix_ns = malloc(count * sizeof *l->end_unix_ns),
        .spans = malloc(count * sizeof *l->spans),
        .first = calloc(count + 1, sizeof *l->first),
    };
    if (!l->start_unix_ns || !l->end_unix_ns || !l->spans || !l->first) {
        timeline_fini(l);
        return -1;
    }
    set_times(l, t, skew);
    group(l, t);
    return 0;
}

void timeline_fini(struct timeline *l)
{
    free(l->start_unix_ns);
    free(l->end_unix_ns);
    free(l->spans);
    free(l->first);
    *l = (struct timeline){0};
}

struct timeline_list timeline_below(const struct timeline *l, const struct tree *t, uint32_t node)
{
    uint32_t group = node == TREE_NONE ? t->count : node;
    return (struct timeline_list){l->spans + l->first[group],
                                  l->first[group + 1] - l->first[group]};
}

/* The union of the children within the span, from the last end back: `least` is how far it
 * reaches down. */
static uint64_t covered_ns(const struct timeline *l, uint32_t node, struct timeline_list below)
{
    uint64_t least = l->end_unix_ns[node], sum = 0;
    for (uint32_t i = 0; i < below.count; i++) {
        uint64_t start = below.spans[i].start_unix_ns, end = below.spans[i].end_unix_ns;
        if (start < l->start_unix_ns[node])
            start = l->start_unix_ns[node];
        if (end > least)
            end = least;
        if (start >= end)
            continue;
        sum += end - start;
        least = start;
    }
    return sum;
}

void timeline_self_ns(const struct timeline *l, const struct tree *t, uint64_t *self_ns)
{
    for (uint32_t i = 0; i < t->count; i++) {
        uint64_t duration = l->end_unix_ns[i] - l->start_unix_ns[i];
        self_ns[i] = duration - covered_ns(l, i, timeline_below(l, t, i));
    }
}

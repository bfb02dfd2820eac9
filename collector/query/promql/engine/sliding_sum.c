// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/engine/sliding_sum.h"

/* A window is [first, middle) and [middle, end). Of the first part the sums from each sample to
 * `middle` are known, of the second one the sum. Once the first part is used up, all of the window
 * becomes it. */
struct sliding_sum {
    uint64_t series;
    size_t first, middle, end; /* `first`: what `from[0]` is the sum from */
    size_t capacity;
    struct kahan *from, second;
};

struct sliding_sum *sliding_sum_create(struct evaluation *ev)
{
    return evaluation_calloc(ev, 1, sizeof(struct sliding_sum));
}

static void turn(struct evaluation *ev, struct sliding_sum *s, const double *value, size_t first,
                 size_t end)
{
    size_t count = end - first;
    if (count > s->capacity) {
        s->capacity = 2 * count;
        s->from = evaluation_alloc(ev, s->capacity * sizeof *s->from);
    }
    struct kahan sum = {0, 0};
    for (size_t i = count; i-- > 0;) {
        kahan_add(&sum, value[first + i]);
        s->from[i] = sum;
    }
    s->first = first;
    s->middle = s->end = end;
    s->second = (struct kahan){0, 0};
}

bool sliding_sum(struct evaluation *ev, struct sliding_sum *s, uint64_t series, const double *value,
                 size_t first, size_t end, struct kahan *out)
{
    if (s->series != series || first >= s->middle)
        turn(ev, s, value, first, end);
    s->series = series;
    for (; s->end < end; s->end++)
        kahan_add(&s->second, value[s->end]);
    const struct kahan *from = &s->from[first - s->first];
    *out = s->second;
    kahan_add(out, from->sum);
    out->lost += from->lost;
    return isfinite(out->sum) && isfinite(out->lost);
}

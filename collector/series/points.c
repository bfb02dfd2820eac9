// SPDX-License-Identifier: Apache-2.0
#include "collector/series/points.h"

#include <stdlib.h>

enum { POINTS_FIRST = 128, HISTOGRAM_BLOCK_BYTES = 16 << 10 };

void points_init(struct points *p)
{
    *p = (struct points){0};
    arena_init(&p->histograms, HISTOGRAM_BLOCK_BYTES);
}

void points_fini(struct points *p)
{
    free(p->unix_ms);
    free(p->value);
    free((void *)p->histogram);
    arena_fini(&p->histograms);
    *p = (struct points){0};
}

void points_clear(struct points *p)
{
    p->count = 0;
    p->is_too_large = false;
    p->histogram_bytes = 0;
    free((void *)p->histogram);
    p->histogram = NULL;
    if (p->histograms.blocks)
        arena_reset(&p->histograms);
}

int points_reserve(struct points *p, size_t more)
{
    if (more <= p->capacity - p->count)
        return 0;
    size_t capacity = p->capacity ? p->capacity * 2 : POINTS_FIRST;
    while (capacity - p->count < more)
        capacity *= 2;
    int64_t *times = realloc(p->unix_ms, capacity * sizeof *times);
    if (times)
        p->unix_ms = times;
    double *values = realloc(p->value, capacity * sizeof *values);
    if (values)
        p->value = values;
    if (!times || !values)
        return -1;
    if (p->histogram) {
        struct histogram **histograms =
            realloc((void *)p->histogram, capacity * sizeof(struct histogram *));
        if (!histograms)
            return -1;
        p->histogram = histograms;
    }
    p->capacity = capacity;
    return 0;
}

/* From the first histogram on, every sample has a place for one. */
static int begin_histograms(struct points *p)
{
    p->histogram = calloc(p->capacity, sizeof(struct histogram *));
    return p->histogram ? 0 : -1;
}

static uint64_t bytes_of(const struct histogram *h)
{
    uint64_t buckets = (uint64_t)h->positive.count + h->negative.count;
    return sizeof *h + buckets * (sizeof *h->positive.index + sizeof *h->positive.value);
}

int points_add(struct points *p, int64_t unix_ms, double value, struct histogram *h)
{
    if (points_reserve(p, 1) != 0 || (h && !p->histogram && begin_histograms(p) != 0))
        return -1;
    if (h)
        p->histogram_bytes += bytes_of(h);
    if (p->histogram_bytes_most && p->histogram_bytes > p->histogram_bytes_most) {
        p->is_too_large = true;
        return -1;
    }
    p->unix_ms[p->count] = unix_ms;
    p->value[p->count] = value;
    if (p->histogram)
        p->histogram[p->count] = h;
    p->count++;
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "lib/model/exphist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/exphist_index.h"

enum { FIRST_CAPACITY = 16, LEAST_LIMIT = 8 };

/* ---- index ------------------------------------------------------------------------------- */

int32_t exphist_index(double value, int32_t scale)
{
    return exphist_index_6(value) >> (EXPHIST_SCALE - scale);
}

/* The lower bound of bucket `index`, at any scale. */
static double bound(double index, int32_t scale)
{
    return exp2(ldexp(index, -scale));
}

double exphist_upper_bound(int32_t index, int32_t scale)
{
    return bound((double)index + 1, scale);
}

/* ---- ranges ------------------------------------------------------------------------------ */

static int32_t halved(int32_t index, unsigned times)
{
    return index >> times; /* arithmetic: towards minus infinity */
}

static void range_downscale(struct exphist_range *r, unsigned times)
{
    if (r->used == 0 || times == 0)
        return;
    int32_t first = halved(r->first, times);
    uint32_t used = 0;
    for (uint32_t i = 0; i < r->used; i++) {
        uint32_t at = (uint32_t)(halved(r->first + (int32_t)i, times) - first);
        uint64_t count = r->counts[i];
        if (at >= used)
            r->counts[used++] = 0;
        r->counts[at] += count;
    }
    r->first = first;
    r->used = used;
}

void exphist_downscale(struct exphist *h, int32_t scale)
{
    if (scale < EXPHIST_SCALE_LEAST)
        scale = EXPHIST_SCALE_LEAST;
    if (scale >= h->scale)
        return;
    unsigned times = (unsigned)(h->scale - scale);
    range_downscale(&h->positive, times);
    range_downscale(&h->negative, times);
    h->scale = scale;
}

/* Room for the buckets [first, last] beside those in use. False: no memory, nothing changed. */
static bool range_cover(struct exphist_range *r, int32_t first, int32_t last)
{
    if (r->used > 0 && r->first < first)
        first = r->first;
    if (r->used > 0 && r->first + (int32_t)r->used - 1 > last)
        last = r->first + (int32_t)r->used - 1;
    uint32_t wanted = (uint32_t)(last - first) + 1;
    if (wanted > r->capacity) {
        uint32_t capacity = r->capacity ? r->capacity : FIRST_CAPACITY;
        while (capacity < wanted)
            capacity *= 2;
        uint64_t *bigger = realloc(r->counts, capacity * sizeof *bigger);
        if (!bigger)
            return false;
        r->counts = bigger;
        r->capacity = capacity;
    }
    uint32_t below = r->used > 0 ? (uint32_t)(r->first - first) : 0;
    if (below > 0)
        memmove(r->counts + below, r->counts, r->used * sizeof *r->counts);
    memset(r->counts, 0, below * sizeof *r->counts);
    memset(r->counts + below + r->used, 0, (wanted - below - r->used) * sizeof *r->counts);
    r->first = first;
    r->used = wanted;
    return true;
}

static uint32_t span_of(const struct exphist_range *r, int32_t first, int32_t last)
{
    if (r->used > 0 && r->first < first)
        first = r->first;
    if (r->used > 0 && r->first + (int32_t)r->used - 1 > last)
        last = r->first + (int32_t)r->used - 1;
    return (uint32_t)(last - first) + 1;
}

/* Makes room in `r`, a range of h, for [first, last] of scale `scale` (which is h's or higher),
 * by downscaling where there is no other way. -1: there is none. */
static int make_room(struct exphist *h, struct exphist_range *r, int32_t first, int32_t last,
                     int32_t scale)
{
    for (;;) {
        unsigned times = (unsigned)(scale - h->scale);
        int32_t from = halved(first, times), to = halved(last, times);
        if (span_of(r, from, to) <= h->limit && range_cover(r, from, to))
            return 0;
        if (h->scale == EXPHIST_SCALE_LEAST)
            return -1;
        exphist_downscale(h, h->scale - 1);
    }
}

/* ---- adding ------------------------------------------------------------------------------ */

void exphist_init(struct exphist *h, uint32_t limit)
{
    if (limit == 0)
        limit = EXPHIST_LIMIT;
    *h = (struct exphist){.scale = EXPHIST_SCALE,
                          .limit = limit < LEAST_LIMIT ? LEAST_LIMIT : limit};
}

void exphist_fini(struct exphist *h)
{
    free(h->positive.counts);
    free(h->negative.counts);
    exphist_init(h, h->limit);
}

void exphist_clear(struct exphist *h)
{
    h->scale = EXPHIST_SCALE;
    h->count = h->zeros = h->not_finite = 0;
    h->sum = h->min = h->max = 0;
    h->positive.used = h->negative.used = 0;
}

static void note_extremes(struct exphist *h, double min, double max, uint64_t times)
{
    if (h->count == 0 || min < h->min)
        h->min = min;
    if (h->count == 0 || max > h->max)
        h->max = max;
    h->count += times;
}

int exphist_add(struct exphist *h, double value, uint64_t times)
{
    if (times == 0)
        return 0;
    if (!isfinite(value)) {
        h->not_finite += times;
        return 0;
    }
    if (value == 0) {
        h->zeros += times;
    } else {
        struct exphist_range *r = value > 0 ? &h->positive : &h->negative;
        int32_t index = exphist_index_6(fabs(value));
        int32_t bucket = halved(index, (unsigned)(EXPHIST_SCALE - h->scale));
        if (r->used == 0 || bucket < r->first || bucket >= r->first + (int32_t)r->used) {
            if (make_room(h, r, index, index, EXPHIST_SCALE) != 0)
                return -1;
            bucket = halved(index, (unsigned)(EXPHIST_SCALE - h->scale));
        }
        r->counts[bucket - r->first] += times;
    }
    h->sum += value * (double)times;
    note_extremes(h, value, value, times);
    return 0;
}

static int merge_room(struct exphist *to, struct exphist_range *r, const struct exphist_range *from,
                      int32_t scale)
{
    if (from->used == 0)
        return 0;
    return make_room(to, r, from->first, from->first + (int32_t)from->used - 1, scale);
}

static void merge_counts(const struct exphist *to, struct exphist_range *r,
                         const struct exphist_range *from, int32_t scale)
{
    unsigned times = (unsigned)(scale - to->scale);
    for (uint32_t i = 0; i < from->used; i++)
        r->counts[halved(from->first + (int32_t)i, times) - r->first] += from->counts[i];
}

int exphist_merge(struct exphist *to, const struct exphist *from)
{
    exphist_downscale(to, from->scale);
    if (merge_room(to, &to->positive, &from->positive, from->scale) != 0 ||
        merge_room(to, &to->negative, &from->negative, from->scale) != 0)
        return -1;
    merge_counts(to, &to->positive, &from->positive, from->scale);
    merge_counts(to, &to->negative, &from->negative, from->scale);
    to->zeros += from->zeros;
    to->not_finite += from->not_finite;
    to->sum += from->sum;
    if (from->count > 0)
        note_extremes(to, from->min, from->max, from->count);
    return 0;
}

/* ---- asking ------------------------------------------------------------------------------ */

static double clamp(const struct exphist *h, double value)
{
    return value < h->min ? h->min : value > h->max ? h->max : value;
}

/* Buckets from the least value up: the negative ones backwards, zeros, the positive ones. */
static double walk_to(const struct exphist *h, double target)
{
    double before = 0;
    for (uint32_t i = h->negative.used; i-- > 0;) {
        double count = (double)h->negative.counts[i];
        if (count > 0 && before + count >= target)
            return -bound(h->negative.first + (int32_t)i + 1 - (target - before) / count, h->scale);
        before += count;
    }
    if (before + (double)h->zeros >= target && h->zeros > 0)
        return 0;
    before += (double)h->zeros;
    for (uint32_t i = 0; i < h->positive.used; i++) {
        double count = (double)h->positive.counts[i];
        if (count > 0 && before + count >= target)
            return bound(h->positive.first + (int32_t)i + (target - before) / count, h->scale);
        before += count;
    }
    return h->max;
}

double exphist_quantile(const struct exphist *h, double q)
{
    if (h->count == 0 || isnan(q))
        return NAN;
    if (q <= 0)
        return h->min;
    if (q >= 1)
        return h->max;
    return clamp(h, walk_to(h, q * (double)h->count));
}

/* How many in `r` have an absolute value below `value` (above 0). */
static double below(const struct exphist *h, const struct exphist_range *r, double value)
{
    double sum = 0;
    int32_t bucket = exphist_index(value, h->scale);
    for (uint32_t i = 0; i < r->used && r->first + (int32_t)i < bucket; i++)
        sum += (double)r->counts[i];
    int64_t at = (int64_t)bucket - r->first;
    if (at >= 0 && at < (int64_t)r->used) {
        double within = ldexp(log2(value), h->scale) - bucket;
        within = within < 0 ? 0 : within > 1 ? 1 : within;
        sum += within * (double)r->counts[at];
    }
    return sum;
}

double exphist_rank(const struct exphist *h, double value)
{
    if (h->count == 0 || isnan(value))
        return NAN;
    if (value <= h->min)
        return 0;
    if (value > h->max)
        return 1;
    double negative = 0, less;
    for (uint32_t i = 0; i < h->negative.used; i++)
        negative += (double)h->negative.counts[i];
    if (value < 0)
        less = negative - below(h, &h->negative, -value);
    else if (value == 0)
        less = negative;
    else
        less = negative + (double)h->zeros + below(h, &h->positive, value);
    return less / (double)h->count;
}

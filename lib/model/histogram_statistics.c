// SPDX-License-Identifier: Apache-2.0
/* Quantiles, fractions, variance and trimming. Within an exponential bucket values are taken to lie
 * evenly on the logarithmic scale, within a custom and the zero bucket on the linear one. */
#include <math.h>
#include <string.h>

#include "lib/model/histogram.h"

/* The zero bucket reaches to one side only if nothing is on the other; the first custom one begins
 * at 0 where it ends above. */
static void narrow(const struct histogram *h, struct histogram_bucket *b)
{
    if (histogram_is_custom(h)) {
        if (b->lower == -INFINITY && b->upper > 0)
            b->lower = 0;
    } else if (b->zero) {
        if (h->negative.count == 0 && h->positive.count > 0)
            b->lower = 0;
        else if (h->positive.count == 0 && h->negative.count > 0)
            b->upper = 0;
    }
}

/* How much of an exponential bucket is at most `value`. */
static double exponential_part(const struct histogram_bucket *b, double value)
{
    double lower = log2(fabs(b->lower)), upper = log2(fabs(b->upper)), at = log2(fabs(value));
    return value > 0 ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
}

/* ---- quantile ---------------------------------------------------------------------------- */

static double within(const struct histogram *h, const struct histogram_bucket *b, double part)
{
    if (histogram_is_custom(h) || (b->lower <= 0 && b->upper >= 0))
        return b->lower + (b->upper - b->lower) * part;
    double lower = log2(fabs(b->lower)), upper = log2(fabs(b->upper));
    return b->lower > 0 ? exp2(lower + (upper - lower) * part)
                        : -exp2(upper + (lower - upper) * (1 - part));
}

/* Counted from below, or from above for the upper half: the fewer additions, the less is lost.
 * Values that are not numbers stand in no bucket, so with those it is always from below. */
double histogram_quantile(const struct histogram *h, double q, struct histogram_bucket *scratch)
{
    if (q < 0)
        return -INFINITY;
    if (q > 1)
        return INFINITY;
    size_t most = histogram_list(h, scratch);
    if (h->count == 0 || isnan(q) || most == 0)
        return NAN;
    bool up = isnan(h->sum) || q < 0.5;
    double rank = (up ? q : 1 - q) * h->count, count = 0;
    struct histogram_bucket b = {0};
    for (size_t i = 0; i < most; i++) {
        b = scratch[up ? i : most - 1 - i];
        count += b.count;
        if (count >= rank)
            break;
    }
    narrow(h, &b);
    if (histogram_is_custom(h) && b.lower == -INFINITY)
        return b.upper;
    if (histogram_is_custom(h) && b.upper == INFINITY)
        return b.lower;
    if (count > h->count)
        count = h->count;
    if (count < rank)
        return isnan(h->sum) ? NAN : b.upper;
    rank = up ? rank - (count - b.count) : count - rank;
    return within(h, &b, rank / b.count);
}

/* ---- fraction ---------------------------------------------------------------------------- */

struct fraction {
    double bound, rank;
    bool set;
};

static void reach(struct fraction *f, const struct histogram_bucket *b, double rank, bool linear)
{
    if (f->set)
        return;
    if (b->lower >= f->bound) {
        f->rank = rank;
        f->set = true;
    } else if (b->upper > f->bound) {
        double part = 1; /* of a bucket without an end nothing is known to be above */
        if (b->lower != -INFINITY)
            part = linear ? (f->bound - b->lower) / (b->upper - b->lower)
                          : exponential_part(b, f->bound);
        f->rank = rank + b->count * part;
        f->set = true;
    }
}

static double difference(const struct fraction *from, const struct fraction *to, double rank,
                         double total)
{
    double least = from->set && from->rank <= rank ? from->rank : rank;
    double most = to->set && to->rank <= rank ? to->rank : rank;
    return (most - least) / total;
}

double histogram_fraction(const struct histogram *h, double lower, double upper,
                          struct histogram_bucket *scratch)
{
    if (h->count == 0 || isnan(lower) || isnan(upper))
        return NAN;
    if (lower >= upper)
        return 0;
    struct fraction from = {lower, 0, false}, to = {upper, 0, false};
    double rank = 0;
    size_t count = histogram_list(h, scratch);
    for (size_t i = 0; i < count; i++) {
        struct histogram_bucket b = scratch[i];
        narrow(h, &b);
        bool linear = histogram_is_custom(h) || b.zero;
        reach(&from, &b, rank, linear);
        reach(&to, &b, rank, linear);
        rank += b.count;
    }
    return difference(&from, &to, isnan(h->sum) ? rank : h->count, h->count);
}

double histogram_bucket_fraction(const struct histogram_bucket *list, size_t count, double total,
                                 double lower, double upper)
{
    if (total == 0 || isnan(lower) || isnan(upper))
        return NAN;
    if (lower >= upper)
        return 0;
    struct fraction from = {lower, 0, false}, to = {upper, 0, false};
    double rank = 0;
    for (size_t i = 0; i < count; i++) {
        reach(&from, &list[i], rank, true);
        reach(&to, &list[i], rank, true);
        rank += list[i].count;
    }
    return difference(&from, &to, total, total);
}

/* ---- variance ---------------------------------------------------------------------------- */

double histogram_variance(const struct histogram *h, struct histogram_bucket *scratch)
{
    double mean = h->sum / h->count, sum = 0;
    size_t count = histogram_list(h, scratch);
    for (size_t i = 0; i < count; i++) {
        const struct histogram_bucket *b = &scratch[i];
        double value = 0;
        if (histogram_is_custom(h))
            value = (b->upper + b->lower) / 2;
        else if (!b->zero)
            value = copysign(sqrt(b->upper * b->lower), b->upper);
        sum += b->count * (value - mean) * (value - mean);
    }
    return sum / h->count;
}

/* ---- trimming ---------------------------------------------------------------------------- */

struct trim {
    double bound;
    bool upper, custom;
    double count, removed; /* what is left, and the sum of what went */
    bool has_positive, has_negative;
};

/* What stays of a bucket without an end, and about where lies what goes. */
static double keep_of_endless(const struct trim *t, const struct histogram_bucket *b,
                              double *middle)
{
    if (b->lower == -INFINITY) {
        *middle = b->upper;
        bool inside = t->bound >= 0 && b->upper > t->bound && b->upper != INFINITY;
        if (t->upper ? t->bound >= b->upper : t->bound == -INFINITY)
            return b->count;
        if (!inside)
            return 0;
        *middle = t->upper ? (t->bound + b->upper) / 2 : t->bound / 2;
        double below = b->count * t->bound / b->upper;
        return t->upper ? below : b->count - below;
    }
    *middle = b->lower;
    return !t->upper && t->bound <= b->lower ? b->count : 0;
}

static double below_bound(const struct histogram_bucket *b, double bound, bool linear)
{
    if (bound <= b->lower)
        return 0;
    if (bound >= b->upper)
        return b->count;
    return b->count *
           (linear ? (bound - b->lower) / (b->upper - b->lower) : exponential_part(b, bound));
}

/* Of what is cut, the middle is taken between the bound and the bucket's nearer end in counting,
 * and of what goes as a whole without its sign: so does Prometheus, and sums are compared with it.
 */
static double keep_of(const struct trim *t, const struct histogram_bucket *b, bool gone,
                      double *middle)
{
    if (b->lower == -INFINITY || b->upper == INFINITY)
        return keep_of_endless(t, b, middle);
    double from = gone || t->upper ? b->lower : t->bound;
    double to = gone || !t->upper ? b->upper : t->bound;
    if (t->custom)
        *middle = (b->lower + b->upper) / 2;
    else
        *middle = copysign(sqrt(fabs(from) * fabs(to)), gone || b->upper > 0 ? 1 : -1);
    if (gone)
        return 0;
    double below = below_bound(b, t->bound, t->custom);
    return t->upper ? below : b->count - below;
}

static double trim_bucket(struct trim *t, const struct histogram_bucket *b)
{
    double middle = 0, keep = b->count;
    bool whole = t->upper ? b->upper <= t->bound : b->lower >= t->bound;
    bool gone = t->upper ? b->lower >= t->bound : b->upper <= t->bound;
    if (!whole) {
        keep = keep_of(t, b, gone, &middle);
        t->removed += (b->count - keep) * middle;
    }
    t->count += keep;
    return keep;
}

static void trim_positive(struct histogram *h, struct trim *t)
{
    for (uint32_t i = 0; i < h->positive.count; i++) {
        int32_t index = h->positive.index[i];
        struct histogram_bucket b = {-INFINITY, INFINITY, h->positive.value[i], false};
        if (b.count == 0)
            continue;
        if (!t->custom) {
            b.lower = histogram_upper_bound(index - 1, h->schema);
            b.upper = histogram_upper_bound(index, h->schema);
        } else {
            if (index > 0)
                b.lower = h->custom[index - 1];
            if ((uint32_t)index < h->custom_count)
                b.upper = h->custom[index];
        }
        t->has_positive |= b.upper > 0;
        t->has_negative |= b.lower < 0 && t->custom;
        h->positive.value[i] = trim_bucket(t, &b);
    }
}

static void trim_negative(struct histogram *h, struct trim *t)
{
    for (uint32_t i = 0; i < h->negative.count; i++) {
        int32_t index = h->negative.index[i];
        struct histogram_bucket b = {-histogram_upper_bound(index, h->schema),
                                     -histogram_upper_bound(index - 1, h->schema),
                                     h->negative.value[i], false};
        if (b.count == 0)
            continue;
        t->has_negative = true;
        h->negative.value[i] = trim_bucket(t, &b);
    }
}

void histogram_trim(struct histogram *h, double bound, bool upper)
{
    struct trim t = {.bound = bound, .upper = upper, .custom = histogram_is_custom(h)};
    trim_positive(h, &t);
    trim_negative(h, &t);
    if (h->zero_count > 0) {
        struct histogram_bucket b = {-h->zero_threshold, h->zero_threshold, h->zero_count, true};
        double below = below_bound(&b, bound, true);
        h->zero_count = upper ? below : h->zero_count - below;
        t.count += h->zero_count;
    }
    double sum = t.count != 0 ? h->sum - t.removed : 0;
    if ((!t.has_negative && sum < 0) || (!t.has_positive && sum > 0))
        sum = 0;
    h->count = t.count;
    h->sum = sum;
    histogram_compact(h);
}

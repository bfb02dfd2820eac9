// SPDX-License-Identifier: Apache-2.0
/* Two histograms become one: first of one layout (schema, zero bucket, bounds), then bucket by
 * bucket, in the order of their indices. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/histogram.h"

/* ---- zero buckets ------------------------------------------------------------------------ */

static double lower_of(const struct histogram *h, const struct histogram_buckets *b, uint32_t i)
{
    return histogram_upper_bound(b->index[i] - 1, h->schema);
}

static double upper_of(const struct histogram *h, const struct histogram_buckets *b, uint32_t i)
{
    return histogram_upper_bound(b->index[i], h->schema);
}

/* What the zero bucket holds if it reaches to *threshold. That is raised to the end of a bucket
 * where it would cut one that is not empty. */
static double zero_count_up_to(const struct histogram *h, double *threshold)
{
    const struct histogram_buckets *sides[] = {&h->positive, &h->negative};
    if (*threshold == h->zero_threshold)
        return h->zero_count;
    double count;
    bool again;
    do {
        again = false;
        count = h->zero_count;
        for (int side = 0; side < 2 && !again; side++) {
            const struct histogram_buckets *b = sides[side];
            for (uint32_t i = 0; i < b->count && lower_of(h, b, i) < *threshold; i++) {
                count += b->value[i];
                double upper = upper_of(h, b, i);
                if (upper <= *threshold)
                    continue;
                if (b->value[i] != 0) {
                    *threshold = upper;
                    again = true;
                }
                break;
            }
        }
    } while (again);
    return count;
}

static void drop_below(const struct histogram *h, struct histogram_buckets *b, double threshold,
                       double *count)
{
    uint32_t gone = 0;
    while (gone < b->count && lower_of(h, b, gone) < threshold)
        *count += b->value[gone++];
    memmove(b->index, b->index + gone, (b->count - gone) * sizeof *b->index);
    memmove(b->value, b->value + gone, (b->count - gone) * sizeof *b->value);
    b->count -= gone;
}

static void widen_zero(struct histogram *h, double threshold)
{
    drop_below(h, &h->positive, threshold, &h->zero_count);
    drop_below(h, &h->negative, threshold, &h->zero_count);
    h->zero_threshold = threshold;
}

/* Gives both one zero threshold; the zero count of `other` at it. */
static double reconcile_zero(struct histogram *to, struct histogram *compensation,
                             const struct histogram *other)
{
    double threshold = other->zero_threshold, count = other->zero_count;
    while (threshold != to->zero_threshold) {
        if (to->zero_threshold > threshold) {
            threshold = to->zero_threshold;
            count = zero_count_up_to(other, &threshold);
        }
        if (threshold > to->zero_threshold) {
            double own = threshold;
            zero_count_up_to(to, &own);
            widen_zero(to, own);
            if (compensation)
                widen_zero(compensation, own);
        }
    }
    return count;
}

/* ---- resolution -------------------------------------------------------------------------- */

static int32_t coarser(int32_t index, int steps)
{
    return ((index - 1) >> steps) + 1;
}

/* Writes a bucket behind the `kept` first ones, or adds it to the last of them. How many are kept
 * now; never more than were read. */
static inline uint32_t keep_bucket(struct histogram_buckets *b, uint32_t kept, int32_t index,
                                   double value)
{
    if (kept > 0 && b->index[kept - 1] == index) {
        b->value[kept - 1] += value;
        return kept;
    }
    b->index[kept] = index;
    b->value[kept] = value;
    return kept + 1;
}

static void downscale_buckets(struct histogram_buckets *b, int steps)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++)
        kept = keep_bucket(b, kept, coarser(b->index[i], steps), b->value[i]);
    b->count = kept;
}

int histogram_downscale(struct arena *arena, struct histogram *h, int schema)
{
    (void)arena; /* it only shrinks */
    if (schema < h->schema) {
        downscale_buckets(&h->positive, h->schema - schema);
        downscale_buckets(&h->negative, h->schema - schema);
        h->schema = (int8_t)schema;
    }
    return 0;
}

/* ---- custom bounds ----------------------------------------------------------------------- */

static bool same_bounds(const struct histogram *a, const struct histogram *b)
{
    return a->custom_count == b->custom_count &&
           (a->custom_count == 0 ||
            memcmp(a->custom, b->custom, a->custom_count * sizeof *a->custom) == 0);
}

/* The bounds that both have. */
static const double *common_bounds(struct arena *arena, const struct histogram *a,
                                   const struct histogram *b, uint32_t *count)
{
    double *bounds = arena_alloc(arena, (a->custom_count + 1) * sizeof *bounds);
    *count = 0;
    for (uint32_t i = 0, j = 0; bounds && i < a->custom_count && j < b->custom_count;) {
        if (a->custom[i] == b->custom[j]) {
            bounds[(*count)++] = a->custom[i];
            i++, j++;
        } else if (a->custom[i] < b->custom[j]) {
            i++;
        } else {
            j++;
        }
    }
    return bounds;
}

/* The bucket among fewer bounds in which the one of h is. */
static int32_t rebound_index(const struct histogram *h, int32_t index, const double *bounds,
                             uint32_t count)
{
    if (index < 0 || (uint32_t)index >= h->custom_count)
        return (int32_t)count;
    uint32_t i = 0;
    while (i < count && bounds[i] < h->custom[index])
        i++;
    return (int32_t)i;
}

static void rebound(struct histogram *h, const double *bounds, uint32_t count)
{
    struct histogram_buckets *b = &h->positive;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++)
        kept = keep_bucket(b, kept, rebound_index(h, b->index[i], bounds, count), b->value[i]);
    b->count = kept;
    h->custom = bounds;
    h->custom_count = count;
}

/* ---- adding ------------------------------------------------------------------------------ */

/* Neumaier's variant of Kahan's summation. */
static void add_number(double value, double *sum, double *compensation)
{
    double total = *sum + value;
    if (compensation && !isinf(total))
        *compensation +=
            fabs(*sum) >= fabs(value) ? (*sum - total) + value : (value - total) + *sum;
    *sum = total;
}

/* Goes through buckets of `other` in the layout of `to`; those that come together there are one. */
struct incoming {
    const struct histogram *to, *other;
    const struct histogram_buckets *from;
    bool same_layout;
    uint32_t next; /* of `from` */
    bool there;    /* one is at hand */
    int32_t index;
    double value;
};

static int32_t index_in(const struct incoming *in, int32_t index)
{
    if (in->same_layout)
        return index;
    if (histogram_is_custom(in->to))
        return rebound_index(in->other, index, in->to->custom, in->to->custom_count);
    return coarser(index,
                   in->other->schema > in->to->schema ? in->other->schema - in->to->schema : 0);
}

static void incoming_next(struct incoming *in)
{
    in->there = false;
    for (; in->next < in->from->count; in->next++) {
        int32_t index = index_in(in, in->from->index[in->next]);
        if (in->there && index != in->index)
            return;
        in->value = in->there ? in->value + in->from->value[in->next] : in->from->value[in->next];
        in->index = index;
        in->there = true;
    }
}

static struct incoming incoming_of(const struct histogram *to, const struct histogram *other,
                                   const struct histogram_buckets *from)
{
    bool custom = histogram_is_custom(to);
    struct incoming in = {.to = to, .other = other, .from = from};
    in.same_layout = custom ? same_bounds(to, other) : to->schema == other->schema;
    while (!custom && in.next < from->count && lower_of(other, from, in.next) < to->zero_threshold)
        in.next++; /* in the zero bucket already */
    incoming_next(&in);
    return in;
}

/* How many buckets there are in both together. */
static uint32_t count_union(const struct histogram_buckets *to, struct incoming in)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < to->count || in.there; count++) {
        bool own = i < to->count && (!in.there || to->index[i] <= in.index);
        if (in.there && (!own || to->index[i] == in.index))
            incoming_next(&in);
        i += own;
    }
    return count;
}

static void add_in_place(struct histogram_buckets *to, double *compensation, struct incoming in,
                         double sign)
{
    for (uint32_t i = 0; in.there; i++) {
        if (to->index[i] != in.index)
            continue;
        add_number(sign * in.value, &to->value[i], compensation ? &compensation[i] : NULL);
        incoming_next(&in);
    }
}

static int merge(struct arena *arena, struct histogram_buckets *to,
                 struct histogram_buckets *compensation, struct incoming in, double sign)
{
    uint32_t count = count_union(to, in);
    if (count == to->count) {
        add_in_place(to, compensation ? compensation->value : NULL, in, sign);
        return 0;
    }
    int32_t *index = arena_alloc(arena, count * sizeof *index);
    double *value = arena_alloc(arena, count * sizeof *value);
    double *lost = compensation ? arena_calloc(arena, count, sizeof *lost) : NULL;
    if (!index || !value || (compensation && !lost))
        return HISTOGRAM_ENOMEM;
    for (uint32_t i = 0, k = 0; k < count; k++) {
        bool own = i < to->count && (!in.there || to->index[i] <= in.index);
        bool theirs = in.there && (!own || to->index[i] == in.index);
        index[k] = own ? to->index[i] : in.index;
        value[k] = own ? to->value[i] : 0;
        if (own && compensation)
            lost[k] = compensation->value[i];
        if (theirs) {
            add_number(sign * in.value, &value[k], compensation ? &lost[k] : NULL);
            incoming_next(&in);
        }
        i += own;
    }
    *to = (struct histogram_buckets){count, index, value};
    if (!compensation)
        return 0;
    compensation->index = arena_copy(arena, index, count * sizeof *index);
    compensation->value = lost;
    compensation->count = count;
    return compensation->index ? 0 : HISTOGRAM_ENOMEM;
}

static void join_resets(struct histogram *to, const struct histogram *other,
                        struct histogram_notes *notes)
{
    if (to->reset == other->reset || to->reset == HISTOGRAM_GAUGE)
        return;
    if (other->reset == HISTOGRAM_GAUGE) {
        to->reset = HISTOGRAM_GAUGE;
        return;
    }
    if (to->reset != HISTOGRAM_RESET_UNKNOWN && other->reset != HISTOGRAM_RESET_UNKNOWN)
        notes->reset_collision = true;
    to->reset = HISTOGRAM_RESET_UNKNOWN;
}

static int reconcile_custom(struct arena *arena, struct histogram *to,
                            struct histogram *compensation, const struct histogram *other,
                            struct histogram_notes *notes)
{
    uint32_t count;
    if (same_bounds(to, other))
        return 0;
    const double *bounds = common_bounds(arena, to, other, &count);
    if (!bounds)
        return HISTOGRAM_ENOMEM;
    rebound(to, bounds, count);
    if (compensation)
        rebound(compensation, bounds, count);
    notes->reconciled = true;
    return 0;
}

int histogram_add(struct arena *arena, struct histogram *to, struct histogram *compensation,
                  const struct histogram *other, double sign, struct histogram_notes *notes)
{
    if (histogram_is_custom(to) != histogram_is_custom(other))
        return HISTOGRAM_EMIXED;
    join_resets(to, other, notes);
    if (histogram_is_custom(to)) {
        if (reconcile_custom(arena, to, compensation, other, notes) != 0)
            return HISTOGRAM_ENOMEM;
    } else {
        double zeros = reconcile_zero(to, compensation, other);
        add_number(sign * zeros, &to->zero_count, compensation ? &compensation->zero_count : NULL);
        histogram_downscale(arena, to, other->schema);
        if (compensation)
            histogram_downscale(arena, compensation, other->schema);
    }
    add_number(sign * other->count, &to->count, compensation ? &compensation->count : NULL);
    add_number(sign * other->sum, &to->sum, compensation ? &compensation->sum : NULL);
    if (merge(arena, &to->positive, compensation ? &compensation->positive : NULL,
              incoming_of(to, other, &other->positive), sign) != 0)
        return HISTOGRAM_ENOMEM;
    return merge(arena, &to->negative, compensation ? &compensation->negative : NULL,
                 incoming_of(to, other, &other->negative), sign);
}

/* ---- resets ------------------------------------------------------------------------------ */

/* Whether a bucket of `earlier` (in the layout of h) holds more than h's. */
static bool any_less(const struct histogram_buckets *now, struct incoming earlier)
{
    for (uint32_t i = 0; earlier.there; incoming_next(&earlier)) {
        while (i < now->count && now->index[i] < earlier.index)
            i++;
        bool there = i < now->count && now->index[i] == earlier.index;
        if (earlier.value > (there ? now->value[i] : 0))
            return true;
    }
    return false;
}

static bool any_side_less(const struct histogram *h, const struct histogram *earlier)
{
    return any_less(&h->positive, incoming_of(h, earlier, &earlier->positive)) ||
           any_less(&h->negative, incoming_of(h, earlier, &earlier->negative));
}

static bool custom_was_reset(const struct histogram *h, const struct histogram *earlier)
{
    uint32_t count;
    struct arena scratch;
    if (same_bounds(h, earlier))
        return any_side_less(h, earlier);
    arena_init(&scratch, 1024);
    const double *bounds = common_bounds(&scratch, h, earlier, &count);
    struct histogram *now = bounds ? histogram_copy(&scratch, h) : NULL;
    if (now)
        rebound(now, bounds, count);
    bool reset = !now || any_side_less(now, earlier);
    arena_fini(&scratch);
    return reset;
}

bool histogram_was_reset(const struct histogram *h, const struct histogram *earlier)
{
    if (h->reset == HISTOGRAM_RESET || h->reset == HISTOGRAM_NO_RESET)
        return h->reset == HISTOGRAM_RESET;
    if (h->count < earlier->count || histogram_is_custom(h) != histogram_is_custom(earlier))
        return true;
    if (histogram_is_custom(h))
        return custom_was_reset(h, earlier);
    double threshold = h->zero_threshold;
    if (h->schema > earlier->schema || threshold < earlier->zero_threshold)
        return true;
    double zeros = zero_count_up_to(earlier, &threshold);
    return threshold != h->zero_threshold || h->zero_count < zeros || any_side_less(h, earlier);
}

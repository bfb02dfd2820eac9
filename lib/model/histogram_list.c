// SPDX-License-Identifier: Apache-2.0
/* A histogram's buckets with their bounds, and as text. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/model/histogram.h"

double histogram_upper_bound(int32_t index, int schema)
{
    if (schema <= 0) {
        int64_t exponent = (int64_t)index * (1 << -schema);
        if (exponent == 1024)
            return DBL_MAX;
        return exponent > 1024 ? INFINITY : exponent < -1100 ? 0 : ldexp(1, (int)exponent);
    }
    int32_t part = index & ((1 << schema) - 1);
    int32_t exponent = index >> schema;
    if (part == 0 && exponent == 1024)
        return DBL_MAX;
    return ldexp(exp2((double)part / (1 << schema)), exponent);
}

size_t histogram_list_most(const struct histogram *h)
{
    return (size_t)h->positive.count + h->negative.count + 1;
}

static struct histogram_bucket custom_bucket(const struct histogram *h, int32_t i, double count)
{
    struct histogram_bucket b = {-INFINITY, INFINITY, count, false};
    if (i > 0 && (uint32_t)i <= h->custom_count)
        b.lower = h->custom[i - 1];
    if (i >= 0 && (uint32_t)i < h->custom_count)
        b.upper = h->custom[i];
    return b;
}

static struct histogram_bucket positive_bucket(const struct histogram *h, uint32_t i)
{
    int32_t index = h->positive.index[i];
    if (histogram_is_custom(h))
        return custom_bucket(h, index, h->positive.value[i]);
    return (struct histogram_bucket){histogram_upper_bound(index - 1, h->schema),
                                     histogram_upper_bound(index, h->schema), h->positive.value[i],
                                     false};
}

static struct histogram_bucket negative_bucket(const struct histogram *h, uint32_t i)
{
    int32_t index = h->negative.index[i];
    return (struct histogram_bucket){-histogram_upper_bound(index, h->schema),
                                     -histogram_upper_bound(index - 1, h->schema),
                                     h->negative.value[i], false};
}

size_t histogram_list(const struct histogram *h, struct histogram_bucket *out)
{
    size_t count = 0;
    for (uint32_t i = h->negative.count; i-- > 0;)
        if (h->negative.value[i] != 0)
            out[count++] = negative_bucket(h, i);
    if (h->zero_count != 0)
        out[count++] =
            (struct histogram_bucket){-h->zero_threshold, h->zero_threshold, h->zero_count, true};
    for (uint32_t i = 0; i < h->positive.count; i++)
        if (h->positive.value[i] != 0)
            out[count++] = positive_bucket(h, i);
    return count;
}

/* ---- text -------------------------------------------------------------------------------- */

/* The fewest digits that read back as the same; from a million on with an exponent, as Go's %g. */
static void put_number(struct buffer *out, double number)
{
    char text[40];
    if (isnan(number) || isinf(number)) {
        buffer_text(out, isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf");
        return;
    }
    int digits = 1;
    for (; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, number);
        if (strtod(text, NULL) == number)
            break;
    }
    double size = fabs(number);
    if (size != 0 && (size < 1e-4 || size >= 1e6))
        buffer_text(out, text);
    else
        buffer_printf(out, "%.*g", digits > 6 ? digits : 6, number);
}

static void put_bucket(struct buffer *out, const struct histogram_bucket *b, bool custom)
{
    bool negative = !custom && b->upper <= 0 && !b->zero;
    bool first = custom && b->lower == -INFINITY;
    buffer_text(out, negative || b->zero || first ? ", [" : ", (");
    put_number(out, b->lower);
    buffer_byte(out, ',');
    put_number(out, b->upper);
    buffer_text(out, negative ? "):" : "]:");
    put_number(out, b->count);
}

void histogram_print(struct buffer *out, const struct histogram *h)
{
    buffer_text(out, "{count:");
    put_number(out, h->count);
    buffer_text(out, ", sum:");
    put_number(out, h->sum);
    for (uint32_t i = h->negative.count; i-- > 0;) {
        struct histogram_bucket b = negative_bucket(h, i);
        if (b.count != 0)
            put_bucket(out, &b, false);
    }
    if (h->zero_count != 0) {
        struct histogram_bucket b = {-h->zero_threshold, h->zero_threshold, h->zero_count, true};
        put_bucket(out, &b, false);
    }
    for (uint32_t i = 0; i < h->positive.count; i++) {
        struct histogram_bucket b = positive_bucket(h, i);
        if (b.count != 0)
            put_bucket(out, &b, histogram_is_custom(h));
    }
    buffer_byte(out, '}');
}

// SPDX-License-Identifier: Apache-2.0
#include "collector/series/chunk/numbers.h"

#include <stdlib.h>

#include "collector/series/chunk/bits.h"

/* How a number is foreseen. */
enum forecast {
    FORECAST_CENTRE, /* a constant */
    FORECAST_STEP,   /* the one before and a constant step */
    FORECAST_SLOPE,  /* the one before and the last step */
    FORECAST_LINE,   /* a straight line */
    FORECASTS
};
enum { FLAT = 63, RICE_MOST = 62, ZEROS_MOST = 24, LINE_SHIFT = 16, LINE_STEP_BITS = 40 };

struct plan {
    enum forecast forecast;
    int64_t constant; /* the centre, the step, or the line's step in 1/65,536 */
    uint64_t sum;     /* of what is left, in zigzag; saturated */
};

static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t line_at(int64_t first, int64_t step, size_t i)
{
    return plus(first, (int64_t)(((__int128)step * (__int128)i) >> LINE_SHIFT));
}

/* How many numbers are written before what is left of the others. */
static size_t lead_of(enum forecast f)
{
    return f == FORECAST_CENTRE ? 0 : f == FORECAST_SLOPE ? 2 : 1;
}

static int64_t foresee(const struct plan *p, const int64_t *numbers, size_t i)
{
    switch (p->forecast) {
    case FORECAST_CENTRE:
        return p->constant;
    case FORECAST_STEP:
        return plus(numbers[i - 1], p->constant);
    case FORECAST_SLOPE:
        return plus(numbers[i - 1], minus(numbers[i - 1], numbers[i - 2]));
    default:
        return line_at(numbers[0], p->constant, i);
    }
}

static void weigh(struct plan *p, const int64_t *numbers, size_t count)
{
    p->sum = 0;
    for (size_t i = lead_of(p->forecast); i < count; i++) {
        uint64_t left = zigzag(minus(numbers[i], foresee(p, numbers, i)));
        if (__builtin_add_overflow(p->sum, left, &p->sum))
            p->sum = UINT64_MAX;
    }
}

/* The mean of the steps, or of the numbers: rounded, as whole numbers are. */
static int64_t mean_of(const int64_t *numbers, size_t count)
{
    __int128 sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += numbers[i];
    return (int64_t)(sum / (__int128)count);
}

static struct plan choose(const int64_t *numbers, size_t count)
{
    int64_t span = 0;
    struct plan plans[FORECASTS] = {{FORECAST_CENTRE, mean_of(numbers, count), 0},
                                    {FORECAST_STEP, 0, 0},
                                    {FORECAST_SLOPE, 0, 0},
                                    {FORECAST_LINE, 0, 0}};
    size_t usable = count > 2 ? FORECASTS : count > 1 ? 2 : 1;
    if (__builtin_sub_overflow(numbers[count - 1], numbers[0], &span) ||
        span >> LINE_STEP_BITS != span >> 63) {
        usable = usable > 3 ? 3 : usable;
        span = 0;
    }
    if (count > 1) {
        int64_t steps = (int64_t)count - 1;
        plans[FORECAST_STEP].constant = (span + (span < 0 ? -steps : steps) / 2) / steps;
        plans[FORECAST_LINE].constant = (span * (1 << LINE_SHIFT)) / steps;
    }
    size_t best = 0;
    for (size_t i = 0; i < usable; i++) {
        weigh(&plans[i], numbers, count);
        if (plans[i].sum < plans[best].sum)
            best = i;
        if (plans[best].sum == 0)
            break;
    }
    return plans[best];
}

/* The width with the fewest bits for what has this mean. */
static unsigned width_for(uint64_t sum, size_t count)
{
    uint64_t mean = sum / count;
    unsigned width = mean ? 64 - (unsigned)__builtin_clzll(mean) : 0;
    /* Halfway between two powers of two the smaller one is right: (1 - 1/e) · 2^k. */
    if (width > 0 && (__uint128_t)mean * 100 < (__uint128_t)139 << (width - 1))
        width--;
    return width > RICE_MOST ? RICE_MOST : width;
}

static void rice_put(struct bit_writer *w, uint64_t left, unsigned width)
{
    uint64_t zeros = left >> width;
    if (zeros >= ZEROS_MOST) {
        bits_put_few(w, 1U << ZEROS_MOST, ZEROS_MOST + 1);
        bits_put_wide(w, left, 64);
        return;
    }
    bits_put_few(w, UINT64_C(1) << zeros, (unsigned)zeros + 1);
    bits_put_wide(w, left & ((UINT64_C(1) << width) - 1), width);
}

void chunk_numbers_put(const int64_t *numbers, size_t count, struct column *out)
{
    struct plan p = choose(numbers, count);
    size_t lead = lead_of(p.forecast);
    unsigned width = p.sum ? width_for(p.sum, count - lead) : FLAT;
    column_put_fixed(out, (uint64_t)p.forecast | width << 2, 1);
    for (size_t i = 0; i < lead; i++)
        column_put_signed(out, i ? minus(numbers[i], numbers[i - 1]) : numbers[i]);
    if (p.forecast != FORECAST_SLOPE)
        column_put_signed(out, p.constant);
    if (width == FLAT)
        return;
    struct bit_writer w = {.out = out};
    for (size_t i = lead; i < count; i++)
        rice_put(&w, zigzag(minus(numbers[i], foresee(&p, numbers, i))), width);
    bits_put_end(&w);
}

/* ---- reading ----------------------------------------------------------------------------- */

static inline int64_t rice_get(struct bit_reader *r, unsigned width)
{
    unsigned zeros = bits_get_zeros(r, ZEROS_MOST);
    if (__builtin_expect(zeros == ZEROS_MOST, 0))
        return unzigzag(bits_get_wide(r, 64));
    return unzigzag((uint64_t)zeros << width | bits_get_wide(r, width));
}

void chunk_numbers_get(struct column_reader *in, size_t count, int64_t *numbers)
{
    uint8_t head = (uint8_t)column_get_fixed(in, 1);
    struct plan p = {.forecast = (enum forecast)(head & 3)};
    unsigned width = head >> 2;
    size_t lead = lead_of(p.forecast);
    if (lead > count) {
        in->bad = true;
        return;
    }
    for (size_t i = 0; i < lead; i++) {
        numbers[i] = column_get_signed(in);
        if (i > 0)
            numbers[i] = plus(numbers[i], numbers[i - 1]);
    }
    if (p.forecast != FORECAST_SLOPE)
        p.constant = column_get_signed(in);
    if (width == FLAT) {
        for (size_t i = lead; i < count; i++)
            numbers[i] = foresee(&p, numbers, i);
        return;
    }
    struct bit_reader r = bit_reader_of(in);
    for (size_t i = lead; i < count; i++)
        numbers[i] = plus(foresee(&p, numbers, i), rice_get(&r, width));
    bits_get_end(&r, in);
}

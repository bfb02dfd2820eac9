// SPDX-License-Identifier: Apache-2.0
#include "collector/series/chunk/values.h"

#include <math.h>

#include "collector/series/chunk/bits.h"
#include "collector/series/chunk/chunk.h"
#include "collector/series/chunk/numbers.h"
#include "lib/base/number.h"

/* The first byte: the places of decimals, or BITS; with EXCEPTIONS some values stand apart. */
enum { PLACES_MOST = 9, BITS = 15, EXCEPTIONS = 16 };
#define DECIMAL_MOST 9007199254740992.0 /* 2^53 */

static const double powers[PLACES_MOST + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

static inline double decimal_value(int64_t decimal, unsigned places)
{
    return places ? (double)decimal / powers[places] : (double)decimal;
}

static inline bool to_decimal(double value, unsigned places, int64_t *decimal)
{
    double scaled = places ? value * powers[places] : value;
    if (!(scaled > -DECIMAL_MOST && scaled < DECIMAL_MOST))
        return false;
    *decimal = places ? (int64_t)nearbyint(scaled) : (int64_t)scaled;
    return number_bits(decimal_value(*decimal, places)) == number_bits(value);
}

/* How many places all values have, but an eighth of them. BITS: too many. */
static unsigned places_of(const double *values, size_t count)
{
    unsigned places = 0;
    size_t odd = 0;
    int64_t decimal;
    for (size_t i = 0; i < count; i++) {
        unsigned p = places;
        while (p <= PLACES_MOST && !to_decimal(values[i], p, &decimal))
            p = isfinite(values[i]) ? p + 1 : PLACES_MOST + 1;
        if (p <= PLACES_MOST)
            places = p;
        else if (++odd > count / 8 + 1)
            return BITS;
    }
    return places;
}

static void put_decimals(const double *values, size_t count, unsigned places, struct column *out)
{
    int64_t decimals[CHUNK_SAMPLES_MAX], last = 0;
    uint16_t odd[CHUNK_SAMPLES_MAX];
    size_t odds = 0;
    for (size_t i = 0; i < count; i++) {
        if (to_decimal(values[i], places, &decimals[i])) {
            last = decimals[i];
            continue;
        }
        decimals[i] = last;
        odd[odds++] = (uint16_t)i;
    }
    /* What stands apart at the beginning goes on as what follows. */
    if (odds > 0 && odds < count && odd[0] == 0) {
        size_t first = 0;
        while (first < odds && odd[first] == first)
            first++;
        for (size_t i = 0; i < first; i++)
            decimals[i] = decimals[first];
    }
    column_put_fixed(out, places | (odds ? EXCEPTIONS : 0), 1);
    if (odds)
        column_put(out, odds);
    for (size_t i = 0; i < odds; i++) {
        column_put(out, i ? (uint64_t)(odd[i] - odd[i - 1] - 1) : odd[i]);
        column_put_double(out, values[odd[i]]);
    }
    chunk_numbers_put(decimals, count, out);
}

/* 0: the same. 10: the bits that differ lie where the last ones did. 11: leading zeros, how many
 * bits less one, and these. */
static void put_bits(const double *values, size_t count, struct column *out)
{
    struct bit_writer w = {.out = out};
    uint64_t last = number_bits(values[0]);
    unsigned leading = 64, trailing = 0;
    column_put_fixed(out, BITS, 1);
    bits_put_wide(&w, last, 64);
    for (size_t i = 1; i < count; i++) {
        uint64_t bits = number_bits(values[i]), differ = bits ^ last;
        last = bits;
        if (differ == 0) {
            bits_put_few(&w, 0, 1);
            continue;
        }
        unsigned lead = (unsigned)__builtin_clzll(differ),
                 trail = (unsigned)__builtin_ctzll(differ);
        if (leading < 64 && lead >= leading && trail >= trailing &&
            lead + trail < leading + trailing + 12) {
            bits_put_few(&w, 1, 2);
        } else {
            leading = lead;
            trailing = trail;
            bits_put_few(&w, 3 | (uint64_t)lead << 2 | (uint64_t)(63 - lead - trail) << 8, 14);
        }
        bits_put_wide(&w, differ >> trailing, 64 - leading - trailing);
    }
    bits_put_end(&w);
}

void chunk_values_put(const double *values, size_t count, struct column *out)
{
    unsigned places = places_of(values, count);
    if (places == BITS)
        put_bits(values, count, out);
    else
        put_decimals(values, count, places, out);
}

/* ---- reading ----------------------------------------------------------------------------- */

static void get_bits(struct column_reader *in, size_t count, double *values)
{
    struct bit_reader r = bit_reader_of(in);
    uint64_t last = bits_get_wide(&r, 64);
    unsigned width = 0, trailing = 0;
    values[0] = number_of_bits(last);
    for (size_t i = 1; i < count; i++) {
        if (bits_get_few(&r, 1)) {
            if (bits_get_few(&r, 1)) {
                unsigned leading = (unsigned)bits_get_few(&r, 6);
                width = (unsigned)bits_get_few(&r, 6) + 1;
                r.bad |= leading + width > 64;
                trailing = r.bad ? 0 : 64 - leading - width;
            }
            last ^= bits_get_wide(&r, width) << trailing;
        }
        values[i] = number_of_bits(last);
    }
    bits_get_end(&r, in);
}

static void get_decimals(struct column_reader *in, size_t count, unsigned head, double *values)
{
    int64_t decimals[CHUNK_SAMPLES_MAX];
    struct {
        uint32_t at;
        uint64_t bits;
    } odd[CHUNK_SAMPLES_MAX];
    size_t odds = head & EXCEPTIONS ? column_get_below(in, count + 1) : 0, next = 0;
    for (size_t i = 0; i < odds && !in->bad; i++) {
        next += column_get_below(in, count);
        in->bad |= next >= count;
        odd[i].at = (uint32_t)next++;
        odd[i].bits = column_get_fixed(in, 8);
    }
    if (in->bad)
        return;
    chunk_numbers_get(in, count, decimals);
    if (in->bad)
        return;
    for (size_t i = 0; i < count; i++)
        values[i] = decimal_value(decimals[i], head & BITS);
    for (size_t i = 0; i < odds; i++)
        values[odd[i].at] = number_of_bits(odd[i].bits);
}

void chunk_values_get(struct column_reader *in, size_t count, double *values)
{
    unsigned head = (unsigned)column_get_fixed(in, 1);
    if (count == 0 || count > CHUNK_SAMPLES_MAX)
        in->bad = true;
    else if (head == BITS)
        get_bits(in, count, values);
    else if ((head & BITS) <= PLACES_MOST && head < 2 * EXCEPTIONS)
        get_decimals(in, count, head, values);
    else
        in->bad = true;
}

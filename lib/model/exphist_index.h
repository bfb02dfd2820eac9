// SPDX-License-Identifier: Apache-2.0
/* The bucket of a value in a base-2 exponential histogram of scale 6, exactly and without libm:
 * for lib/model/exphist.c, and for libweft, which links neither.
 *
 * The mantissas of the 64 boundaries are a table, rounded down to 52 bits; no boundary but a power
 * of two is a double, so one comparison decides. A table of 128 guesses by the mantissa's
 * upper seven bits is at most one too low. (libm's log2 is wrong at boundaries.) */
#ifndef WEFT_MODEL_EXPHIST_INDEX_H
#define WEFT_MODEL_EXPHIST_INDEX_H

#include <stdint.h>
#include <string.h>

enum { EXPHIST_MANTISSA_BITS = 52 };

/* exphist_boundary[k] is 2^(k/64) without its leading one, in 52 bits, rounded down. */
static const uint64_t exphist_boundary[65] = {
    0x0000000000000, 0x02c9a3e778060, 0x059b0d3158574, 0x0874518759bc8, 0x0b5586cf9890f,
    0x0e3ec32d3d1a2, 0x11301d0125b50, 0x1429aaea92ddf, 0x172b83c7d517a, 0x1a35beb6fcb75,
    0x1d4873168b9aa, 0x2063b88628cd6, 0x2387a6e756238, 0x26b4565e27cdd, 0x29e9df51fdee1,
    0x2d285a6e4030b, 0x306fe0a31b715, 0x33c08b26416ff, 0x371a7373aa9ca, 0x3a7db34e59ff6,
    0x3dea64c123422, 0x4160a21f72e29, 0x44e086061892d, 0x486a2b5c13cd0, 0x4bfdad5362a27,
    0x4f9b2769d2ca6, 0x5342b569d4f81, 0x56f4736b527da, 0x5ab07dd485429, 0x5e76f15ad2148,
    0x6247eb03a5584, 0x6623882552224, 0x6a09e667f3bcc, 0x6dfb23c651a2e, 0x71f75e8ec5f73,
    0x75feb564267c8, 0x7a11473eb0186, 0x7e2f336cf4e62, 0x82589994cce12, 0x868d99b4492ec,
    0x8ace5422aa0db, 0x8f1ae99157736, 0x93737b0cdc5e4, 0x97d829fde4e4f, 0x9c49182a3f090,
    0xa0c667b5de564, 0xa5503b23e255c, 0xa9e6b5579fdbf, 0xae89f995ad3ad, 0xb33a2b84f15fa,
    0xb7f76f2fb5e46, 0xbcc1e904bc1d2, 0xc199bdd85529c, 0xc67f12e57d14b, 0xcb720dcef9069,
    0xd072d4a07897b, 0xd5818dcfba487, 0xda9e603db3285, 0xdfc97337b9b5e, 0xe502ee78b3ff6,
    0xea4afa2a490d9, 0xefa1bee615a27, 0xf50765b6e4540, 0xfa7c1819e90d8, UINT64_MAX,
};
/* For the upper seven bits of a mantissa: the bucket of the least mantissa that has them. */
static const uint8_t exphist_guess[128] = {
    0,  0,  1,  2,  2,  3,  4,  4,  5,  6,  6,  7,  8,  8,  9,  10, 10, 11, 12, 12, 13, 14,
    14, 15, 15, 16, 17, 17, 18, 18, 19, 20, 20, 21, 21, 22, 22, 23, 24, 24, 25, 25, 26, 26,
    27, 27, 28, 28, 29, 29, 30, 30, 31, 31, 32, 33, 33, 34, 34, 35, 35, 35, 36, 36, 37, 37,
    38, 38, 39, 39, 40, 40, 41, 41, 42, 42, 43, 43, 43, 44, 44, 45, 45, 46, 46, 47, 47, 47,
    48, 48, 49, 49, 50, 50, 50, 51, 51, 52, 52, 52, 53, 53, 54, 54, 54, 55, 55, 56, 56, 56,
    57, 57, 58, 58, 58, 59, 59, 59, 60, 60, 61, 61, 61, 62, 62, 62, 63, 63,
};

/* A bucket's upper bound belongs to it: so what is looked up are the bits of the value just below,
 * in buckets that begin with their lower bounds. Of those bits (of a value that is positive, finite
 * and not subnormal) this is the bucket within the doubling, 0 to 63; their exponent says which. */
static inline uint64_t exphist_bucket_below(uint64_t below)
{
    uint64_t mantissa = below & ((UINT64_C(1) << EXPHIST_MANTISSA_BITS) - 1);
    uint64_t bucket = exphist_guess[mantissa >> (EXPHIST_MANTISSA_BITS - 7)];
    return bucket + (mantissa >= exphist_boundary[bucket + 1]);
}

/* The bucket of any positive, finite value at scale 6. */
static inline int32_t exphist_index_6(double value)
{
    uint64_t bits;
    int32_t scaled = 0;
    if (value < 0x1p-1021) { /* subnormal, or just above: brought away from there without a loss */
        value *= 0x1p64;
        scaled = 64 * 64;
    }
    memcpy(&bits, &value, sizeof bits);
    int32_t exponent = (int32_t)((bits - 1) >> EXPHIST_MANTISSA_BITS) - 1023;
    return exponent * 64 + (int32_t)exphist_bucket_below(bits - 1) - scaled;
}

#endif

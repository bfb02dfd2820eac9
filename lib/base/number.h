// SPDX-License-Identifier: Apache-2.0
/* Doubles as bits and as text. */
#ifndef WEFT_BASE_NUMBER_H
#define WEFT_BASE_NUMBER_H

#include <stdint.h>
#include <string.h>

static inline uint64_t number_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double number_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

enum { NUMBER_TEXT_MAX = 32 };

/* As few digits, from fifteen on, as read back as the same. Finite numbers only. */
void number_text(double value, char text[NUMBER_TEXT_MAX]);

#endif

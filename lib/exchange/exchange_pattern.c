// SPDX-License-Identifier: Apache-2.0
#include "lib/exchange/exchange_pattern.h"

#include <string.h>

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* What stands for a byte that cannot stand for itself; its length. */
static size_t escape(uint8_t byte, char out[4])
{
    static const char digits[] = "0123456789abcdef";
    if (byte == '\\') {
        memcpy(out, "\\\\", 2);
        return 2;
    }
    memcpy(out, (char[4]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
    return 4;
}

void exchange_pattern(const uint8_t *key, size_t length, char out[EXCHANGE_PATTERN_BYTES])
{
    const size_t room = EXCHANGE_PATTERN_BYTES - 1;
    size_t used = 0;
    bool in_digits = false;
    memset(out, 0, EXCHANGE_PATTERN_BYTES);
    for (size_t i = 0; i < length && used < room; i++) {
        uint8_t byte = key[i];
        bool digit = is_digit(byte);
        if (digit && !in_digits)
            out[used++] = '*';
        in_digits = digit;
        if (digit)
            continue;
        if (byte >= ' ' && byte <= '~' && byte != '\\') {
            out[used++] = (char)byte;
            continue;
        }
        char text[4];
        size_t bytes = escape(byte, text);
        if (bytes > room - used)
            return;
        memcpy(out + used, text, bytes);
        used += bytes;
    }
}

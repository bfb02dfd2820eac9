// SPDX-License-Identifier: Apache-2.0
#include "lib/exchange/exchange_pattern.h"

#include <string.h>

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* What stands for one byte; its length. */
static size_t shown(uint8_t byte, char out[4])
{
    static const char digits[] = "0123456789abcdef";
    if (byte == '\\') {
        memcpy(out, "\\\\", 2);
        return 2;
    }
    if (byte >= ' ' && byte <= '~') {
        out[0] = (char)byte;
        return 1;
    }
    memcpy(out, (char[4]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
    return 4;
}

void exchange_pattern(const uint8_t *key, size_t length, char out[EXCHANGE_PATTERN_BYTES])
{
    const size_t room = EXCHANGE_PATTERN_BYTES - 1;
    size_t used = 0;
    char text[4] = "*";
    memset(out, 0, EXCHANGE_PATTERN_BYTES);
    for (size_t i = 0; i < length; i++) {
        bool digit = is_digit(key[i]);
        if (digit && i > 0 && is_digit(key[i - 1]))
            continue;
        size_t bytes = digit ? 1 : shown(key[i], text);
        if (bytes > room - used)
            return;
        memcpy(out + used, digit ? "*" : text, bytes);
        used += bytes;
    }
}

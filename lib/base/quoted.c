// SPDX-License-Identifier: Apache-2.0
#include "lib/base/quoted.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ---- writing ----------------------------------------------------------------------------- */

/* How many bytes of UTF-8, beyond ASCII, begin here; 0: none. */
static size_t utf8_length(const char *bytes, size_t left)
{
    const unsigned char *b = (const unsigned char *)bytes;
    size_t length = b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : b[0] < 0xf5 ? 4 : 0;
    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xf0 && b[1] < 0x90);
    bool beyond = (b[0] == 0xed && b[1] >= 0xa0) || (b[0] == 0xf4 && b[1] >= 0x90);
    return overlong || beyond ? 0 : length;
}

void quoted_put(struct buffer *out, const char *bytes, size_t length)
{
    buffer_byte(out, '"');
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        size_t wide = utf8_length(bytes + i, length - i);
        if (c == '"' || c == '\\') {
            buffer_byte(out, '\\');
            buffer_byte(out, c);
        } else if (c == '\n') {
            buffer_text(out, "\\n");
        } else if (c >= ' ' && c < 127) {
            buffer_byte(out, c);
        } else if (wide) {
            buffer_append(out, bytes + i, wide);
            i += wide - 1;
        } else {
            buffer_printf(out, "\\x%02x", (unsigned char)c);
        }
    }
    buffer_byte(out, '"');
}

/* ---- reading ----------------------------------------------------------------------------- */

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((length == 2 ? 0xc0 : length == 3 ? 0xe0 : 0xf0) | c);
    return length;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Reads `count` digits of `base`. False: there are not so many. */
static bool read_digits(const char **from, const char *end, unsigned count, int base, uint32_t *c)
{
    *c = 0;
    for (unsigned i = 0; i < count; i++, (*from)++) {
        if (*from == end || digit_of(**from) >= base)
            return false;
        *c = *c * (uint32_t)base + (uint32_t)digit_of(**from);
    }
    return true;
}

size_t quoted_escape(const char **from, const char *end, char quote, char out[4])
{
    static const char letters[] = "abfnrtv\\", meanings[] = "\a\b\f\n\r\t\v\\";
    uint32_t c;
    char letter = *(*from)++;
    const char *simple = letter ? strchr(letters, letter) : NULL;
    if (simple || letter == quote) {
        *out = simple ? meanings[simple - letters] : quote;
        return 1;
    }
    if (letter == 'x' && read_digits(from, end, 2, 16, &c)) {
        *out = (char)c;
        return 1;
    }
    if (letter >= '0' && letter <= '7') {
        (*from)--;
        if (!read_digits(from, end, 3, 8, &c) || c > 255)
            return 0;
        *out = (char)c;
        return 1;
    }
    if ((letter == 'u' && read_digits(from, end, 4, 16, &c)) ||
        (letter == 'U' && read_digits(from, end, 8, 16, &c)))
        return c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : put_utf8(out, c);
    return 0;
}

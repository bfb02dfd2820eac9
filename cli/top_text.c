// SPDX-License-Identifier: Apache-2.0
#include "cli/top_text.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "lib/base/utf8.h"

static bool has_unicode(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static wchar_t decoded(const unsigned char *s, size_t length)
{
    wchar_t c = length == 1 ? s[0] : s[0] & (0xff >> (length + 1));
    for (size_t i = 1; i < length; i++)
        c = (c << 6) | (s[i] & 0x3f);
    return c;
}

/* A character of the text as it is shown. */
struct shown {
    size_t taken; /* bytes of the text */
    size_t columns;
    bool escaped; /* each of those bytes as \xHH */
};

static struct shown shown_at(const unsigned char *s, size_t left)
{
    size_t length = s[0] < 0x80 ? 1 : utf8_length(s, left);
    if (length == 0)
        return (struct shown){1, 4, true};
    /* Signs of no width may hide what follows, or turn it around. */
    int columns = s[0] < 0x80 ? (s[0] >= 0x20 && s[0] != 0x7f ? 1 : -1)
                              : (has_unicode() ? wcwidth(decoded(s, length)) : -1);
    if (columns <= 0)
        return (struct shown){length, 4 * length, true};
    return (struct shown){length, (size_t)columns, false};
}

static void put(struct buffer *out, const unsigned char *s, struct shown c)
{
    if (!c.escaped)
        buffer_append(out, s, c.taken);
    for (size_t i = 0; c.escaped && i < c.taken; i++)
        buffer_printf(out, "\\x%02x", s[i]);
}

size_t top_text_width(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t left = strlen(text), columns = 0;
    while (left > 0) {
        struct shown c = shown_at(s, left);
        columns += c.columns;
        s += c.taken;
        left -= c.taken;
    }
    return columns;
}

size_t top_text(struct buffer *out, const char *text, size_t columns)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t left = strlen(text), used = 0;
    bool cut = columns != SIZE_MAX && top_text_width(text) > columns;
    size_t most = cut && columns > 0 ? columns - 1 : columns;
    while (left > 0) {
        struct shown c = shown_at(s, left);
        if (c.columns > most - used)
            break;
        put(out, s, c);
        used += c.columns;
        s += c.taken;
        left -= c.taken;
    }
    if (cut && columns > 0) {
        buffer_text(out, has_unicode() ? "…" : "~");
        used++;
    }
    return used;
}

static void blanks(struct buffer *out, size_t count)
{
    while (count-- > 0)
        buffer_byte(out, ' ');
}

void top_text_left(struct buffer *out, const char *text, size_t columns)
{
    blanks(out, columns - top_text(out, text, columns));
}

void top_text_right(struct buffer *out, const char *text, size_t columns)
{
    size_t width = top_text_width(text);
    blanks(out, width < columns ? columns - width : 0);
    top_text(out, text, columns);
}

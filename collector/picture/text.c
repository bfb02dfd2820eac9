// SPDX-License-Identifier: Apache-2.0
#include "collector/picture/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

char *text_vformat(struct arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = length < 0 ? NULL : arena_alloc(a, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

char *text_format(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = text_vformat(a, format, args);
    va_end(args);
    return text;
}

/* Bytes of the character at the front; 0: none that may be shown. */
static unsigned character(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned length = *s < 0x80 ? 1 : *s >= 0xF0 ? 4 : *s >= 0xE0 ? 3 : 2;
    if (length == 1)
        return *s >= 0x20 && *s != 0x7F && *s != '\\';
    if (*s < 0xC2 || *s > 0xF4)
        return 0;
    uint32_t code = *s & (0x7FU >> length);
    for (unsigned i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3FU);
    }
    bool sound = code >= least[length] && code >= 0xA0 && code <= 0x10FFFF &&
                 (code < 0xD800 || code > 0xDFFF) && code < 0xFFFE;
    return sound || (code >= 0x10000 && code <= 0x10FFFF) ? length : 0;
}

unsigned text_characters(const char *text)
{
    unsigned count = 0;
    for (; *text; count++) {
        unsigned length = character(text);
        text += length ? length : 1;
    }
    return count;
}

static const char *show(struct arena *a, const char *text, unsigned characters, bool escape,
                        bool pad)
{
    unsigned left = text_characters(text), shown = 0;
    bool cut = left > characters;
    char *out = arena_alloc(a, (size_t)characters * 4 + 8), *at = out;
    if (!out)
        return "?";
    for (; *text && shown < characters - cut; shown++) {
        unsigned length = character(text);
        if (escape && *text == ':')
            *at++ = '\\';
        if (length)
            memcpy(at, text, length);
        else
            *at = '?';
        at += length ? length : 1;
        text += length ? length : 1;
    }
    if (cut) {
        memcpy(at, "…", 3);
        at += 3;
        shown++;
    }
    for (; pad && shown < characters; shown++)
        *at++ = ' ';
    *at = '\0';
    return out;
}

const char *text_shown(struct arena *a, const char *text, unsigned characters, bool escape)
{
    return show(a, text, characters, escape, false);
}

const char *text_padded(struct arena *a, const char *text, unsigned characters)
{
    return show(a, text, characters, true, true);
}

void text_xml(struct buffer *out, const char *text)
{
    while (*text) {
        unsigned length = character(text);
        if (*text == '&' || *text == '<' || *text == '>')
            buffer_text(out, *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : "&gt;");
        else if (length)
            buffer_append(out, text, length);
        else
            buffer_byte(out, '?');
        text += length ? length : 1;
    }
}

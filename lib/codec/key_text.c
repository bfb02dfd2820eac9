// SPDX-License-Identifier: Apache-2.0
#include "lib/codec/key_text.h"

#include "lib/base/utf8.h"

/* Of a character that is shown as it is; 0: none begins there. */
static size_t shown_length(const unsigned char *s, size_t left)
{
    if (s[0] >= 0x80)
        return utf8_length(s, left);
    return s[0] >= 0x20 && s[0] != 0x7f;
}

static bool is_text(struct batch_str key)
{
    const unsigned char *s = (const unsigned char *)key.bytes;
    for (size_t i = 0, length; i < key.length; i += length)
        if ((length = shown_length(s + i, key.length - i)) == 0)
            return false;
    return true;
}

bool key_text(struct buffer *out, struct batch_str key)
{
    const unsigned char *s = (const unsigned char *)key.bytes;
    if (is_text(key)) {
        buffer_append(out, key.bytes, key.length);
        return false;
    }
    for (size_t i = 0; i < key.length;) {
        size_t length = shown_length(s + i, key.length - i);
        if (length == 0)
            buffer_printf(out, "\\x%02x", s[i]);
        else if (s[i] == '\\')
            buffer_text(out, "\\\\");
        else
            buffer_append(out, s + i, length);
        i += length ? length : 1;
    }
    return true;
}

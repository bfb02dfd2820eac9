// SPDX-License-Identifier: Apache-2.0
#include "lib/base/utf8.h"

size_t utf8_length(const unsigned char *s, size_t left)
{
    unsigned char least = 0x80, most = 0xbf;
    size_t length;
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        length = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        length = 3;
        least = s[0] == 0xe0 ? 0xa0 : 0x80; /* overlong */
        most = s[0] == 0xed ? 0x9f : 0xbf;  /* surrogates */
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        length = 4;
        least = s[0] == 0xf0 ? 0x90 : 0x80; /* overlong */
        most = s[0] == 0xf4 ? 0x8f : 0xbf;  /* above U+10FFFF */
    } else {
        return 0;
    }
    if (left < length || s[1] < least || s[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

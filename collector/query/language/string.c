// SPDX-License-Identifier: Apache-2.0
/* Strings in queries: in quotes with Go's escapes, in back quotes with none. */
#include "collector/query/language/input.h"
#include "lib/base/quoted.h"

bool language_string(struct language_input *in, struct language_place at, struct batch_str *value)
{
    const char *from = language_bytes_at(in, at) + 1, *end = in->text.bytes + at.end - 1;
    char quote = from[-1], *out = arena_alloc(in->arena, (size_t)(end - from) + 1), *to = out;
    if (!out) {
        in->no_memory = true;
        return false;
    }
    while (from < end) {
        const char *begin = from;
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        from++;
        size_t length = quoted_escape(&from, end, quote, to);
        if (length == 0) {
            uint32_t offset = (uint32_t)(begin - in->text.bytes);
            language_fail_syntax(in, (struct language_place){offset, offset + 2},
                                 "there is no escape \"\\%c\" in strings (there are \\n \\t \\r "
                                 "\\\\ \\%c \\xHH \\uHHHH and the other ones of Go; `so` needs "
                                 "none)",
                                 begin[1] >= ' ' && begin[1] < 127 ? begin[1] : '?', quote);
            return false;
        }
        to += length;
    }
    *value = (struct batch_str){out, (uint32_t)(to - out)};
    return true;
}

struct batch_str language_raw_string(const struct language_input *in, struct language_place at)
{
    return (struct batch_str){language_bytes_at(in, at) + 1, at.end - at.begin - 2};
}
